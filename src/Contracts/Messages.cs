using System.Text.Json.Serialization;
using Orderwright.Contracts.Json;

namespace Orderwright.Contracts;

/// <summary>
/// Body of a message. Every body is an immutable record that JSON represents without loss; the in-process transport passes
/// the object itself. <see cref="MessageCatalog"/> lists the wire name and destination of each.
/// </summary>
public interface IMessageBody;

/// <summary>Body of a message that several services receive; names its receiver.</summary>
public interface IAddressedBody : IMessageBody
{
    /// <summary>Receiving service, one of <see cref="ServiceNames"/>.</summary>
    string To { get; }
}

/// <summary>
/// Mark of the sender's database, raised as the database changes. The receiver keeps the highest mark, so a database that was
/// restored to an earlier moment meets a mark of its own that it has not reached (docs/adr/0033). The subject is the nil UUID.
/// </summary>
/// <param name="To">Receiver: the coordinator, or any other service as its neighbour.</param>
/// <param name="Mark">The sender's own mark; 0 for an empty database.</param>
/// <param name="Seen">The receiver's highest mark that the sender has seen; 0 for none.</param>
/// <param name="Asks">True if a reply is expected at once.</param>
public sealed record DatabaseMark(string To, long Mark, long Seen, bool Asks = false) : IAddressedBody;

/// <summary>Line of an order. <paramref name="UnitPrice"/> in minor units; null until stock-service fills it in.</summary>
public sealed record OrderLine(int Line, string Sku, int Quantity, long? UnitPrice = null);

/// <summary>Payment method of an order: the provider's name and, except for <c>balance</c>, its token.</summary>
public sealed record PaymentMethod(string Provider, string? Token = null);

// ---- order-service to the coordinator, retried until the outcome arrives ----

/// <summary>
/// An order was accepted. <paramref name="AdjustmentsMinor"/> is the signed sum of shipping, discounts, taxes and fees. With
/// <paramref name="MaySetPrice"/> the caller's unit prices apply without checking the catalogue. <paramref name="Capture"/>
/// is one of <see cref="CapturePolicies"/>; null means on confirmation. <paramref name="Channel"/>, null for <c>main</c>, and
/// <paramref name="Reference"/> let an order-service that lost the order with its database create it again.
/// </summary>
public sealed record OrderPlaced(
    string CustomerId,
    string Currency,
    IReadOnlyList<OrderLine> Lines,
    long AdjustmentsMinor,
    PaymentMethod Payment,
    bool MaySetPrice,
    string? Capture = null,
    string? Channel = null,
    string? Reference = null) : IMessageBody
{
    /// <summary>Name of <see cref="Channel"/> in messages of release 0.1.0; never written.</summary>
    public string? Merchant { init => Channel ??= value; }
}

/// <summary>
/// Cancellation of an order, in flight or confirmed and not yet fulfilled. Carries the order, for the case that it overtakes
/// <see cref="OrderPlaced"/>, or the coordinator lost the order with its database: every step is then undone.
/// <paramref name="WasConfirmed"/>: order-service has heard of the confirmation; a coordinator that has not is behind.
/// </summary>
public sealed record CancelRequested(string Reason, OrderPlaced Order, bool WasConfirmed = false) : IMessageBody;

// ---- the coordinator's commands to the participants ----

/// <summary>Hold every line or nothing; verify prices or fill them in. The hold ends with the saga only.</summary>
public sealed record ReserveStock(string Currency, IReadOnlyList<OrderLine> Lines, bool MaySetPrice) : IMessageBody;

/// <summary>
/// Turn the hold into an allocation. The order is confirmed, so a hold is never refused. <paramref name="Lines"/> and
/// <paramref name="Currency"/> come only after the reply <see cref="ReasonCodes.NotReserved"/>: a stock-service that lost the
/// hold with its database then takes the goods again.
/// </summary>
public sealed record CommitStock(string? Currency = null, IReadOnlyList<OrderLine>? Lines = null) : IMessageBody;

/// <summary>Undo reserve-stock and commit-stock: return held or allocated goods.</summary>
public sealed record ReleaseStock : IMessageBody;

/// <summary>
/// Operator's resolution of a payment step in doubt, sent with the step's command. It ends the doubt; known facts do not
/// change.
/// </summary>
/// <param name="Id">UUIDv7, time-ordered: a repeated or older resolution is ignored.</param>
/// <param name="Completed">True if the operation happened at the gateway.</param>
/// <param name="By">Operator.</param>
/// <param name="Reason">Operator's own words.</param>
/// <param name="Reference">Gateway's id of the operation.</param>
public sealed record Resolution(Guid Id, bool Completed, string By, string Reason, string? Reference = null);

