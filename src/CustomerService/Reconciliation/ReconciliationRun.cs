namespace Orderwright.CustomerService.Reconciliation;

/// <summary>Comparison of our record with a gateway's, including its progress.</summary>
/// <param name="Id">UUIDv7; runs are listed by id.</param>
/// <param name="Provider">Provider of the gateway.</param>
/// <param name="From">Inclusive start of the creation times to compare, by the gateway's clock.</param>
/// <param name="To">Exclusive end of the creation times to compare.</param>
/// <param name="RequestedBy">Name of the operator; null for the schedule.</param>
/// <param name="State">One of <see cref="ReconciliationStates"/>.</param>
/// <param name="NextPage">Cursor of the next page; null before the first.</param>
/// <param name="ComparedThrough">Last order compared.</param>
/// <param name="Counts">Counts so far.</param>
/// <param name="Failures">Consecutive failures to read a page.</param>
/// <param name="Message">Reason of a failure or a delay.</param>
/// <param name="StartedAt">Time of the request.</param>
/// <param name="ListedAt">Time of the first request for the list.</param>
/// <param name="FinishedAt">Null until finished.</param>
public sealed record ReconciliationRun(
    Guid Id, string Provider, DateTimeOffset From, DateTimeOffset To, string? RequestedBy, string State, string? NextPage,
    Guid? ComparedThrough, ReconciliationCounts Counts, int Failures, string? Message, DateTimeOffset StartedAt,
    DateTimeOffset? ListedAt, DateTimeOffset? FinishedAt);

/// <summary>Counts of a run.</summary>
/// <param name="Listed">Charges in the gateway's list.</param>
/// <param name="Unrelated">Listed charges without one of our order ids.</param>
/// <param name="Compared">Orders compared.</param>
/// <param name="InProgress">Compared orders whose payment was still moving.</param>
/// <param name="Differences">Differences found.</param>
public readonly record struct ReconciliationCounts(
    long Listed, long Unrelated, long Compared, long InProgress, long Differences)
{
    public static ReconciliationCounts operator +(ReconciliationCounts left, ReconciliationCounts right) => new(
        left.Listed + right.Listed, left.Unrelated + right.Unrelated, left.Compared + right.Compared,
        left.InProgress + right.InProgress, left.Differences + right.Differences);
}

/// <summary>Amounts of a charge in the record of one side. Minor units.</summary>
public readonly record struct ChargeTotals(long Held, long Captured, long Refunded);

/// <summary>Difference between both records of an order, with a repair.</summary>
/// <param name="Kind">One of <see cref="DifferenceKinds"/>.</param>
/// <param name="OrderId">Order of the payment or charge.</param>
/// <param name="Reference">The gateway's id of the charge, if known.</param>
/// <param name="Currency">Currency of our payment, or of the charge when we have no payment.</param>
/// <param name="Ours">Amounts in our record.</param>
/// <param name="Theirs">Amounts in the gateway's record; for <see cref="DifferenceKinds.Journal"/>, in our journal.</param>
/// <param name="Message">Description with the differing values.</param>
/// <param name="Repair">Recommended action, with the exact request.</param>
public sealed record Difference(
    string Kind, Guid OrderId, string? Reference, string Currency, ChargeTotals Ours, ChargeTotals Theirs,
    string Message, string Repair);
