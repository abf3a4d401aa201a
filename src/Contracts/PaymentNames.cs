namespace Orderwright.Contracts;

/// <summary>Names of the built-in payment providers.</summary>
public static class PaymentProviders
{
    /// <summary>Store credit, settled in the transaction of the batch; the default of an order.</summary>
    public const string Balance = "balance";

    /// <summary>The simulated gateway, for tests and demos.</summary>
    public const string Sandbox = "sandbox";
}

/// <summary>Values of a payment's <c>state</c>. Stable, because clients filter by them.</summary>
public static class PaymentStates
{
    /// <summary>An authorization is in progress or in doubt; the attempt says which.</summary>
    public const string Authorizing = "authorizing";

    /// <summary>Waiting for the customer to complete 3-D Secure.</summary>
    public const string ActionRequired = "action_required";

    /// <summary>Money is held. Part of it may already be captured, for goods that were shipped.</summary>
    public const string Authorized = "authorized";
    public const string Capturing = "capturing";
    public const string Captured = "captured";
    public const string Voiding = "voiding";
    public const string Voided = "voided";
    public const string Refunding = "refunding";
    public const string Refunded = "refunded";
    public const string Declined = "declined";

    /// <summary>Tombstone: undone before the payment was made, or before it had any effect at the gateway.</summary>
    public const string Undone = "undone";

    /// <summary>The money could not be returned; a person has to look.</summary>
    public const string UndoFailed = "undo_failed";

    public static readonly IReadOnlyList<string> All =
    [
        Authorizing, ActionRequired, Authorized, Capturing, Captured, Voiding, Voided, Refunding, Refunded, Declined,
        Undone, UndoFailed,
    ];

    /// <summary>States in which the payment's customer cannot be erased.</summary>
    public static readonly IReadOnlyList<string> Unsettled =
        [Authorizing, ActionRequired, Authorized, Capturing, Voiding, Refunding, UndoFailed];
}

/// <summary>Operations of a gateway; part of the deterministic idempotency key.</summary>
public static class GatewayOperations
{
    public const string Authorize = "authorize";
    public const string Capture = "capture";
    public const string Void = "void";
    public const string Refund = "refund";
}

/// <summary>Values of an attempt's <c>state</c>.</summary>
public static class AttemptStates
{
    /// <summary>The intent is stored. Only the sending process knows whether the request reached the gateway.</summary>
    public const string Open = "open";

    /// <summary>The request certainly had no effect; sent again when due, under the same key.</summary>
    public const string Retry = "retry";

    /// <summary>The request may have had an effect; looked up when due, and never repeated or undone on a guess.</summary>
    public const string InDoubt = "in_doubt";

    /// <summary>Waiting for the customer; looked up when due, in case the webhook is lost.</summary>
    public const string Waiting = "waiting";
    public const string Succeeded = "succeeded";
    public const string Declined = "declined";

    /// <summary>Abandoned; as far as we know, without effect.</summary>
    public const string Failed = "failed";
}

/// <summary>Values of a reconciliation's <c>state</c>.</summary>
public static class ReconciliationStates
{
    public const string Waiting = "waiting";

    /// <summary>The gateway's list is being read.</summary>
    public const string Listing = "listing";

    /// <summary>The list is complete and is being compared with the payments.</summary>
    public const string Comparing = "comparing";
    public const string Agrees = "agrees";
    public const string Differs = "differs";

    /// <summary>The gateway's list could not be read.</summary>
    public const string Failed = "failed";

    public static readonly IReadOnlyList<string> All = [Waiting, Listing, Comparing, Agrees, Differs, Failed];

    public static bool IsOver(string state) => state is Agrees or Differs or Failed;
}

/// <summary>Values of a reconciliation difference's <c>kind</c>.</summary>
public static class DifferenceKinds
{
    /// <summary>The gateway lists a charge that belongs to no payment here.</summary>
    public const string MissingHere = "missing_here";

    /// <summary>A payment names a charge that the gateway does not list.</summary>
    public const string MissingThere = "missing_there";

    /// <summary>Captured or refunded amounts differ, or the currency does.</summary>
    public const string Amount = "amount";

    /// <summary>The captured amounts agree, but one side still holds money that the other has released.</summary>
    public const string State = "state";

    /// <summary>An operator recorded a refund or a release that the gateway's list does not contain.</summary>
    public const string ByHand = "by_hand";

    /// <summary>The journal disagrees with the payment.</summary>
    public const string Journal = "journal";

    public static readonly IReadOnlyList<string> All = [MissingHere, MissingThere, Amount, State, ByHand, Journal];
}