/// <summary>
/// Secure <paramref name="AmountMinor"/> (0 or more, minor units). A repeated command gets the known result.
/// <paramref name="Channel"/> is the order's; absent in messages of release 0.1.0.
/// </summary>
public sealed record AuthorizePayment(
    string CustomerId, long AmountMinor, string Currency, PaymentMethod Payment, Resolution? Resolution = null,
    string? Channel = null) : IMessageBody;

/// <summary>Capture the secured money. Forward only: retried until done.</summary>
public sealed record CapturePayment(Resolution? Resolution = null) : IMessageBody;

/// <summary>
/// Undo authorize-payment and capture-payment: void held money, refund captured money. <paramref name="Terms"/> lets a
/// customer-service that lost the payment with its database ask the right gateway.
/// </summary>
public sealed record UndoPayment(string Reason, Resolution? Resolution = null, PaymentTerms? Terms = null) : IMessageBody;

/// <summary>Terms of an order's payment. <paramref name="AmountMinor"/> is null while a line has no price.</summary>
public sealed record PaymentTerms(string CustomerId, string Currency, PaymentMethod Payment, long? AmountMinor = null,
    string? Channel = null);

// ---- the participants' replies ----

/// <summary>Outcome of a step's command (docs/concepts/sagas.md).</summary>
[JsonConverter(typeof(StepOutcomeJson))]
public enum StepOutcome
{
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>Business refusal with a code. Final.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected,

    /// <summary>Not possible now; retry after <see cref="StepAnswered.RetryAfter"/>.</summary>
    [JsonStringEnumMemberName("retry")]
    Retry,

    /// <summary>A party outside the process has to act first: 3-D Secure, a review.</summary>
    [JsonStringEnumMemberName("waiting")]
    Waiting,

    /// <summary>
    /// The operation may have happened, and the participant is finding out. Ask again; never undo or repeat by guess.
    /// </summary>
    [JsonStringEnumMemberName("indoubt")]
    InDoubt,
}

/// <summary>JSON of outcomes: their published names in lower case, never numbers.</summary>
public sealed class StepOutcomeJson() : JsonStringEnumConverter<StepOutcome>(namingPolicy: null, allowIntegerValues: false);

/// <summary>
/// Reply to a step's command or, with <paramref name="Undo"/>, to its undo. The envelope's <c>step</c> names the step. The
/// same command always gets the same reply.
/// </summary>
/// <param name="Undo">True for the reply to an undo.</param>
/// <param name="Outcome">Outcome of the command.</param>
/// <param name="Code">With <c>Rejected</c>, <c>Retry</c> or <c>InDoubt</c>: a code of <see cref="ReasonCodes"/>.</param>
/// <param name="Message">One sentence for people; no personal data.</param>
/// <param name="RetryAfter">With <c>Retry</c>: time to wait.</param>
/// <param name="Action">With <c>Waiting</c>: required action, such as an address the customer has to open.</param>
/// <param name="Priced">From reserve-stock: the lines with the prices that apply.</param>
/// <param name="Payment">From payment steps: the payment's totals.</param>
/// <param name="Detail">From outside participants: a JSON object for later steps, at most 4 kB.</param>
public sealed record StepAnswered(
    bool Undo,
    StepOutcome Outcome,
    string? Code = null,
    string? Message = null,
    TimeSpan? RetryAfter = null,
    string? Action = null,
    IReadOnlyList<OrderLine>? Priced = null,
    PaymentTotals? Payment = null,
    [property: JsonConverter(typeof(RawJsonConverter))] string? Detail = null) : IMessageBody;

