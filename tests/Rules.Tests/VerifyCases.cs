using Orderwright.Verification;

namespace Orderwright.Rules.Tests;

/// <summary>Sound orders of every kind, with the rows of all services, for tests to break.</summary>
static class VerifyCases
{
    public static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset Earlier = Now.AddMinutes(-10);
    public static readonly Guid Id = Guid.Parse("0198c0de-0000-7000-8000-000000000001");
    public const string Lines = """[[1,"MUG",2,500],[2,"MUG",1,500]]""";

    public const string SummedLines = """[[1,"MUG",3,500]]""";

    public static OrderRow Order(string status, string paymentStatus = "paid", int version = 2, long? total = 1999) =>
        new(Id, "alice", "GBP", status, paymentStatus, Lines, 499, total, version, Earlier);

    public static readonly PaymentRow Paid =
        new(Id, "alice", "sandbox", "GBP", 1999, "captured", 1999, 1999, 0, false, Earlier);

    public static readonly ChargeRow Charge = new(Id, "ch_1", "GBP", 1999, 1999, 0, false);

    public static readonly JournalRow Captured = new(Id, "capture", "gateway:sandbox", "orders", "GBP", 1999);
    public static readonly JournalRow Refunded = new(Id, "refund", "orders", "gateway:sandbox", "GBP", 1999);

    public static SagaRow Saga(string state, string? waitingFor = null) =>
        new(Id, state, "authorize-payment", waitingFor, Earlier, null);

    public static ReservationRow Reservation(string state, string lines = SummedLines) =>
        new(Id, state, lines, Earlier, state == "held");

    public static EventRow[] Events(params string[] statuses) =>
        [.. statuses.Select((status, i) => new EventRow(Id, i + 1, "order." + status, status))];

    public static readonly OrderCase Confirmed = new(Id)
    {
        Acknowledged = true,
        Order = Order("confirmed"),
        Events = Events("pending", "confirmed"),
        Saga = Saga("completed"),
        Payment = Paid,
        JournalEntries = [Captured],
        Charges = [Charge],
        Reservation = Reservation("committed"),
    };

    public static readonly OrderCase Rejected = new(Id)
    {
        Acknowledged = true,
        Order = Order("rejected", "pending", total: null),
        Events = Events("pending", "rejected"),
        Saga = Saga("compensated"),
        Reservation = Reservation("refused", "[]"),
    };

    public static readonly OrderCase Cancelled = new(Id)
    {
        Order = Order("cancelled", "refunded", 4),
        Events = Events("pending", "confirmed", "cancel_pending", "cancelled"),
        Saga = Saga("compensated"),
        Payment = Paid with { State = "refunded", Refunded = 1999 },
        JournalEntries = [Captured, Refunded],
        Charges = [Charge with { Refunded = 1999 }],
        Reservation = Reservation("released"),
    };

    public static readonly OrderCase Pending = new(Id)
    {
        Order = Order("pending", "pending", 1, null),
        Events = Events("pending"),
        Saga = Saga("waiting", "the customer"),
        Reservation = Reservation("held"),
    };

    public static string[] Found(OrderCase orderCase) =>
        [.. InvariantRules.Check(orderCase, Now).Select(finding => finding.Invariant).Distinct().Order(StringComparer.Ordinal)];

    public static readonly OrderCase Erased = Confirmed with
    {
        Order = Order("completed") with { CreatedAt = Earlier.AddHours(-2), HasTexts = true },
        CustomerErasedAt = Earlier.AddHours(-1),
    };
}
