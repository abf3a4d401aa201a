namespace Orderwright.CustomerService.Payments;

/// <summary>A gateway's own list of charges, in pages, for reconciliation (<see cref="IPaymentProvider.Charges"/>).</summary>
public interface IChargeList
{
    /// <summary>
    /// Reads a page of the charges made from <paramref name="from"/> (inclusive) to <paramref name="to"/> (exclusive), in
    /// the current state. Over all pages each charge appears at least once, in the gateway's own order. Throws
    /// <see cref="ChargeListException"/> when the list cannot be read.
    /// </summary>
    /// <param name="from">By the gateway's clock; a gateway may round outwards to whole seconds.</param>
    /// <param name="to">By the gateway's clock.</param>
    /// <param name="cursor"><see cref="ChargePage.Next"/> of the previous page; null for the first.</param>
    /// <param name="cancel">Deadline of the page.</param>
    Task<ChargePage> ListAsync(DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel);

    /// <summary>
    /// Describes the request that releases a charge's held money, or refunds captured money, in the form a person would
    /// send at the gateway.
    /// </summary>
    /// <param name="charge">A charge of the list.</param>
    /// <param name="amountMinor">Amount to refund; 0 to release held money.</param>
    string CallToReturn(ListedCharge charge, long amountMinor);
}

/// <param name="Charges">Any number, including none.</param>
/// <param name="Next">Cursor of the next page; null after the last.</param>
public sealed record ChargePage(IReadOnlyList<ListedCharge> Charges, string? Next);

/// <summary>A charge in the gateway's own record. Amounts in minor units.</summary>
/// <param name="Reference">The gateway's id, as stored with our payments.</param>
/// <param name="OrderId">Our order, as sent with the request; null for a charge made by someone else.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="State">State in the gateway's words.</param>
/// <param name="HeldMinor">Authorized, and neither captured nor released.</param>
/// <param name="CapturedMinor">Captured, including amounts refunded later.</param>
/// <param name="RefundedMinor">Refunded.</param>
/// <param name="CreatedAt">By the gateway's clock.</param>
public sealed record ListedCharge(
    string Reference, Guid? OrderId, string Currency, string State, long HeldMinor, long CapturedMinor,
    long RefundedMinor, DateTimeOffset CreatedAt)
{
    /// <summary>True while money is held, or was captured and not fully refunded.</summary>
    public bool HasMoney => HeldMinor > 0 || CapturedMinor > RefundedMinor;
}

/// <summary>Thrown when the list cannot be read now; retryable.</summary>
public sealed class ChargeListException(string message, Exception? inner = null) : Exception(message, inner);