/// <summary>Totals of a payment, in minor units. The order's <c>paymentStatus</c> is derived from them.</summary>
/// <param name="AuthorizedMinor">Amount authorized in total.</param>
/// <param name="CapturedMinor">Amount captured so far.</param>
/// <param name="RefundedMinor">Amount refunded so far.</param>
/// <param name="Voided">True when everything authorized and not captured was released.</param>
/// <param name="Version">
/// Version of the payment with these totals, 1 and up: of two totals the one with the higher version counts. 0 without a
/// payment, and in messages of release 0.1.0.
/// </param>
public sealed record PaymentTotals(
    long AuthorizedMinor, long CapturedMinor, long RefundedMinor, bool Voided, long Version = 0)
{
    public static readonly PaymentTotals None = new(0, 0, 0, false);

    /// <summary>Authorized, and neither captured nor released.</summary>
    [JsonIgnore]
    public long HeldMinor => Voided ? 0 : AuthorizedMinor - CapturedMinor;

    /// <summary>Money of the order that is still there: held, or captured and not refunded.</summary>
    [JsonIgnore]
    public long SecuredMinor => HeldMinor + CapturedMinor - RefundedMinor;

    /// <summary>
    /// Value out of <see cref="PaymentStatuses"/>. While money is held, a payment is neither paid nor refunded as a whole.
    /// </summary>
    public string Status => this switch
    {
        { CapturedMinor: > 0, SecuredMinor: <= 0 } => PaymentStatuses.Refunded,
        { CapturedMinor: > 0, RefundedMinor: > 0 } => PaymentStatuses.PartiallyRefunded,
        { CapturedMinor: > 0, HeldMinor: > 0 } => PaymentStatuses.PartiallyPaid,
        { CapturedMinor: > 0 } => PaymentStatuses.Paid,
        { Voided: true } => PaymentStatuses.Voided,
        { AuthorizedMinor: > 0 } => PaymentStatuses.Authorized,
        _ => PaymentStatuses.Pending,
    };
}

// ---- customer-service to order-service about payments that changed outside the process, retried until acknowledged ----

/// <summary>
/// A payment was captured, released or refunded by an operator or for shipped goods. The totals are those of
/// <paramref name="Version"/>, which the acknowledgement repeats. <paramref name="By"/> requested the movement, and
/// <paramref name="ApprovedBy"/> approved it as a second person.
/// </summary>
public sealed record PaymentMoved(PaymentTotals Payment, long Version, string? By = null, string? ApprovedBy = null)
    : IMessageBody;

/// <summary>Acknowledges the payment's totals of <paramref name="Version"/>.</summary>
public sealed record PaymentNoted(long Version) : IMessageBody;

// ---- stock-service asks the coordinator about long holds; the coordinator asks order-service about a lost saga ----

/// <summary>
/// Goods have been held for an order for more than 15 minutes. The coordinator has no reply of its own: a saga that is under way
/// does what is due, a saga that has passed the hold commits or releases the goods once more, and a lost saga is recreated.
/// </summary>
public sealed record AskSaga : IMessageBody;

/// <summary>Question about an order that the coordinator has no saga of. The reply is <see cref="OrderRecalled"/>.</summary>
public sealed record RecallOrder : IMessageBody;

/// <summary>Facts to recreate a saga from; null for an unknown order, whose goods are released.</summary>
public sealed record OrderRecalled(SagaRepair? Saga = null) : IMessageBody;

// ---- order-service to the participants of a fulfilment, retried until they reply ----

/// <summary>
/// Goods of a confirmed order were shipped: they are no longer allocated or on hand. The same <paramref name="Fulfilment"/>
/// (from 1) of an order has an effect only once, and always gets the same reply.
/// </summary>
public sealed record ShipGoods(int Fulfilment, IReadOnlyList<OrderLine> Lines) : IMessageBody;

/// <summary>
/// Nothing more of the order will be shipped: these goods are no longer allocated to it. The lines are listed because a
/// fulfilment may arrive later. The reply has the fulfilment number 0.
/// </summary>
public sealed record ReleaseUnshipped(IReadOnlyList<OrderLine> Lines) : IMessageBody;

/// <summary>
/// The order is completed, and these goods left without a fulfilment: they are no longer allocated or on hand. The first of
/// <see cref="ReleaseUnshipped"/> and this command counts. The reply has the fulfilment number 0.
/// </summary>
public sealed record ConsumeUnshipped(IReadOnlyList<OrderLine> Lines) : IMessageBody;

/// <summary>Acknowledges a fulfilment's goods.</summary>
public sealed record GoodsShipped(int Fulfilment) : IMessageBody
{
    /// <summary>
    /// Fulfilment number in the reply to <see cref="ReleaseUnshipped"/> and <see cref="ConsumeUnshipped"/>.
    /// </summary>
    public const int Rest = 0;
}

/// <summary>
/// A participant cannot carry out its part of a fulfilment: the rows it needs are missing or say otherwise, as after a restore
/// of its database. order-service then asks once an hour and shows the reason, until the data are repaired.
/// </summary>
/// <param name="Code">A code of <see cref="ReasonCodes"/>.</param>
/// <param name="Message">One sentence for people; no personal data.</param>
/// <param name="Fulfilment">Number of the fulfilment; null for all that the sender still owes to the order.</param>
public sealed record FulfilmentRefused(string Code, string Message, int? Fulfilment = null) : IMessageBody;

