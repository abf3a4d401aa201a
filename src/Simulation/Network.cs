using System.Buffers;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>
/// The broker and the wires to it: a queue per service, from which its instances take. It keeps what is not acknowledged
/// and gives it to the next one when its taker dies. In bad weather it loses, doubles, delays and reorders.
/// </summary>
public sealed class Network(World world, Chance chance)
{
    static readonly TimeSpan LongestHop = TimeSpan.FromMilliseconds(4);

    readonly Dictionary<string, Queue> queues = ServiceNames.All.ToDictionary(name => name, _ => new Queue());
    int wipes;

    /// <summary>Nothing waits in a queue, is on its way, or is being worked on.</summary>
    public bool IsEmpty => OnTheWay == 0 && queues.Values.All(queue => queue.Waiting.Count == 0 && queue.Taken.Count == 0);

    public int OnTheWay { get; private set; }

    /// <summary>Messages go by their JSON, as on a wire, instead of as objects.</summary>
    public bool ByWire { get; init; }

    public IInbox Open(Node node) => new Inbox(this, node, queues[node.Service]);

    public void Send(string from, string to, IReadOnlyList<Message> messages)
    {
        if (ByWire) messages = Carry(messages);
        var trouble = world.Weather.OfLink(from, to);
        if (trouble is null)
        {
            Deliver(to, new Delivery(messages, []), Hop());
            return;
        }
        // In bad weather each message has its own fate: what travelled together may come one by one and in any order.
        foreach (var message in messages)
        {
            if (chance.Hit(trouble.Loss))
            {
                world.Weather.Count("message lost");
                world.Trace.Tell(message.OrderId, $"{from} ⇢ {to}: {Name(message)} is lost");
                continue;
            }
            var copies = chance.Hit(trouble.Twice) ? chance.Between(2, 3) : 1;
            if (copies > 1) world.Weather.Count("message doubled");
            for (var i = 0; i < copies; i++)
            {
                var isLate = chance.Hit(trouble.Late);
                if (isLate) world.Weather.Count("message late");
                Deliver(to, new Delivery([message], []), isLate ? chance.Between(TimeSpan.Zero, trouble.Delay) : Hop());
            }
        }
    }

    /// <summary>Brings a delivery that no process of ours has sent.</summary>
    public void Inject(string to, Delivery delivery) => Deliver(to, delivery, Hop());

    public void Wipe()
    {
        wipes++;
        OnTheWay = 0;
        foreach (var queue in queues.Values)
        {
            queue.Waiting.Clear();
            queue.Taken.Clear();
        }
    }

    /// <summary>Whoever took these is gone, or out of reach: they come again.</summary>
    public void GiveBack(Node node)
    {
        var queue = queues[node.Service];
        foreach (var (delivery, _) in queue.Taken.Where(taken => taken.By == node).ToList())
        {
            queue.Taken.RemoveAll(taken => ReferenceEquals(taken.Delivery, delivery));
            queue.Put(delivery);
        }
    }

    void Deliver(string to, Delivery delivery, TimeSpan pause)
    {
        var sentBeforeWipe = wipes;
        OnTheWay++;
        world.Pump.After(pause, () =>
        {
            if (sentBeforeWipe != wipes) return;
            OnTheWay--;
            world.Stir();
            queues[to].Put(delivery);
        });
    }

    // However little a batch holds, or however much: both happen.
    List<Delivery> Take(Queue queue, Node node)
    {
        var most = chance.Between(1, queue.Waiting.Count);
        var taken = queue.Waiting.GetRange(0, most);
        queue.Waiting.RemoveRange(0, most);
        foreach (var delivery in taken)
        {
            queue.Taken.Add((delivery, node));
            foreach (var message in delivery.Messages) world.Trace.Tell(message.OrderId, $"{node} takes {Name(message)}");
        }
        return taken;
    }

    TimeSpan Hop() => chance.Between(TimeSpan.Zero, LongestHop);

    static IReadOnlyList<Message> Carry(IReadOnlyList<Message> messages)
    {
        var wire = new ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(wire, messages);
        var (read, unreadable) = CloudEventsBatch.Read(wire.WrittenMemory);
        if (unreadable.Count > 0) throw new InvalidOperationException($"Our own message cannot be read: {unreadable[0].Why}");
        return read;
    }

    public static string Name(Message message) => message.Body switch
    {
        StepAnswered answer => $"{message.Step}{(answer.Undo ? " undo" : "")} {answer.Outcome} {answer.Code}".TrimEnd(),
        var body when message.Attempt > 1 => $"{body.GetType().Name} ({message.Attempt})",
        var body => body.GetType().Name,
    };

    sealed class Queue
    {
        readonly List<TaskCompletionSource> waiters = [];

        public List<Delivery> Waiting { get; } = [];

        public List<(Delivery Delivery, Node By)> Taken { get; } = [];

        public TaskCompletionSource NextArrival()
        {
            var arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Add(arrival);
            return arrival;
        }

        public void Put(Delivery delivery)
        {
            Waiting.Add(delivery);
            foreach (var waiter in waiters) waiter.TrySetResult();
            waiters.Clear();
        }
    }

    sealed class Inbox(Network network, Node node, Queue queue) : IInbox
    {
        public int Backlog => queue.Waiting.Sum(delivery => delivery.Messages.Count);

        public async ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel)
        {
            while (queue.Waiting.Count == 0)
            {
                var arrival = queue.NextArrival();
                using var end = cancel.Register(() => arrival.TrySetCanceled(cancel));
                await arrival.Task;
            }
            node.EnsureAlive();
            return network.Take(queue, node);
        }

        public ValueTask AcknowledgeAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel)
        {
            node.Pass(FaultPoint.BeforeAck);
            foreach (var delivery in deliveries)
                queue.Taken.RemoveAll(taken => ReferenceEquals(taken.Delivery, delivery) && taken.By == node);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            network.GiveBack(node);
            return ValueTask.CompletedTask;
        }
    }
}
