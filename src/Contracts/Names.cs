namespace Orderwright.Contracts;

/// <summary>Names of the four services. Each is also a queue name, a database name and the source of messages.</summary>
public static class ServiceNames
{
    public const string Order = "order-service";
    public const string Customer = "customer-service";
    public const string Stock = "stock-service";
    public const string Coordinator = "saga-coordinator";

    public static readonly IReadOnlyList<string> All = [Coordinator, Order, Customer, Stock];
}

/// <summary>Names of the order process's steps. A step's name is part of the natural key of every participant.</summary>
public static class StepNames
{
    public const string ReserveStock = "reserve-stock";
    public const string AuthorizePayment = "authorize-payment";
    public const string CommitStock = "commit-stock";
    public const string CapturePayment = "capture-payment";
}

/// <summary>
/// Reason codes of orders, saga steps and payments. Stable: clients branch on them, and a code never changes its meaning.
/// </summary>
public static class ReasonCodes
{
    /// <summary>A line asks for more than is available.</summary>
    public const string OutOfStock = "out_of_stock";

    /// <summary>A line names an SKU that the catalogue does not contain.</summary>
    public const string UnknownSku = "unknown_sku";

    /// <summary>A line's unit price differs from the catalogue's.</summary>
    public const string PriceChanged = "price_changed";

    /// <summary>The catalogue's price of a line is in another currency than the order.</summary>
    public const string CurrencyMismatch = "currency_mismatch";

    /// <summary>The total is negative or too large to represent.</summary>
    public const string TotalOutOfRange = "total_out_of_range";

    /// <summary>
    /// stock-service holds nothing for a confirmed order, as after a restore of its database. The goods are taken again.
    /// </summary>
    public const string NotReserved = "not_reserved";

    /// <summary>The customer does not exist or has been erased.</summary>
    public const string UnknownCustomer = "unknown_customer";

    /// <summary>The payment names a provider that is not configured.</summary>
    public const string UnknownProvider = "unknown_provider";

    /// <summary>The gateway declined the payment.</summary>
    public const string PaymentDeclined = "payment_declined";

    /// <summary>The customer's balance, or the account behind the token, does not cover the amount.</summary>
    public const string InsufficientFunds = "insufficient_funds";

    /// <summary>The customer did not complete a required action, such as 3-D Secure, in time.</summary>
    public const string ActionExpired = "action_expired";

    /// <summary>A capture was requested although no money is authorized.</summary>
    public const string NotAuthorized = "not_authorized";

    /// <summary>The gateway accepted none of our requests.</summary>
    public const string ProviderUnavailable = "provider_unavailable";

    /// <summary>A participant did not reply before the step's deadline.</summary>
    public const string TimedOut = "timed_out";

    /// <summary>A step that must succeed used up its attempts; an operator has to act.</summary>
    public const string AttemptsExhausted = "attempts_exhausted";

    /// <summary>The outcome at the gateway is unknown; the participant is looking it up.</summary>
    public const string InDoubt = "in_doubt";

    /// <summary>The outcome is still unknown after the last useful look-up; a person has to find out.</summary>
    public const string CannotTell = "cannot_tell";

    /// <summary>An operator recorded that the step did not happen.</summary>
    public const string ResolvedByOperator = "resolved_by_operator";

    /// <summary>The gateway refused a refund.</summary>
    public const string RefundFailed = "refund_failed";

    /// <summary>The order was cancelled on request.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>The step was undone before it was done, so the late command is refused.</summary>
    public const string AlreadyUndone = "already_undone";

    /// <summary>An erasure of the customer is being decided; the step is tried again.</summary>
    public const string ErasureRunning = "erasure_running";

    /// <summary>Goods were shipped that stock-service has not allocated to the order.</summary>
    public const string NotAllocated = "not_allocated";

    /// <summary>Goods of an order were shipped, and customer-service has no payment of the order.</summary>
    public const string UnknownPayment = "unknown_payment";

    /// <summary>Codes with which an order is rejected.</summary>
    public static readonly IReadOnlyList<string> OfRejections =
    [
        OutOfStock, UnknownSku, PriceChanged, CurrencyMismatch, TotalOutOfRange, UnknownCustomer, UnknownProvider,
        PaymentDeclined, InsufficientFunds, ProviderUnavailable, ResolvedByOperator,
    ];
}

