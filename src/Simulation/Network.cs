using System.Buffers;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>
/// The broker and the wires: a queue per service, with a single active instance or shared by the instances, and a queue per
/// instance for replies. Unacknowledged deliveries return to the service's queue when the consumer dies. During faults messages
/// are lost, duplicated, delayed and reordered.
/// </summary>
public sealed class Network(World world, Chance chance)
{
    static readonly TimeSpan LongestHop = TimeSpan.FromMilliseconds(4);

    readonly Dictionary<string, Queue> queues = ServiceNames.All.ToDictionary(name => name, _ => new Queue());
    // The sessions of connected processes, oldest first: the first of a service is the active one.
    readonly List<Session> sessions = [];
    int opened;
    int wipes;

    /// <summary>True when no message is queued, in flight, or being handled.</summary>
    public bool IsEmpty => OnTheWay == 0
        && queues.Values.All(queue => queue.IsEmpty) && sessions.TrueForAll(session => session.Own.IsEmpty);

    public int OnTheWay { get; private set; }

    /// <summary>True when messages travel as JSON, as on a real wire, rather than as objects.</summary>
    public bool ByWire { get; init; }

    /// <summary>True when the instances of a service share its queue, as declared by release 0.1.0.</summary>
    public bool SharesQueues { get; init; }

    public IInbox Open(Node node)
    {
        Connect(node);
        return new Inbox(this, node, queues[node.Service]);
    }

    public void Send(Node node, string to, IReadOnlyList<Message> messages)
    {
        var (from, instance) = (node.Service, messages[0].To);
        messages = Received(messages, SessionOf(node)?.Name);
        var fault = world.Faults.OnLink(from, to);
        if (fault is null)
        {
            Deliver(to, Delivered(from, messages), Hop(), instance);
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
                Deliver(
                    to, Delivered(from, [message]), isLate ? chance.Between(TimeSpan.Zero, fault.Delay) : Hop(), instance);
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
        foreach (var session in sessions) session.Own.Waiting.Clear();
    }

    /// <summary>The instance that receives the service's messages, if any is connected.</summary>
    public Node? ActiveOf(string service) => sessions.Find(session => session.Node.Service == service)?.Node;

    /// <summary>
    /// Ends the connection of a process: deliveries held by the process return to the service's queue, the queue of the instance
    /// is gone with its messages, and another instance becomes active.
    /// </summary>
    public void Disconnect(Node node)
    {
        sessions.RemoveAll(session => session.Node == node);
        var queue = queues[node.Service];
        foreach (var (delivery, _) in queue.Taken.Where(taken => taken.By == node).ToList())
        {
            queue.Taken.RemoveAll(taken => ReferenceEquals(taken.Delivery, delivery));
            // Another delivery: the process may no longer acknowledge this one.
            queue.Waiting.Add(delivery with { });
        }
        queue.Wake();
    }

    /// <summary>
    /// Another instance becomes active, while this process goes on unaware, connected again and last in line: its connection
    /// broke, or it was frozen for longer than the broker waits.
    /// </summary>
    public void TakeOver(Node node)
    {
        if (SessionOf(node) is null) return;
        world.Faults.Count("taken over");
        world.Trace.Record(null, $"the inbox of {node} is taken over");
        Disconnect(node);
        node.WasTakenOver = true;
        Connect(node);
    }

    void Connect(Node node) => sessions.Add(new(node, $"{node.Number}-{++opened}", new Queue()));

    Session? SessionOf(Node node) => sessions.Find(session => session.Node == node);

    void Deliver(string to, Delivery delivery, TimeSpan pause, string? instance = null)
    {
        var sentBeforeWipe = wipes;
        OnTheWay++;
        world.Pump.After(pause, () =>
        {
            if (sentBeforeWipe != wipes) return;
            OnTheWay--;
            world.RecordActivity();
            var own = instance is null ? null : sessions.Find(session => session.Name == instance)?.Own;
            own?.Waiting.Add(delivery);
            if (own is null) queues[to].Waiting.Add(delivery);
            queues[to].Wake();
        });
    }

    // Null where nothing waits for the process. Batches of every size must occur.
    List<Delivery>? Take(Queue queue, Node node)
    {
        var own = SessionOf(node)?.Own.Waiting ?? [];
        var isActive = SharesQueues || ActiveOf(node.Service) == node;
        List<Delivery> waiting = isActive ? [.. own, .. queue.Waiting] : own;
        if (waiting.Count == 0) return null;
        var taken = waiting.GetRange(0, chance.Between(1, waiting.Count));
        foreach (var delivery in taken)
        {
            if (own.RemoveAll(each => ReferenceEquals(each, delivery)) == 0)
                queue.Waiting.RemoveAll(each => ReferenceEquals(each, delivery));
            queue.Taken.Add((delivery, node));
            foreach (var message in delivery.Messages) world.Trace.Record(message.OrderId, $"{node} takes {Name(message)}");
        }
        return taken;
    }

    // The broker names the sender, as if each service had a user of its own.
    static Delivery Delivered(string from, IReadOnlyList<Message> messages) =>
        new(messages, []) { Sender = new Sender(from, from, IsReceiver: false) };

    TimeSpan Hop() => chance.Between(TimeSpan.Zero, LongestHop);

    IReadOnlyList<Message> Received(IReadOnlyList<Message> messages, string? replyTo)
    {
        if (!ByWire) return [.. messages.Select(message => message with { ReplyTo = replyTo, To = null })];
        var wire = new ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(wire, messages);
        var (read, unreadable) = CloudEventsBatch.Read(wire.WrittenMemory, messages[0].Time, replyTo);
        if (unreadable.Count > 0) throw new InvalidOperationException($"Our own message cannot be read: {unreadable[0].Why}");
        return read;
    }

    public static string Name(Message message) => message.Body switch
    {
        StepAnswered answer => $"{message.Step}{(answer.Undo ? " undo" : "")} {answer.Outcome} {answer.Code}".TrimEnd(),
        var body when message.Attempt > 1 => $"{body.GetType().Name} ({message.Attempt})",
        var body => body.GetType().Name,
    };

    sealed record Session(Node Node, string Name, Queue Own);

    sealed class Queue
    {
        readonly List<TaskCompletionSource> waiters = [];

        public List<Delivery> Waiting { get; } = [];

        public List<(Delivery Delivery, Node By)> Taken { get; } = [];

        public bool IsEmpty => Waiting.Count == 0 && Taken.Count == 0;

        public TaskCompletionSource NextArrival()
        {
            var arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Add(arrival);
            return arrival;
        }

        public void Wake()
        {
            foreach (var waiter in waiters) waiter.TrySetResult();
            waiters.Clear();
        }
    }

    sealed class Inbox(Network network, Node node, Queue queue) : IInbox
    {
        public int Backlog => queue.Waiting.Sum(delivery => delivery.Messages.Count);

        public bool IsActive => network.ActiveOf(node.Service) == node;

        public void StepAside() => network.TakeOver(node);

        public async ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel)
        {
            while (true)
            {
                node.EnsureAlive();
                if (network.Take(queue, node) is { } taken) return taken;
                var arrival = queue.NextArrival();
                using var end = cancel.Register(() => arrival.TrySetCanceled(cancel));
                await arrival.Task;
            }
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
            network.Disconnect(node);
            return ValueTask.CompletedTask;
        }
    }
}
