using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>Values of a payment's <c>state</c>. Stable: clients filter by them.</summary>
public static class PaymentStates
{
    /// <summary>The gateway is being asked, or is in doubt; its attempt says which.</summary>
    public const string Authorizing = "authorizing";

    /// <summary>The customer has to act first: 3-D Secure.</summary>
    public const string ActionRequired = "action_required";

    /// <summary>Money is held; some of it may have been taken already, with what was shipped.</summary>
    public const string Authorized = "authorized";
    public const string Capturing = "capturing";
    public const string Captured = "captured";
    public const string Voiding = "voiding";
    public const string Voided = "voided";
    public const string Refunding = "refunding";
    public const string Refunded = "refunded";
    public const string Declined = "declined";

    /// <summary>
    /// A tombstone: undone before it was done, or before anything had happened at the gateway.
    /// </summary>
    public const string Undone = "undone";

    /// <summary>The money could not be given back; a person has to look.</summary>
    public const string UndoFailed = "undo_failed";

    public static readonly IReadOnlyList<string> All =
    [
        Authorizing, ActionRequired, Authorized, Capturing, Captured, Voiding, Voided, Refunding, Refunded, Declined,
        Undone, UndoFailed,
    ];

    /// <summary>While a payment stands in one of these, its customer cannot be erased.</summary>
    public static readonly IReadOnlyList<string> Unsettled =
        [Authorizing, ActionRequired, Authorized, Capturing, Voiding, Refunding, UndoFailed];
}

/// <summary>
/// What a person has to see to of money that is held, or should be taken by now. It stops by itself once that is taken or
/// released.
/// </summary>
public static class PaymentNotices
{
    /// <summary>What was shipped could not be captured; it is tried again every hour.</summary>
    public const string CaptureFailed = "capture_failed";

    /// <summary>Before long the gateway holds the money no more.</summary>
    public const string HoldEnding = "hold_ending";

    /// <summary>The gateway does not hold the money any more.</summary>
    public const string HoldEnded = "hold_ended";

    /// <summary>For the payment's <c>attention</c>; null when there is nothing.</summary>
    public static string? Sentence(Payment payment) => payment.Notice switch
    {
        null => null,
        CaptureFailed => "What was shipped could not be captured; it is tried again every hour, or by hand.",
        HoldEnding =>
            $"The gateway holds the money only until {payment.CaptureBefore:u}: capture it, or cancel the order, before.",
        _ => $"The gateway held the money until {payment.CaptureBefore:u}: the customer has to pay anew.",
    };
}

/// <summary>
/// The one payment of an order; its id is the order's. Amounts in minor units. A tombstone has no customer,
/// provider or currency: the undo that made it does not say them.
/// </summary>
public sealed record Payment
{
    /// <summary>
    /// The provider that settles from the customer's store credit, inside the batch's transaction.
    /// </summary>
    public const string Balance = "balance";

    public required Guid OrderId { get; init; }
    public required string State { get; init; }
    public string? CustomerId { get; init; }

    /// <summary>The balance, or the gateway of the latest authorization: there is one at a time.</summary>
    public string? Provider { get; init; }

    /// <summary>The route that chose the provider; null where the order named it.</summary>
    public string? Route { get; init; }
    public string? Token { get; init; }
    public string? Currency { get; init; }
    public long AmountMinor { get; init; }
    public long AuthorizedMinor { get; init; }
    public long CapturedMinor { get; init; }
    public long RefundedMinor { get; init; }
    public bool Voided { get; init; }

    /// <summary>
    /// Why it was declined, or why the last attempt failed: a code of <see cref="ReasonCodes"/>.
    /// </summary>
    public string? Code { get; init; }
    public string? Message { get; init; }

    /// <summary>
    /// The address that the customer has to open, while <see cref="PaymentStates.ActionRequired"/>.
    /// </summary>
    public string? Action { get; init; }

    /// <summary>The gateway's own id of the authorization.</summary>
    public string? GatewayReference { get; init; }

    /// <summary>While money is held: until when the gateway holds it. Null where it does not say.</summary>
    public DateTimeOffset? CaptureBefore { get; init; }

    /// <summary>One of <see cref="PaymentNotices"/>.</summary>
    public string? Notice { get; init; }

    /// <summary>The step whose undo is wanted and not yet done; it is answered under this name.</summary>
    public string? UndoStep { get; init; }

    /// <summary>The last word of an operator about it that was heard; a UUIDv7.</summary>
    public Guid? Resolution { get; init; }

    /// <summary>What a person has to look at, in one sentence; null when there is nothing.</summary>
    public string? Attention { get; init; }
    public long Version { get; init; } = 1;
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Secured, and neither taken nor released: the rest of an authorization that was captured in part.</summary>
    public long HeldMinor => Position.HeldMinor;

    public PaymentTotals Position => new(AuthorizedMinor, CapturedMinor, RefundedMinor, Voided);
}

/// <summary>What a customer can pay with from store credit.</summary>
/// <param name="CustomerKnown">False for one who never was, or was erased.</param>
/// <param name="AmountMinor">The balance in the asked currency; 0 where there is none.</param>
public readonly record struct Funds(bool CustomerKnown, long AmountMinor);