/// <summary>Stages in which customer-service asks order-service to erase a customer.</summary>
public static class ErasureStages
{
    /// <summary>Refuse further orders of the customer, unless orders are open. Nothing is erased yet.</summary>
    public const string Ask = "ask";

    /// <summary>The customer is erased: erase the texts of the customer's ended orders.</summary>
    public const string Decided = "decided";

    /// <summary>The customer stays after all: accept orders again.</summary>
    public const string Withdrawn = "withdrawn";
}

/// <summary>Values of an order's <c>status</c>; the graph is <c>OrderRules.Transitions</c> in order-service.</summary>
public static class OrderStatuses
{
    public const string Pending = "pending";
    public const string Confirmed = "confirmed";
    public const string Completed = "completed";
    public const string Rejected = "rejected";
    public const string CancelPending = "cancel_pending";
    public const string Cancelled = "cancelled";
    public const string Expired = "expired";

    public static readonly IReadOnlyList<string> All =
        [Pending, Confirmed, Completed, Rejected, CancelPending, Cancelled, Expired];
}

/// <summary>Values of an order's derived <c>paymentStatus</c>.</summary>
public static class PaymentStatuses
{
    public const string Pending = "pending";
    public const string Authorized = "authorized";
    public const string PartiallyPaid = "partially_paid";
    public const string Paid = "paid";
    public const string PartiallyRefunded = "partially_refunded";
    public const string Refunded = "refunded";
    public const string Voided = "voided";
}

/// <summary>Values of an order's <c>fulfilmentStatus</c>.</summary>
public static class FulfilmentStatuses
{
    public const string Unfulfilled = "unfulfilled";
    public const string PartiallyFulfilled = "partially_fulfilled";
    public const string Fulfilled = "fulfilled";
}

/// <summary>Ends of the goods that a completed order has not noted as shipped.</summary>
public static class GoodsEnds
{
    /// <summary>The goods left without a fulfilment: neither allocated nor on hand any more.</summary>
    public const string Consumed = "consumed";

    /// <summary>The goods stayed: available again.</summary>
    public const string Released = "released";
}

/// <summary>Values of an order event's <c>type</c>.</summary>
public static class OrderEventTypes
{
    public const string Placed = "placed";
    public const string Confirmed = "confirmed";
    public const string Rejected = "rejected";
    public const string Expired = "expired";
    public const string CancelRequested = "cancel_requested";
    public const string Cancelled = "cancelled";
    public const string Completed = "completed";

    /// <summary>The customer has to act before the process continues. The status is unchanged.</summary>
    public const string ActionRequired = "action_required";

    /// <summary>Some or all remaining goods of the order were shipped. The status is unchanged.</summary>
    public const string Shipped = "shipped";

    /// <summary>The payment advanced, for example from authorized to paid. The status is unchanged.</summary>
    public const string PaymentUpdated = "payment_updated";

    public static readonly IReadOnlyList<string> All =
    [
        Placed, Confirmed, Rejected, Expired, CancelRequested, Cancelled, Completed, ActionRequired, Shipped, PaymentUpdated,
    ];
}

/// <summary>States of a webhook endpoint.</summary>
public static class EndpointStates
{
    public const string Active = "active";

    /// <summary>Nothing is sent. Events are kept, and are sent once the endpoint is active again.</summary>
    public const string Disabled = "disabled";

    public static readonly IReadOnlyList<string> All = [Active, Disabled];
}

/// <summary>Reasons for which a webhook endpoint is disabled.</summary>
public static class DisabledReasons
{
    /// <summary>A caller disabled the endpoint.</summary>
    public const string Operator = "operator";

    /// <summary>The receiver responded with 410 Gone.</summary>
    public const string Gone = "gone";

    /// <summary>No event was delivered for three days.</summary>
    public const string Unreachable = "unreachable";
}

/// <summary>States of the delivery of a webhook.</summary>
public static class DeliveryStates
{
    public const string Waiting = "waiting";
    public const string Delivered = "delivered";

    /// <summary>All attempts failed. The event is sent again only on request.</summary>
    public const string Failed = "failed";

    public static readonly IReadOnlyList<string> All = [Waiting, Delivered, Failed];
}

/// <summary>Reasons that a caller may give when cancelling an order.</summary>
public static class CancelReasons
{
    public const string Customer = "customer";
    public const string Fraud = "fraud";
    public const string Inventory = "inventory";
    public const string Staff = "staff";
    public const string Other = "other";