/// <summary>
/// Capture up to <paramref name="DueMinor"/> in total, the value of all goods shipped so far. With <paramref name="Close"/>
/// nothing more will be shipped and the rest is released. The reply is <see cref="PaymentMoved"/> once done. Repeating is
/// harmless, because the amount is a total and not a step.
/// </summary>
public sealed record TakeShipped(long DueMinor, bool Close) : IMessageBody;

// ---- customer-service asks about an order that it has no payment of ----

/// <summary>Question whether an order stands. The reply is <see cref="OrderTold"/>.</summary>
public sealed record AskOrder : IMessageBody;

/// <summary>Facts of an order.</summary>
/// <param name="Status">One of <see cref="OrderStatuses"/>; null for an unknown order.</param>
/// <param name="Terms">Terms of its payment; null for an unknown order.</param>
public sealed record OrderTold(string? Status = null, PaymentTerms? Terms = null) : IMessageBody;

// ---- erasure of a customer, asked by customer-service and repeated until answered; the subject is the erasure's id ----

/// <summary>
/// Erasure of a customer's data in order-service. <paramref name="Stage"/> is one of <see cref="ErasureStages"/>.
/// </summary>
public sealed record EraseCustomer(string CustomerId, string Stage) : IMessageBody;

/// <summary>Reply to <see cref="EraseCustomer"/>.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Stage">Stage of the request.</param>
/// <param name="OpenOrders">Number of orders that are undecided, or confirmed and not fulfilled.</param>
/// <param name="Orders">Number of all orders of the customer.</param>
/// <param name="OpenOrder">The first open one.</param>
public sealed record CustomerErased(
    string CustomerId, string Stage, long OpenOrders, long Orders, Guid? OpenOrder = null) : IMessageBody;

/// <summary>
/// Erase a customer's name from the notes and the audit of the coordinator. <paramref name="Words"/> are the name, its parts
/// and the e-mail address.
/// </summary>
public sealed record EraseNotes(string CustomerId, IReadOnlyList<string> Words) : IMessageBody;

/// <summary>Reply to <see cref="EraseNotes"/>.</summary>
public sealed record NotesErased(string CustomerId) : IMessageBody;

// ---- the coordinator to order-service about a required action (repeated on request) ----

/// <summary>
/// The customer has to act before <paramref name="Until"/>, at the address <paramref name="Action"/> if known; after that the
/// order expires.
/// </summary>
public sealed record OrderWaiting(DateTimeOffset Until, string? Action = null) : IMessageBody;

// ---- the coordinator to order-service about the end of an order (repeated on request) ----

/// <summary>History of one step of the process, for the order's timeline.</summary>
/// <param name="Step">One of <see cref="StepNames"/>.</param>
/// <param name="Undo">True for the undo of the step.</param>
/// <param name="Outcome"><c>completed</c>, <c>rejected</c>, <c>waiting</c>, <c>indoubt</c>, <c>timed_out</c> …</param>
/// <param name="SentAt">Time of the first attempt.</param>
/// <param name="Attempts">Number of attempts, 1 or more.</param>
/// <param name="Code">Code of a refusal.</param>
/// <param name="AnsweredAt">Time of the decisive reply.</param>
/// <param name="Detail">JSON object of an outside participant, at most 4 kB.</param>
public sealed record StepStamp(
    string Step,
    bool Undo,
    string Outcome,
    DateTimeOffset SentAt,
    int Attempts,
    string? Code = null,
    DateTimeOffset? AnsweredAt = null,
    [property: JsonConverter(typeof(RawJsonConverter))] string? Detail = null);

/// <summary>The money is secured and the goods are allocated. Sent again when the capture is complete.</summary>
public sealed record OrderConfirmed(
    IReadOnlyList<OrderLine> Lines, long TotalMinor, PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;

/// <summary>The order was refused, and every completed step is undone.</summary>
public sealed record OrderRejected(
    string Code, string Message, string Step, PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;

/// <summary>The order was cancelled on request, and every completed step is undone.</summary>
public sealed record OrderCancelled(PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;

/// <summary>Time ran out (no reply to a step, or no action by the customer), and every completed step is undone.</summary>
public sealed record OrderExpired(
    string Code, string Message, string Step, PaymentTotals Payment, IReadOnlyList<StepStamp> Steps) : IMessageBody;
