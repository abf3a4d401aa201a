using Orderwright.CustomerService.Customers;


namespace Orderwright.CustomerService.Payments;

/// <summary>The accounts that money moves between.</summary>
public static class Accounts
{
    /// <summary>What orders have paid, less what they got back.</summary>
    public const string Orders = "orders";

    /// <summary>Where top-ups of store credit come from.</summary>
    public const string Credits = "credits";

    /// <summary>A customer's store credit, which we owe.</summary>
    public static string Customer(string customerId) => $"customer:{customerId}";

    /// <summary>What a gateway has taken for us and not given back.</summary>
    public static string Gateway(string provider) => $"gateway:{provider}";
}

/// <summary>
/// Money of a payment that goes from one account to another: a row of the journal, both sides of it. Minor units.
/// </summary>
/// <param name="OrderId">Whose payment.</param>
/// <param name="Kind"><see cref="Capture"/> or <see cref="Refund"/>.</param>
/// <param name="TotalMinor">What the payment's captures, or its refunds, come to with this one: makes the row unique.</param>
/// <param name="Debit">The account it is taken from.</param>
/// <param name="Credit">The account it goes to.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="AmountMinor">More than 0.</param>
public sealed record Movement(
    Guid OrderId, string Kind, long TotalMinor, string Debit, string Credit, string Currency, long AmountMinor)
{
    public const string Capture = "capture";
    public const string Refund = "refund";

    /// <summary>
    /// What moved between two states of a payment, 0 to 2 rows: what it did in between is one movement of each kind.
    /// Pure. Whoever saves a payment saves these, so there is no way to move money beside the journal.
    /// </summary>
    /// <param name="before">Null for a new one.</param>
    /// <param name="after">The payment as it is saved.</param>
    public static IEnumerable<Movement> Between(Payment? before, Payment after)
    {
        var captured = after.CapturedMinor - (before?.CapturedMinor ?? 0);
        var refunded = after.RefundedMinor - (before?.RefundedMinor ?? 0);
        if (captured == 0 && refunded == 0) yield break;
        if (captured < 0 || refunded < 0)
            throw new InvalidOperationException(
                $"The payment {after.OrderId} would go back from {before!.Position} to {after.Position}.");
        var payer = after.Provider == Payment.Balance
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
