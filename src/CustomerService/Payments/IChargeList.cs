namespace Orderwright.CustomerService.Payments;

/// <summary>
/// A gateway's own list of what it did for us, page by page: what our record is compared with
/// (<see cref="IPaymentProvider.Charges"/>).
/// </summary>
public interface IChargeList
{
    /// <summary>
    /// A page of the charges made from <paramref name="from"/> (inclusive) to <paramref name="to"/> (exclusive), as they
    /// stand now. Over all pages each comes at least once, in an order that is the gateway's own. Throws
    /// <see cref="ChargeListException"/> when the gateway does not say.
    /// </summary>
    /// <param name="from">By the gateway's clock; a gateway may round to whole seconds, outwards.</param>
    /// <param name="to">By the gateway's clock.</param>
    /// <param name="cursor"><see cref="ChargePage.Next"/> of the page before; null for the first.</param>
    /// <param name="cancel">The deadline of one page.</param>
    Task<ChargePage> ListAsync(DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel);

    /// <summary>
    /// The call that a person makes at the gateway to let go of what a charge holds, or to give back what it took, as they
    /// would write it down.
    /// </summary>
    /// <param name="charge">One of the list.</param>
    /// <param name="amountMinor">How much of what was taken is to be given back; 0: let go of what is held.</param>
    string CallToReturn(ListedCharge charge, long amountMinor);
}

/// <param name="Charges">0 and up.</param>
/// <param name="Next">Where the next page begins; null after the last.</param>
public sealed record ChargePage(IReadOnlyList<ListedCharge> Charges, string? Next);

/// <summary>A charge by the gateway's own record. Money in minor units.</summary>
/// <param name="Reference">The gateway's id of it, as our payments know it.</param>
/// <param name="OrderId">Ours, as we gave it; null for one that was not made by us.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="State">The gateway's own word.</param>
/// <param name="HeldMinor">Secured, and neither taken nor let go.</param>
/// <param name="CapturedMinor">Taken, whatever was given back.</param>
/// <param name="RefundedMinor">Given back.</param>
/// <param name="CreatedAt">By the gateway's clock.</param>
public sealed record ListedCharge(
    string Reference, Guid? OrderId, string Currency, string State, long HeldMinor, long CapturedMinor,
    long RefundedMinor, DateTimeOffset CreatedAt)
{
    /// <summary>The customer's money is held or was kept.</summary>
    public bool HasMoney => HeldMinor > 0 || CapturedMinor > RefundedMinor;
}

/// <summary>The list cannot be read now; worth another try.</summary>
public sealed class ChargeListException(string message, Exception? inner = null) : Exception(message, inner);
