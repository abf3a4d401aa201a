namespace Orderwright.SagaCoordinator;

/// <summary>What became of a saga that a bulk action found.</summary>
public enum BulkOutcome : byte
{
    /// <summary>Nothing yet: its turn has not come, or never came.</summary>
    NotYet,

    /// <summary>Acted on; how it goes is not known yet.</summary>
    Acted,
    WentOn,
    StuckAgain,

    /// <summary>Acted on, and still where it was when nobody waited any longer.</summary>
    Undecided,

    /// <summary>It had moved on before it was acted on.</summary>
    Refused,
}

/// <summary>
/// The sagas that one bulk action found, and what became of each: 17 bytes a saga. Read while it goes on.
/// </summary>
/// <param name="ids">Newest first: descending.</param>
public sealed class BulkOrders(IReadOnlyList<Guid> ids)
{
    public static readonly BulkOrders None = new([]);

    /// <summary>As a list is asked for them; <c>acted</c> is all that were acted on, whatever became of them.</summary>
    public static readonly IReadOnlyList<string> Names = ["not_yet", "acted", "went_on", "stuck_again", "undecided", "refused"];

    static readonly Comparer<Guid> NewestFirst = Comparer<Guid>.Create((one, other) => other.CompareTo(one));

    readonly Guid[] ids = [.. ids];
    readonly BulkOutcome[] outcomes = new BulkOutcome[ids.Count];

    public static string NameOf(BulkOutcome outcome) => Names[(int)outcome];

    public void Set(Guid id, BulkOutcome outcome) => outcomes[Array.BinarySearch(ids, id, NewestFirst)] = outcome;

    /// <summary>Nobody waits for these any longer.</summary>
    public void Close(IEnumerable<Guid> acted)
    {
        foreach (var id in acted)
        {
            ref var outcome = ref outcomes[Array.BinarySearch(ids, id, NewestFirst)];
            if (outcome == BulkOutcome.Acted) outcome = BulkOutcome.Undecided;
        }
    }

    /// <summary>Newest first.</summary>
    /// <param name="name">One of <see cref="Names"/>; null for all.</param>
    /// <param name="before">Where the page before ended; null at the start.</param>
    /// <param name="most">At most so many.</param>
    public IReadOnlyList<(Guid Id, BulkOutcome Outcome)> Page(string? name, Guid? before, int most)
    {
        var at = before is { } last ? Array.BinarySearch(ids, last, NewestFirst) : ~0;
        var from = at >= 0 ? at + 1 : ~at;
        return
        [
            .. Enumerable.Range(from, ids.Length - from)
                .Select(index => (Id: ids[index], Outcome: outcomes[index]))
                .Where(one => name is null || Is(one.Outcome, name)).Take(most),
        ];
    }

    static bool Is(BulkOutcome outcome, string name) => name == NameOf(BulkOutcome.Acted)
        ? outcome is not (BulkOutcome.NotYet or BulkOutcome.Refused)
        : name == NameOf(outcome);
}
