namespace Orderwright.CustomerService.Reconciliation;

/// <summary>
/// Body of <c>POST /reconciliations</c>: charges made from <paramref name="From"/> until before <paramref name="To"/>; by
/// default what the schedule looks at.
/// </summary>
public sealed record ReconciliationBody(string Provider, DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>A payment gateway that orders can be paid through; <paramref name="HasList"/>: it can be reconciled with.</summary>
public sealed record ProviderView(string Name, bool HasList);

/// <summary>
/// One comparison. <paramref name="State"/>: <c>waiting, listing, comparing</c>, then <c>agrees, differs</c> or
/// <c>failed</c>. <paramref name="Listed"/> charges of the gateway, <paramref name="Unrelated"/> of them not made by us;
/// <paramref name="Compared"/> orders, <paramref name="UnderWay"/> of them still moving, which is no difference.
/// <paramref name="AskedBy"/> is null for the schedule.
/// </summary>
public sealed record ReconciliationView(
    Guid Id, string Provider, DateTimeOffset From, DateTimeOffset To, string State, string? AskedBy, long Listed,
    long Unrelated, long Compared, long UnderWay, long Differences, string? Message, DateTimeOffset StartedAt,
    DateTimeOffset? FinishedAt)
{
    public static ReconciliationView Of(ReconciliationRun run) => new(
        run.Id, run.Provider, run.From, run.To, run.State, run.AskedBy, run.Counts.Listed, run.Counts.Unrelated,
        run.Counts.Compared, run.Counts.UnderWay, run.Counts.Differences, run.Message, run.StartedAt, run.FinishedAt);
}

/// <summary>Where an order's money is by one side; minor units.</summary>
public sealed record PositionView(long Held, long Captured, long Refunded)
{
    public static PositionView Of(MoneyPosition money) => new(money.Held, money.Captured, money.Refunded);
}

/// <summary>
/// What does not agree: <paramref name="Message"/> says what, <paramref name="Repair"/> what to do, with the exact call.
/// <paramref name="Theirs"/> of a <c>journal</c> difference is what our journal says.
/// </summary>
public sealed record DifferenceView(
    long Number, string Kind, Guid OrderId, string? Reference, string Currency, PositionView Ours, PositionView Theirs,
    string Message, string Repair)
{
    public static DifferenceView Of(StoredDifference one) => new(
        one.N, one.Difference.Kind, one.Difference.OrderId, one.Difference.Reference, one.Difference.Currency,
        PositionView.Of(one.Difference.Ours), PositionView.Of(one.Difference.Theirs), one.Difference.Message,
        one.Difference.Repair);
}
