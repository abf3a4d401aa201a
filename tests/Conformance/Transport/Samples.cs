using Orderwright.Contracts;

namespace Orderwright.Conformance.Transport;

/// <summary>A message of every type, with a non-default value in every field.</summary>
static class Samples
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, 123, TimeSpan.Zero);

    static readonly IReadOnlyList<OrderLine> Lines =
    [
        new(1, "85123A", 6, 255),
        new(2, "Ümlaut \"quoted\" <&> \u2028 \ud83d\ude80", 1, long.MaxValue),
        new(3, "POST", 2, 0),
        new(4, "M", 1),
    ];

    static readonly OrderPlaced Placed =
        new("17850", "GBP", Lines, -499, new PaymentMethod("sandbox", "tok_visa"), MaySetPrice: true, Channel: "acme",
            Reference: "R-1");

    static readonly PaymentTotals Payment = new(1530, 1000, 200, Voided: true);

    static readonly IReadOnlyList<StepStamp> Steps =
    [
        new(StepNames.ReserveStock, Undo: true, "rejected", Now, 3, ReasonCodes.OutOfStock, Now.AddMilliseconds(7)),
        new(StepNames.CommitStock, Undo: false, "waiting", Now, 1),
    ];

    static readonly IMessageBody[] Bodies =
    [
        Placed,
        new CancelRequested("customer", Placed),
        new StepAnswered(
            Undo: true, StepOutcome.Retry, ReasonCodes.TimedOut, "One sentence.", TimeSpan.FromMilliseconds(1500),
            "https://bank.example/3ds?a=b&c=d", Lines, Payment),
        new StepAnswered(Undo: true, StepOutcome.InDoubt),
        new ReserveStock("GBP", Lines, MaySetPrice: true),
        new CommitStock("GBP", [new(1, "MUG-01", 2, 895)]),
        new AskSaga(),
        new RecallOrder(),
        new OrderRecalled(),
        new CommitStock(),
        new ReleaseStock(),
        new DatabaseMark(ServiceNames.Stock, 7, 41, Asks: true),
        new AuthorizePayment("17850", 1530, "GBP", new PaymentMethod("balance", null)),
        new CapturePayment(),
        new UndoPayment("out_of_stock"),
        new PaymentMoved(Payment, 7),
        new PaymentNoted(7),
        new ShipGoods(2, Lines),
        new ReleaseUnshipped(Lines),
        new ConsumeUnshipped(Lines),
        new GoodsShipped(2),
        new TakeShipped(1530, Close: true),
        new FulfilmentRefused(ReasonCodes.NotAllocated, "No goods are allocated.", 2),
        new AskOrder(),
        new OrderTold(OrderStatuses.Confirmed, new PaymentTerms("17850", "GBP", new PaymentMethod("sandbox", "tok_visa"), 1530)),
        new EraseCustomer("17850", ErasureStages.Ask),
        new CustomerErased("17850", ErasureStages.Ask, 2, 5, Guid.CreateVersion7(Now)),
        new EraseNotes("17850", ["Ada", "Lovelace"]),
        new NotesErased("17850"),
        new OrderWaiting(Now.AddMinutes(15), "https://bank.example/3ds?a=b&c=d"),
        new OrderConfirmed(Lines, 1530, Payment, Steps),
        new OrderRejected(ReasonCodes.OutOfStock, "85123A is short.", StepNames.ReserveStock, Payment, Steps),
        new OrderCancelled(Payment, Steps),
        new OrderExpired(ReasonCodes.TimedOut, "No answer.", StepNames.AuthorizePayment, Payment, Steps),
    ];

    public static IReadOnlyList<Message> OfEveryType() =>
        [.. Bodies.Select(body => Of(body) with
        {
            Step = StepNames.CommitStock,
            Attempt = 3,
            Deadline = Now.AddSeconds(30),
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        })];

    public static IReadOnlyList<Message> Many(int count) => [.. Enumerable.Range(0, count).Select(_ => One())];

    /// <summary>Message with required fields only.</summary>
    public static Message One() => Of(new CommitStock());

    public static Message Of(IMessageBody body) => new()
    {
        Id = Guid.CreateVersion7(Now),
        Source = ServiceNames.Stock,
        OrderId = Guid.CreateVersion7(Now),
        Time = Now,
        Body = body,
    };
}
