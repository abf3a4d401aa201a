namespace Orderwright.CustomerService.Reconciliation;

/// <summary>Values of a run's <c>state</c>.</summary>
public static class ReconciliationStates
{
    public const string Waiting = "waiting";

    /// <summary>The gateway's list is being read.</summary>
    public const string Listing = "listing";

    /// <summary>It is all here, and is compared with our record.</summary>
    public const string Comparing = "comparing";
    public const string Agrees = "agrees";
    public const string Differs = "differs";

    /// <summary>The gateway's list could not be read.</summary>
    public const string Failed = "failed";

    public static readonly IReadOnlyList<string> All = [Waiting, Listing, Comparing, Agrees, Differs, Failed];

    public static bool IsOver(string state) => state is Agrees or Differs or Failed;
}

/// <summary>One comparison of our record with a gateway's, and how far it is.</summary>
/// <param name="Id">UUIDv7: the order of the list.</param>
/// <param name="Provider">Whose list.</param>
/// <param name="From">Charges made from here on …</param>
/// <param name="To">… and before this, by the gateway's clock.</param>
/// <param name="RequestedBy">The operator; null for the schedule.</param>
/// <param name="State">One of <see cref="ReconciliationStates"/>.</param>
/// <param name="NextPage">Where the list goes on; null at its start.</param>
/// <param name="ComparedThrough">The last order that was compared.</param>
/// <param name="Counts">What was seen so far.</param>
/// <param name="Failures">Pages in a row that could not be read.</param>
/// <param name="Message">Why it failed, or waits.</param>
/// <param name="StartedAt">When it was asked for.</param>
/// <param name="ListedAt">When its list was begun.</param>
/// <param name="FinishedAt">Null until it is over.</param>
public sealed record ReconciliationRun(
    Guid Id, string Provider, DateTimeOffset From, DateTimeOffset To, string? RequestedBy, string State, string? NextPage,
    Guid? ComparedThrough, ReconciliationCounts Counts, int Failures, string? Message, DateTimeOffset StartedAt,
    DateTimeOffset? ListedAt, DateTimeOffset? FinishedAt);

/// <param name="Listed">Charges in the gateway's list.</param>
/// <param name="Unrelated">Of these, made by somebody else.</param>
/// <param name="Compared">Orders that were compared.</param>
/// <param name="UnderWay">Of these, still moving: not judged.</param>
/// <param name="Differences">What was found.</param>
public readonly record struct ReconciliationCounts(
    long Listed, long Unrelated, long Compared, long UnderWay, long Differences)
{
    public static ReconciliationCounts operator +(ReconciliationCounts one, ReconciliationCounts other) => new(
        one.Listed + other.Listed, one.Unrelated + other.Unrelated, one.Compared + other.Compared,
        one.UnderWay + other.UnderWay, one.Differences + other.Differences);
}

/// <summary>Values of a difference's <c>kind</c>.</summary>
public static class DifferenceKinds
{
    /// <summary>The gateway has a charge that no payment here knows of.</summary>
    public const string MissingHere = "missing_here";

    /// <summary>A payment here names a charge that the gateway does not list.</summary>
    public const string MissingThere = "missing_there";

    /// <summary>Other amounts were taken or given back, or in another currency.</summary>
    public const string Amount = "amount";

    /// <summary>The same was taken, but one side still holds what the other let go.</summary>
    public const string State = "state";

    /// <summary>An operator has said that money went back, or was let go, and the gateway's list knows nothing of it.</summary>
    public const string ByHand = "by_hand";

    /// <summary>Our own journal tells the payment otherwise.</summary>
    public const string Journal = "journal";

    public static readonly IReadOnlyList<string> All = [MissingHere, MissingThere, Amount, State, ByHand, Journal];
}

/// <summary>Where the money of a charge is, by one side's record. Minor units.</summary>
public readonly record struct ChargeTotals(long Held, long Captured, long Refunded);

/// <summary>What does not agree about one order, and what to do about it.</summary>
/// <param name="Kind">One of <see cref="DifferenceKinds"/>.</param>
/// <param name="OrderId">Whose payment it is, or would be.</param>
/// <param name="Reference">The gateway's charge, where there is one.</param>
/// <param name="Currency">Of ours, or of theirs where there is none of ours.</param>
/// <param name="Ours">By our record.</param>
/// <param name="Theirs">By the gateway's; for <see cref="DifferenceKinds.Journal"/>, by our journal.</param>
/// <param name="Message">One sentence with the values in it.</param>
/// <param name="Repair">A sentence, and the call that does it.</param>
public sealed record Difference(
    string Kind, Guid OrderId, string? Reference, string Currency, ChargeTotals Ours, ChargeTotals Theirs,
    string Message, string Repair);