    public static readonly IReadOnlyList<string> All = [Customer, Fraud, Inventory, Staff, Other];
}

/// <summary>Policies that decide when the money of an order is captured.</summary>
public static class CapturePolicies
{
    /// <summary>Capture the whole amount once the order is confirmed.</summary>
    public const string Confirmation = "confirmation";

    /// <summary>Capture the value of each fulfilment when it is reported; until then the money is held.</summary>
    public const string Fulfilment = "fulfilment";
}

/// <summary>Values of a saga's <c>state</c>.</summary>
public static class SagaStates
{
    public const string Running = "running";

    /// <summary>A party outside the process, such as the customer, has to act.</summary>
    public const string Waiting = "waiting";

    /// <summary>Completed steps are being undone.</summary>
    public const string Compensating = "compensating";
    public const string Completed = "completed";

    /// <summary>Rolled back: every completed step is undone.</summary>
    public const string Compensated = "compensated";

    /// <summary>An operator has to act; the saga is an incident.</summary>
    public const string Failed = "failed";

    public static readonly IReadOnlyList<string> All = [Running, Waiting, Compensating, Completed, Compensated, Failed];
}

/// <summary>Values of a saga step's <c>state</c>, and of the <c>outcome</c> in an order's timeline.</summary>
public static class StepStates
{
    /// <summary>The command was sent and the reply is outstanding.</summary>
    public const string Asked = "asked";
    public const string Waiting = "waiting";
    public const string InDoubt = "indoubt";

    /// <summary>An operator has to act.</summary>
    public const string Stuck = "stuck";
    public const string Completed = "completed";
    public const string Rejected = "rejected";
    public const string Skipped = "skipped";
    public const string GivenUp = "given_up";
}

/// <summary>Parties, other than a service, that a saga may wait for: values of <c>waitingFor</c>.</summary>
public static class WaitingFor
{
    public const string Customer = "customer";
    public const string Operator = "operator";
}

/// <summary>Values of a bulk action's <c>state</c>.</summary>
public static class BulkStates
{
    public const string Waiting = "waiting";

    /// <summary>A few sagas are acted on first.</summary>
    public const string Canary = "canary";

    /// <summary>The canary succeeded; the remaining sagas follow in batches.</summary>
    public const string Rest = "rest";
    public const string Stopping = "stopping";
    public const string Done = "done";
    public const string Stopped = "stopped";
}

/// <summary>Values of an order's <c>outcome</c> within a bulk action.</summary>
public static class BulkOutcomes
{
    public const string NotYet = "not_yet";

    /// <summary>Acted on; the result is not known yet.</summary>
    public const string Acted = "acted";

    /// <summary>The saga advanced after the action.</summary>
    public const string WentOn = "went_on";

    /// <summary>The saga is an incident again.</summary>
    public const string StuckAgain = "stuck_again";

    /// <summary>Acted on, and unchanged when the run stopped waiting for a result.</summary>
    public const string Undecided = "undecided";

    /// <summary>The saga had moved on before the action reached it.</summary>
    public const string Refused = "refused";
}

/// <summary>States of a reservation: the goods of one order in stock-service.</summary>
public static class ReservationStates
{
    /// <summary>The goods count as reserved until the order's saga commits or releases them.</summary>
    public const string Held = "held";

    /// <summary>The goods count as allocated.</summary>
    public const string Committed = "committed";

    /// <summary>Returned by an undo; without lines, a tombstone that refuses a late reservation.</summary>
    public const string Released = "released";

    /// <summary>The reservation was refused, finally.</summary>
    public const string Refused = "refused";
}

/// <summary>Values of a stock movement's <c>kind</c>.</summary>
public static class MovementKinds
{
    public const string Allocated = "allocated";
    public const string Deallocated = "deallocated";
    public const string Counted = "counted";

    /// <summary>Allocated goods were shipped.</summary>
    public const string Shipped = "shipped";

    /// <summary>Allocated goods of a completed order left without a fulfilment.</summary>
    public const string Consumed = "consumed";

    /// <summary>Reasons that a caller may give for an adjustment; each is also a kind.</summary>
    public static readonly IReadOnlyList<string> Adjustments =
        ["received", "damaged", "lost", "found", "returned", "other"];
}
