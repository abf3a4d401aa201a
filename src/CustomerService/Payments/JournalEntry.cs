namespace Orderwright.CustomerService.Payments;

/// <summary>Accounts of the journal.</summary>
public static class Accounts
{
    /// <summary>Money paid by orders, less refunds.</summary>
    public const string Orders = "orders";

    /// <summary>Source of top-ups of store credit.</summary>
    public const string Credits = "credits";

    /// <summary>A customer's store credit: a debt of the company.</summary>
    public static string Customer(string customerId) => $"customer:{customerId}";

    /// <summary>Money taken by a gateway for the company and not returned.</summary>
    public static string Gateway(string provider) => $"gateway:{provider}";
}

/// <summary>A movement of a payment's money between two accounts: a row of the journal. Minor units.</summary>
/// <param name="OrderId">Order of the payment.</param>
/// <param name="Kind"><see cref="Capture"/> or <see cref="Refund"/>.</param>
/// <param name="RunningTotalMinor">Sum of the captures, or refunds, up to and including the row; makes the row unique.</param>
/// <param name="DebitAccount">Account the money leaves.</param>
/// <param name="CreditAccount">Account the money reaches.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="AmountMinor">More than 0.</param>
public sealed record JournalEntry(
    Guid OrderId, string Kind, long RunningTotalMinor, string DebitAccount, string CreditAccount, string Currency,
    long AmountMinor)
{
    public const string Capture = "capture";
    public const string Refund = "refund";

    /// <summary>
    /// Entries for the change between two states of a payment, at most one per kind. Pure. Saving a
    /// payment saves the entries too, so no money moves without the journal.
    /// </summary>
    /// <param name="before">Null for a new payment.</param>
    /// <param name="after">The payment as saved.</param>
    public static IEnumerable<JournalEntry> Between(Payment? before, Payment after)
    {
        var captured = after.CapturedMinor - (before?.CapturedMinor ?? 0);
        var refunded = after.RefundedMinor - (before?.RefundedMinor ?? 0);
        if (captured == 0 && refunded == 0) yield break;
        if (captured < 0 || refunded < 0)
            throw new InvalidOperationException(
                $"Payment {after.OrderId} would shrink from {before!.Totals} to {after.Totals}.");
        var payer = after.Provider == PaymentProviders.Balance
            ? Accounts.Customer(after.CustomerId!)
            : Accounts.Gateway(after.Provider!);
        if (captured > 0)
            yield return new(
                after.OrderId, Capture, after.CapturedMinor, payer, Accounts.Orders, after.Currency!, captured);
        if (refunded > 0)
            yield return new(
                after.OrderId, Refund, after.RefundedMinor, Accounts.Orders, payer, after.Currency!, refunded);
    }
}
