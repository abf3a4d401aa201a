namespace Orderwright.Contracts;

/// <summary>The four services. A name is also a queue name, a database name and the source of a message.</summary>
public static class ServiceNames
{
    public const string Order = "order-service";
    public const string Customer = "customer-service";
    public const string Stock = "stock-service";
    public const string Coordinator = "saga-coordinator";

    public static readonly IReadOnlyList<string> All = [Coordinator, Order, Customer, Stock];
}

/// <summary>The steps of the order process. A step's name is part of every participant's natural key.</summary>
public static class StepNames
{
    public const string ReserveStock = "reserve-stock";
    public const string AuthorizePayment = "authorize-payment";
    public const string CommitStock = "commit-stock";
    public const string CapturePayment = "capture-payment";
}

/// <summary>
/// Why the process said no, or what happened to an order. Stable: clients branch on these. Never reuse one with
/// another meaning.
/// </summary>
public static class ReasonCodes
{
    public const string OutOfStock = "out_of_stock";
    public const string UnknownSku = "unknown_sku";
    public const string PriceChanged = "price_changed";
    public const string CurrencyMismatch = "currency_mismatch";
    public const string TotalOutOfRange = "total_out_of_range";
    public const string HoldLost = "hold_lost";
    public const string UnknownCustomer = "unknown_customer";
    public const string UnknownProvider = "unknown_provider";
    public const string PaymentDeclined = "payment_declined";
    public const string InsufficientFunds = "insufficient_funds";
    public const string ActionExpired = "action_expired";

    /// <summary>A capture was asked for where no money is secured.</summary>
    public const string NotAuthorized = "not_authorized";

    /// <summary>The payment gateway took none of our requests.</summary>
    public const string ProviderUnavailable = "provider_unavailable";
    public const string TimedOut = "timed_out";
    public const string AttemptsExhausted = "attempts_exhausted";
    public const string InDoubt = "in_doubt";

    /// <summary>In doubt, and looked up for as long as it makes sense: a person has to find out.</summary>
    public const string CannotTell = "cannot_tell";

    /// <summary>An operator said that it did not happen.</summary>
    public const string ResolvedByOperator = "resolved_by_operator";
    public const string RefundFailed = "refund_failed";
    public const string Cancelled = "cancelled";

    /// <summary>The step was undone before it was done, so a late do is refused.</summary>
    public const string AlreadyUndone = "already_undone";
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

/// <summary>When the money of an order is taken.</summary>
public static class CapturePolicies
{
    /// <summary>All of it, once the order is confirmed.</summary>
    public const string Confirmation = "confirmation";

    /// <summary>With each fulfilment what that is worth; until then it is held.</summary>
    public const string Fulfilment = "fulfilment";
}

/// <summary>Values of an order's <c>fulfilmentStatus</c>.</summary>
public static class FulfilmentStatuses
{
    public const string Unfulfilled = "unfulfilled";
    public const string PartiallyFulfilled = "partially_fulfilled";
    public const string Fulfilled = "fulfilled";
}
