using System.Runtime.InteropServices;
using Orderwright.Contracts;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The sagas of one batch of messages. Each saga is decided on as this instance remembers it, as a new one, or as its locked
/// row, and takes its messages in order of arrival. A decision that could not be saved is dropped and made again on the row.
/// </summary>
public sealed class SagaBatch
{
    readonly DateTimeOffset now;
    readonly Dictionary<Guid, Entry> entries = [];

    public SagaBatch(IReadOnlyList<Message> messages, SagaMemory memory, DateTimeOffset now)
    {
        this.now = now;
        foreach (var message in messages)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(entries, message.OrderId, out _);
            entry ??= new Entry([]);
            entry.Messages.Add(message);
        }
        foreach (var (orderId, entry) in entries) Recall(entry, memory.Find(orderId));
    }

    /// <summary>Sagas that changed and are decided on as remembered. Their update may find another version.</summary>
    public IReadOnlyList<SagaProgress> Remembered => [.. Decided(Basis.Memory)];

    /// <summary>Sagas that are decided on as new. Their insert may find a row.</summary>
    public IReadOnlyList<SagaProgress> New => [.. Decided(Basis.New)];

    /// <summary>Sagas that are decided on as their locked rows.</summary>
    public IReadOnlyList<SagaProgress> Locked => [.. Decided(Basis.Row)];

    /// <summary>Orders whose saga has to be locked and loaded.</summary>
    public IReadOnlyList<Guid> ToLock =>
        [.. entries.Where(pair => pair.Value is { Basis: Basis.Row, Progress: null }).Select(pair => pair.Key)];

    /// <summary>All sagas that are decided on, in the order of their first messages.</summary>
    public IReadOnlyList<SagaProgress> All => [.. entries.Values.Select(entry => entry.Progress).OfType<SagaProgress>()];

    /// <summary>Number of orders without a saga. Their messages are dropped.</summary>
    public int Unknown => entries.Values.Count(entry => entry.Progress is null);

    /// <summary>Drops the decisions on these sagas that were not saved, so that their rows are locked next.</summary>
    public void Confirm(IReadOnlyList<SagaProgress> sagas, HashSet<Guid> saved)
    {
        foreach (var saga in sagas)
            if (!saved.Contains(saga.OrderId))
                entries[saga.OrderId] = new Entry(entries[saga.OrderId].Messages) { Basis = Basis.Row, HasRow = true };
    }

    /// <summary>Decides on the rows that were to be locked; a saga without a row is new.</summary>
    public void Decide(IReadOnlyDictionary<Guid, SagaRecord> rows)
    {
        foreach (var orderId in ToLock)
            if (rows.TryGetValue(orderId, out var row)) entries[orderId].Progress = Take(row, entries[orderId].Messages);
            else if (!entries[orderId].HasRow) Begin(entries[orderId]);
    }

    // A message that changes nothing in memory may change the row, which another instance may have advanced since.
    void Recall(Entry entry, SagaRecord? remembered)
    {
        if (remembered is not null)
        {
            var saga = Take(remembered, entry.Messages);
            (entry.Basis, entry.Progress) = saga.Changed ? (Basis.Memory, saga) : (Basis.Row, null);
        }
        else if (entry.Messages[0] is { Body: OrderPlaced, Attempt: 1 })
            Begin(entry);
        else
            entry.Basis = Basis.Row;
    }

    // Replies that arrive before the order are dropped.
    void Begin(Entry entry)
    {
        entry.Basis = Basis.New;
        var start = entry.Messages.FindIndex(message => message.Body is OrderPlaced or CancelRequested);
        if (start < 0) return;
        entry.Progress = SagaProgress.Begin(entry.Messages[start], now)!;
        foreach (var message in entry.Messages.Skip(start)) entry.Progress.Take(message);
    }

    SagaProgress Take(SagaRecord record, List<Message> messages)
    {
        var saga = SagaProgress.Of(record, now);
        foreach (var message in messages) saga.Take(message);
        return saga;
    }

    IEnumerable<SagaProgress> Decided(Basis basis) =>
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
