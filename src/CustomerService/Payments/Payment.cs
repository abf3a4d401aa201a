using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Reasons why held or overdue money needs a person. Cleared when the money is captured or released.
/// </summary>
public static class AttentionCodes
{
    /// <summary>The capture for shipped goods failed; retried every hour.</summary>
    public const string CaptureFailed = "capture_failed";

    /// <summary>The authorization is about to expire.</summary>
    public const string HoldEnding = "hold_ending";

    /// <summary>The authorization has expired.</summary>
    public const string HoldEnded = "hold_ended";

    /// <summary>Text of the payment's <c>attention</c>; null when no code is set.</summary>
    public static string? Sentence(Payment payment) => payment.AttentionCode switch
    {
        null => null,
        CaptureFailed =>
            "The capture for shipped goods failed. It is retried every hour; an operator can also capture the payment.",
        HoldEnding =>
            $"The authorization expires at {payment.CaptureBefore:u}: capture the payment or cancel the order before then.",
        _ => $"The authorization expired at {payment.CaptureBefore:u}: the customer has to pay again.",
    };
}

/// <summary>
/// The single payment of an order, with the order's id. Amounts are minor units. A tombstone has no customer, provider or
/// currency, because an undo names none.
/// </summary>
public sealed record Payment
{
    public required Guid OrderId { get; init; }
    public required string State { get; init; }
    public string? CustomerId { get; init; }

    /// <summary>Channel of the order; null for a tombstone, and for payments of release 0.1.0.</summary>
    public string? Channel { get; init; }

    /// <summary>
    /// <see cref="PaymentProviders.Balance"/>, or the gateway of the latest authorization; never two at a time.
    /// </summary>
    public string? Provider { get; init; }

    /// <summary>Route used to choose the provider; null when the order named the provider.</summary>
    public string? Route { get; init; }
    public string? Token { get; init; }
    public string? Currency { get; init; }
    public long AmountMinor { get; init; }
    public long AuthorizedMinor { get; init; }
    public long CapturedMinor { get; init; }
    public long RefundedMinor { get; init; }
    public bool Voided { get; init; }

    /// <summary>Code of <see cref="ReasonCodes"/>: why the payment was declined, or why the last attempt failed.</summary>
    public string? Code { get; init; }
    public string? Message { get; init; }

    /// <summary>Address for the customer to open while <see cref="PaymentStates.ActionRequired"/>.</summary>
    public string? ActionUrl { get; init; }

    /// <summary>The gateway's id of the authorization.</summary>
    public string? GatewayReference { get; init; }

    /// <summary>Expiry of the authorization while money is held; null when not reported by the gateway.</summary>
    public DateTimeOffset? CaptureBefore { get; init; }

    /// <summary>Code of <see cref="AttentionCodes"/>.</summary>
    public string? AttentionCode { get; init; }

    /// <summary>Step with an unfinished undo, and name of the reply's step.</summary>
    public string? UndoStep { get; init; }

    /// <summary>Id (UUIDv7) of the latest operator resolution applied.</summary>
    public Guid? LastResolutionId { get; init; }

    /// <summary>Sentence for the person who has to check the payment; null when nothing is open.</summary>
    public string? Attention { get; init; }
    public long Version { get; init; } = 1;
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Authorized, but neither captured nor released.</summary>
    public long HeldMinor => Totals.HeldMinor;

    public PaymentTotals Totals => new(AuthorizedMinor, CapturedMinor, RefundedMinor, Voided, Version);

    /// <summary>First version of a payment that was lost: above every version that order-service may remember.</summary>
    public static long VersionAfterLoss(DateTimeOffset now) => now.ToUnixTimeSeconds();

    /// <summary>Next version of the payment. Without held money, nothing can expire or need attention.</summary>
    public Payment Changed(DateTimeOffset now) => HeldMinor > 0
        ? this with { Version = Version + 1, UpdatedAt = now }
        : this with { Version = Version + 1, UpdatedAt = now, CaptureBefore = null, AttentionCode = null };
}

/// <summary>Store credit available to a payment.</summary>
/// <param name="CustomerKnown">False for unknown and erased customers.</param>
/// <param name="AmountMinor">Balance in the requested currency; 0 for none.</param>
/// <param name="IsErasing">An erasure of the customer is being decided.</param>
public readonly record struct Funds(bool CustomerKnown, long AmountMinor, bool IsErasing = false);
