namespace Orderwright.CustomerService.Payments;

/// <summary>Values of a payment's <c>state</c>. Stable, because clients filter by state.</summary>
public static class PaymentStates
{
    /// <summary>An authorization is in progress or, by the attempt's state, in doubt.</summary>
    public const string Authorizing = "authorizing";

    /// <summary>Waiting for the customer to complete 3-D Secure.</summary>
    public const string ActionRequired = "action_required";

    /// <summary>Money is held. Part of it may already be captured, for shipped goods.</summary>
    public const string Authorized = "authorized";
    public const string Capturing = "capturing";
    public const string Captured = "captured";
    public const string Voiding = "voiding";
    public const string Voided = "voided";
    public const string Refunding = "refunding";
    public const string Refunded = "refunded";
    public const string Declined = "declined";

    /// <summary>Tombstone: undone before the payment was made, or before any effect at the gateway.</summary>
    public const string Undone = "undone";

    /// <summary>The money could not be returned; a person has to look.</summary>
    public const string UndoFailed = "undo_failed";

    public static readonly IReadOnlyList<string> All =
    [
        Authorizing, ActionRequired, Authorized, Capturing, Captured, Voiding, Voided, Refunding, Refunded, Declined,
        Undone, UndoFailed,
    ];

    /// <summary>States during which the payment's customer cannot be erased.</summary>
    public static readonly IReadOnlyList<string> Unsettled =
        [Authorizing, ActionRequired, Authorized, Capturing, Voiding, Refunding, UndoFailed];
}
