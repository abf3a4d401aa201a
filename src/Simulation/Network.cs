using System.Buffers;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>
/// The broker and the wires: a queue per service, shared by the instances. Unacknowledged deliveries return to the queue
/// when the consumer dies. During faults messages are lost, duplicated, delayed and reordered.
/// </summary>
public sealed class Network(World world, Chance chance)
{
    static readonly TimeSpan LongestHop = TimeSpan.FromMilliseconds(4);

    readonly Dictionary<string, Queue> queues = ServiceNames.All.ToDictionary(name => name, _ => new Queue());
    int wipes;

    /// <summary>True when no message is queued, in flight, or being handled.</summary>
    public bool IsEmpty => OnTheWay == 0 && queues.Values.All(queue => queue.Waiting.Count == 0 && queue.Taken.Count == 0);

    public int OnTheWay { get; private set; }

    /// <summary>True when messages travel as JSON, as on a real wire, rather than as objects.</summary>
    public bool ByWire { get; init; }

    public IInbox Open(Node node) => new Inbox(this, node, queues[node.Service]);

    public void Send(string from, string to, IReadOnlyList<Message> messages)
    {
        if (ByWire) messages = RoundTrip(messages);
        var fault = world.Faults.OnLink(from, to);
        if (fault is null)
        {
            Deliver(to, Delivered(from, messages), Hop());
            return;
        }
        // During faults each message has its own fate: messages sent together may arrive one by one and in any order.
        foreach (var message in messages)
        {
            if (chance.Hit(fault.Loss))
            {
                world.Faults.Count("message lost");
                world.Trace.Record(message.OrderId, $"{from} ⇢ {to}: {Name(message)} is lost");
                continue;
            }
            var copies = chance.Hit(fault.Twice) ? chance.Between(2, 3) : 1;
            if (copies > 1) world.Faults.Count("message duplicated");
            for (var i = 0; i < copies; i++)
            {
                var isLate = chance.Hit(fault.Late);
                if (isLate) world.Faults.Count("message late");
                Deliver(to, Delivered(from, [message]), isLate ? chance.Between(TimeSpan.Zero, fault.Delay) : Hop());
            }
        }
    }

    /// <summary>Delivers a message from outside the simulated processes.</summary>
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

    /// <summary>Returns the deliveries held by a dead or unreachable process to its queue.</summary>
    public void Redeliver(Node node)
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
            world.RecordActivity();
            queues[to].Put(delivery);
        });
    }

    // Batches of every size must occur.
    List<Delivery> Take(Queue queue, Node node)
    {
        var most = chance.Between(1, queue.Waiting.Count);
        var taken = queue.Waiting.GetRange(0, most);
        queue.Waiting.RemoveRange(0, most);
        foreach (var delivery in taken)
        {
            queue.Taken.Add((delivery, node));
            foreach (var message in delivery.Messages) world.Trace.Record(message.OrderId, $"{node} takes {Name(message)}");
        }
        return taken;
    }

    // The broker names the sender, as if each service had a user of its own.
    static Delivery Delivered(string from, IReadOnlyList<Message> messages) =>
        new(messages, []) { Sender = new Sender(from, from, IsReceiver: false) };

    TimeSpan Hop() => chance.Between(TimeSpan.Zero, LongestHop);

    static IReadOnlyList<Message> RoundTrip(IReadOnlyList<Message> messages)
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
            node.Reach(FaultPoint.BeforeAck);
            foreach (var delivery in deliveries)
                queue.Taken.RemoveAll(taken => ReferenceEquals(taken.Delivery, delivery) && taken.By == node);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            network.Redeliver(node);
            return ValueTask.CompletedTask;
        }
    }
}
