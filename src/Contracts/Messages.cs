using System.Text.Json.Serialization;

namespace Orderwright.Contracts;

/// <summary>
/// What a message says. Every body is an immutable record that JSON carries without loss; the in-process transport
/// hands the very object over. The wire name and destination of each stand in <see cref="MessageCatalog"/>.
/// </summary>
public interface IMessageBody;

/// <summary>One line of an order. <paramref name="UnitPrice"/> in minor units; null until stock-service fills it in.</summary>
public sealed record OrderLine(int Line, string Sku, int Quantity, long? UnitPrice = null);

/// <summary>How the order is to be paid: a provider's name and, but for <c>balance</c>, its token.</summary>
public sealed record PaymentMethod(string Provider, string? Token = null);

// ---- order-service asks the coordinator (again and again, until the outcome comes) ----

/// <summary>
/// An order was accepted. <paramref name="AdjustmentsMinor"/> is the signed sum of shipping, discounts, taxes and
/// fees. <paramref name="MaySetPrice"/>: the caller's unit prices hold without a look at the catalogue.
/// <paramref name="Capture"/>: one of <see cref="CapturePolicies"/>; null: when it is confirmed.
/// </summary>
public sealed record OrderPlaced(
    string CustomerId,
    string Currency,
    IReadOnlyList<OrderLine> Lines,
    long AdjustmentsMinor,
    PaymentMethod Payment,
    bool MaySetPrice,
    string? Capture = null) : IMessageBody;

/// <summary>
/// Somebody wants the order undone: in flight, or confirmed and not yet fulfilled. Carries the order, so that it
/// also serves when it overtakes <see cref="OrderPlaced"/>: the order then ends without ever having started.
/// </summary>
public sealed record CancelRequested(string Reason, OrderPlaced Order) : IMessageBody;

// ---- the coordinator asks the participants ----

/// <summary>Hold every line or nothing until <paramref name="HoldUntil"/>; verify prices or fill them in.</summary>
public sealed record ReserveStock(
    string Currency, IReadOnlyList<OrderLine> Lines, bool MaySetPrice, DateTimeOffset HoldUntil) : IMessageBody;

/// <summary>Keep an existing hold until <paramref name="HoldUntil"/>. Sent while a saga waits; it needs no answer.</summary>
public sealed record RenewHold(DateTimeOffset HoldUntil) : IMessageBody;

/// <summary>Turn the hold into an allocation; take it again where it had expired and the goods are still there.</summary>
public sealed record CommitStock : IMessageBody;

/// <summary>Undo of reserve-stock and of commit-stock: give back whatever is held or allocated.</summary>
public sealed record ReleaseStock : IMessageBody;

/// <summary>
/// An operator's word on what became of a payment step, told with its command. It ends a doubt, and changes nothing that
/// is known.
/// </summary>
/// <param name="Id">Time-ordered (UUIDv7): the same again, or an older one, is not heard.</param>
/// <param name="Completed">It happened at the gateway; else it did not.</param>
/// <param name="By">Whose word it is.</param>
/// <param name="Reason">In their own words.</param>
/// <param name="Reference">The gateway's id of it.</param>
public sealed record Resolution(Guid Id, bool Completed, string By, string Reason, string? Reference = null);

/// <summary>Secure <paramref name="AmountMinor"/> (0 or more, minor units). Asked again, it answers what it knows.</summary>
public sealed record AuthorizePayment(
    string CustomerId, long AmountMinor, string Currency, PaymentMethod Payment, Resolution? Resolution = null)
    : IMessageBody;

/// <summary>Take the secured money. Forward only: asked until it is done.</summary>
public sealed record CapturePayment(Resolution? Resolution = null) : IMessageBody;

/// <summary>Undo of authorize-payment and capture-payment: void what is held, refund what was taken.</summary>
public sealed record UndoPayment(string Reason, Resolution? Resolution = null) : IMessageBody;

// ---- the participants answer ----

/// <summary>How a step's command went (DESIGN.md, section 3).</summary>
[JsonConverter(typeof(StepOutcomeJson))]
public enum StepOutcome
{
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>A business refusal, with a code. Final.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected,

    /// <summary>Not now; ask again after <see cref="StepAnswered.RetryAfter"/>.</summary>
    [JsonStringEnumMemberName("retry")]
    Retry,

    /// <summary>Somebody outside has to act first: 3-D Secure, a review.</summary>
    [JsonStringEnumMemberName("waiting")]
    Waiting,

    /// <summary>It may have happened; the participant is finding out. Ask again, never undo or repeat by guess.</summary>
    [JsonStringEnumMemberName("indoubt")]
    InDoubt,
}

/// <summary>Outcomes travel by their published names, in lower case; a number is no outcome.</summary>
public sealed class StepOutcomeJson() : JsonStringEnumConverter<StepOutcome>(namingPolicy: null, allowIntegerValues: false);

/// <summary>
/// A participant's answer to a step's command (or, with <paramref name="Undo"/>, to its undo). The envelope's
/// <c>step</c> says which step. The same command gets the same answer, however often it is asked.
/// </summary>
/// <param name="Undo">True when this answers the undo.</param>
/// <param name="Outcome">What happened.</param>
/// <param name="Code">With <c>Rejected</c>, <c>Retry</c> or <c>InDoubt</c>: a code of <see cref="ReasonCodes"/>.</param>
/// <param name="Message">One sentence for people; no personal data.</param>
/// <param name="RetryAfter">With <c>Retry</c>: how long to wait.</param>
/// <param name="Action">With <c>Waiting</c>: what is awaited, such as an address the customer has to open.</param>
/// <param name="Priced">From reserve-stock: the lines with the price that holds.</param>
/// <param name="Payment">From the payment steps: where the payment stands.</param>
public sealed record StepAnswered(
    bool Undo,
    StepOutcome Outcome,
    string? Code = null,
    string? Message = null,
    TimeSpan? RetryAfter = null,
    string? Action = null,
    IReadOnlyList<OrderLine>? Priced = null,
    PaymentTotals? Payment = null) : IMessageBody;

