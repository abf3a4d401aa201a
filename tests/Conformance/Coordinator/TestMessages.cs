using Orderwright.Contracts;

namespace Orderwright.Conformance.Coordinator;

/// <summary>Messages to the coordinator, one per order.</summary>
static class TestMessages
{
    static readonly OrderPlaced Order = new(
        "17850", "GBP", [new(1, "MUG-01", 2, null)], 0, new("sandbox", "tok_visa"), false);

    public static IReadOnlyList<Guid> NewOrders(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7())];

    public static IReadOnlyList<Message> Placed(IReadOnlyList<Guid> orders, int attempt = 1) =>
        [.. orders.Select(id => MessageOf(id, Order) with { Attempt = attempt })];

    public static IReadOnlyList<Message> Cancelled(IReadOnlyList<Guid> orders) =>
        [.. orders.Select(id => MessageOf(id, new CancelRequested("customer", Order)))];

    public static IReadOnlyList<Message> Reserved(IReadOnlyList<Guid> orders) =>
        [.. orders.Select(id => Answer(
            id, StepNames.ReserveStock, new(false, StepOutcome.Completed, Priced: [new(1, "MUG-01", 2, 300)])))];

    public static IReadOnlyList<Message> Authorized(IReadOnlyList<Guid> orders, long captured = 0) =>
        [.. orders.Select(id => Answer(
            id, StepNames.AuthorizePayment,
            new(false, StepOutcome.Completed, Payment: new(600, captured, 0, false))))];

    public static IReadOnlyList<Message> Committed(IReadOnlyList<Guid> orders) =>
        [.. orders.Select(id => Answer(id, StepNames.CommitStock, new(false, StepOutcome.Completed)))];

    public static IReadOnlyList<Message> Rejected(IReadOnlyList<Guid> orders, string step) =>
        [.. orders.Select(id => Answer(id, step, new(false, StepOutcome.Rejected, "no", "No.")))];

    public static IReadOnlyList<Message> Undone(IReadOnlyList<Guid> orders, string step) =>
        [.. orders.Select(id => Answer(id, step, new(true, StepOutcome.Completed)))];

    public static Message Answer(Guid orderId, string step, StepAnswered answer) =>
        MessageOf(orderId, answer) with { Step = step };

    public static Message MessageOf(Guid orderId, IMessageBody body) => new()
    {
        Id = Guid.CreateVersion7(), Source = "test", OrderId = orderId, Time = default, Body = body,
    };
}
