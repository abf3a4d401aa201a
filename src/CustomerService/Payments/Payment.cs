using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

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
