namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Outcome of a bulk action for one saga.</summary>
public enum BulkOutcome : byte
{
    /// <summary>Not acted on yet, or never.</summary>
    NotYet,

    /// <summary>Acted on; the effect is unknown so far.</summary>
    Acted,
    WentOn,
    StuckAgain,

    /// <summary>Acted on, without an effect within the time allowed.</summary>
    Undecided,

    /// <summary>The saga had advanced before the action.</summary>
    Refused,
}

/// <summary>
/// Sagas that a bulk action found, with their outcomes: 17 bytes per saga. Readable while the action runs.
/// </summary>
/// <param name="ids">Newest first: descending.</param>
public sealed class BulkOrders(IReadOnlyList<Guid> ids)
{
    public static readonly BulkOrders None = new([]);

    /// <summary>Names of the outcomes as filters of a list. <c>acted</c> covers all sagas acted on.</summary>
    public static readonly IReadOnlyList<string> Names = ["not_yet", "acted", "went_on", "stuck_again", "undecided", "refused"];

    static readonly Comparer<Guid> NewestFirst = Comparer<Guid>.Create((left, right) => right.CompareTo(left));

    readonly Guid[] ids = [.. ids];
    readonly BulkOutcome[] outcomes = new BulkOutcome[ids.Count];

    public static string NameOf(BulkOutcome outcome) => Names[(int)outcome];

    public void Set(Guid id, BulkOutcome outcome) => outcomes[Array.BinarySearch(ids, id, NewestFirst)] = outcome;

    /// <summary>Ends the wait for these sagas.</summary>
    public void Close(IEnumerable<Guid> acted)
    {
        foreach (var id in acted)
        {
            ref var outcome = ref outcomes[Array.BinarySearch(ids, id, NewestFirst)];
            if (outcome == BulkOutcome.Acted) outcome = BulkOutcome.Undecided;
        }
    }

    /// <summary>Page of the sagas, newest first.</summary>
    /// <param name="name">An element of <see cref="Names"/>; null for all.</param>
    /// <param name="before">Last saga of the previous page; null at the start.</param>
    /// <param name="most">Maximum length of the page.</param>
    public IReadOnlyList<(Guid Id, BulkOutcome Outcome)> Page(string? name, Guid? before, int most)
    {
        var at = before is { } last ? Array.BinarySearch(ids, last, NewestFirst) : ~0;
        var from = at >= 0 ? at + 1 : ~at;
        return
        [
            .. Enumerable.Range(from, ids.Length - from)
                .Select(index => (Id: ids[index], Outcome: outcomes[index]))
                .Where(order => name is null || Is(order.Outcome, name)).Take(most),
        ];
    }

    static bool Is(BulkOutcome outcome, string name) => name == NameOf(BulkOutcome.Acted)
        ? outcome is not (BulkOutcome.NotYet or BulkOutcome.Refused)
        : name == NameOf(outcome);
}