/// <summary>Where a payment stands, in minor units; from it the order's <c>paymentStatus</c> is derived.</summary>
public sealed record PaymentTotals(long AuthorizedMinor, long CapturedMinor, long RefundedMinor, bool Voided)
{
    public static readonly PaymentTotals None = new(0, 0, 0, false);

    /// <summary>Secured, and neither taken nor released.</summary>
    [JsonIgnore]
    public long HeldMinor => Voided ? 0 : AuthorizedMinor - CapturedMinor;

    /// <summary>One of <see cref="PaymentStatuses"/>.</summary>
    public string Status => this switch
    {
        { CapturedMinor: > 0 } p when p.RefundedMinor >= p.CapturedMinor => PaymentStatuses.Refunded,
        { CapturedMinor: > 0, RefundedMinor: > 0 } => PaymentStatuses.PartiallyRefunded,
        { CapturedMinor: > 0 } p when p.CapturedMinor < p.AuthorizedMinor => PaymentStatuses.PartiallyPaid,
        { CapturedMinor: > 0 } => PaymentStatuses.Paid,
        { Voided: true } => PaymentStatuses.Voided,
        { AuthorizedMinor: > 0 } => PaymentStatuses.Authorized,
        _ => PaymentStatuses.Pending,
    };
}

// ---- customer-service tells order-service what came of an act outside the process (again and again, until it is noted) ----

/// <summary>
/// A payment was captured, released or refunded by hand or for what was shipped, and stands as of
/// <paramref name="Version"/>.
/// </summary>
public sealed record PaymentMoved(PaymentTotals Payment, long Version) : IMessageBody;

/// <summary>order-service knows how the payment stood as of <paramref name="Version"/>.</summary>
public sealed record PaymentNoted(long Version) : IMessageBody;

// ---- order-service asks who takes part in a fulfilment (again and again, until they answered) ----

/// <summary>
/// Goods of a confirmed order left the house: they are neither allocated nor on hand any more. Of one order the same
/// <paramref name="Fulfilment"/>, 1 and up, again has no second effect and gets the same answer.
/// </summary>
public sealed record ShipGoods(int Fulfilment, IReadOnlyList<OrderLine> Lines) : IMessageBody;

/// <summary>
/// Nothing more of the order will be shipped: these goods of it are not allocated to it any more. It says which, as a
/// fulfilment may come after it. Answered as fulfilment 0.
/// </summary>
public sealed record ReleaseUnshipped(IReadOnlyList<OrderLine> Lines) : IMessageBody;

/// <summary>The stock knows of the fulfilment.</summary>
public sealed record GoodsShipped(int Fulfilment) : IMessageBody
{
    /// <summary>The number under which <see cref="ReleaseUnshipped"/> is answered.</summary>
    public const int Rest = 0;
}

/// <summary>
/// Of what is held for the order, <paramref name="DueMinor"/> in all are to be taken: what has been shipped of it is worth so
/// much. With <paramref name="Close"/> nothing more will be: the rest is released. Answered by <see cref="PaymentMoved"/>
/// once it is so; asked again it has no second effect, as it says a sum and no step.
/// </summary>
public sealed record TakeShipped(long DueMinor, bool Close) : IMessageBody;

// ---- the coordinator tells order-service what is awaited (again when asked) ----

/// <summary>The customer has to act first: at <paramref name="Action"/>, if it is said, and before it is given up.</summary>
public sealed record OrderWaiting(DateTimeOffset Until, string? Action = null) : IMessageBody;

// ---- the coordinator tells order-service how it ended (and tells it again when asked again) ----

/// <summary>What one step of the process went through, for the order's timeline.</summary>
/// <param name="Step">One of <see cref="StepNames"/>.</param>
/// <param name="Undo">True for the undo of the step.</param>
/// <param name="Outcome"><c>completed</c>, <c>rejected</c>, <c>waiting</c>, <c>indoubt</c>, <c>timed_out</c> …</param>
/// <param name="SentAt">When it was first asked.</param>
/// <param name="Attempts">How often it was asked, 1 or more.</param>
/// <param name="Code">The refusal's code, if any.</param>
/// <param name="AnsweredAt">When the answer that counted came.</param>
public sealed record StepStamp(
    string Step,
    bool Undo,
    string Outcome,
    DateTimeOffset SentAt,
    int Attempts,
    string? Code = null,
    DateTimeOffset? AnsweredAt = null);

/// <summary>The money is secured and the goods are allocated. Told again when the capture is through.</summary>
public sealed record OrderConfirmed(
    IReadOnlyList<OrderLine> Lines, long TotalMinor, PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;

/// <summary>The process said no, and everything done before is undone.</summary>
public sealed record OrderRejected(
    string Code, string Message, string Step, PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;

/// <summary>The order was cancelled on request, and everything is undone.</summary>
public sealed record OrderCancelled(PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;

/// <summary>Time ran out (an unanswered step, an action nobody took), and everything is undone.</summary>
public sealed record OrderExpired(
    string Code, string Message, string Step, PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;
