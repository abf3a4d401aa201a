using System.Runtime.InteropServices;
using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Sagas of a batch of messages. Each saga is decided on as this instance remembers the saga, as a new saga, or as the
/// locked row. A decision that could not be saved is dropped and made again on the row.
/// </summary>
public sealed class SagaBatch
{
    readonly Dictionary<Guid, Entry> entries = [];
    readonly SagaDefinition current;
    readonly DateTimeOffset now;

    public SagaBatch(IReadOnlyList<Message> messages, SagaMemory memory, SagaDefinition current, DateTimeOffset now)
    {
        (this.current, this.now) = (current, now);
        foreach (var message in messages)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(entries, message.OrderId, out _);
            entry ??= new Entry([]);
            entry.Messages.Add(message);
        }
        foreach (var (orderId, entry) in entries) Recall(entry, memory.Find(orderId));
    }

    /// <summary>Sagas that changed, decided on as remembered. The update may find another version.</summary>
    public IReadOnlyList<SagaProgress> Remembered => [.. DecidedOn(Basis.Memory)];

    /// <summary>Sagas decided on as new. The insert may find a row.</summary>
    public IReadOnlyList<SagaProgress> New => [.. DecidedOn(Basis.New)];

    /// <summary>Sagas decided on as their locked rows.</summary>
    public IReadOnlyList<SagaProgress> Locked => [.. DecidedOn(Basis.Row)];

    /// <summary>All sagas decided on so far.</summary>
    public IReadOnlyList<SagaProgress> All => [.. entries.Values.Select(entry => entry.Progress).OfType<SagaProgress>()];

    /// <summary>Orders with a row to lock and load next.</summary>
    public IReadOnlyList<Guid> ToLock =>
        [.. entries.Where(pair => pair.Value is { Basis: Basis.Row, Progress: null }).Select(pair => pair.Key)];

    /// <summary>Number of orders without a saga, whose replies are dropped.</summary>
    public int Unknown =>
        entries.Values.Count(entry => entry.Progress is null && entry.Messages.Exists(message => message.Body is StepAnswered));

    /// <summary>
    /// Messages about goods that stock-service holds for an order without a saga: order-service is asked for the order, and the
    /// goods of an order that does not exist are released.
    /// </summary>
    public IEnumerable<(Guid OrderId, OutgoingMessage Message)> AboutUnknown =>
        from entry in entries
        where entry.Value.Progress is null
        from body in entry.Value.Messages.Select(message => message.Body)
            .Where(body => body is AskSaga or OrderRecalled).TakeLast(1)
        select (entry.Key, body is AskSaga
            ? new OutgoingMessage(new RecallOrder())
            : new OutgoingMessage(new ReleaseStock(), StepNames.ReserveStock));

    /// <summary>Drops unsaved decisions: the rows of the sagas concerned are locked next.</summary>
    public void Confirm(HashSet<Guid> saved, IReadOnlyList<SagaProgress> sagas)
    {
        foreach (var saga in sagas)
            if (!saved.Contains(saga.OrderId))
                entries[saga.OrderId] = new Entry(entries[saga.OrderId].Messages) { Basis = Basis.Row, HasRow = true };
    }

    /// <summary>Decides on the locked rows. A saga without a row is new.</summary>
    public void Decide(IReadOnlyDictionary<Guid, SagaRecord> rows)
    {
        foreach (var orderId in ToLock)
        {
            var entry = entries[orderId];
            if (rows.TryGetValue(orderId, out var row)) entry.Progress = SagaProgress.Of(row, entry.Messages, now);
            else if (!entry.HasRow) Begin(entry);
        }
    }

    // Messages that change nothing in memory may change the row, if another instance has advanced the saga since.
    void Recall(Entry entry, SagaRecord? remembered)
    {
        if (remembered is not null)
        {
            var saga = SagaProgress.Of(remembered, entry.Messages, now);
            (entry.Basis, entry.Progress) = saga.Changed ? (Basis.Memory, saga) : (Basis.Row, null);
        }
        else if (entry.Messages[0] is { Body: OrderPlaced, Attempt: 1 })
            Begin(entry);
        else
            entry.Basis = Basis.Row;
    }

    void Begin(Entry entry) => (entry.Basis, entry.Progress) = (Basis.New, SagaProgress.Begin(entry.Messages, current, now));

    IEnumerable<SagaProgress> DecidedOn(Basis basis) =>
        entries.Values.Where(entry => entry.Basis == basis).Select(entry => entry.Progress).OfType<SagaProgress>();

    enum Basis
    {
        Memory,
        New,
        Row,
    }

    sealed class Entry(List<Message> messages)
    {
        public List<Message> Messages => messages;

        // The row refused an insert or an update.
        public bool HasRow { get; init; }

        public Basis Basis { get; set; }

        public SagaProgress? Progress { get; set; }
    }
}
