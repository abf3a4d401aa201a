using Orderwright.Contracts;

namespace Orderwright.Verification;

/// <summary>The invariants over sums of many orders. Pure.</summary>
public static class SumRules
{
    /// <summary>I3: a balance equals the credits minus the captures plus the refunds of its payments.</summary>
    public static IEnumerable<Finding> Balance(BalanceSums sums)
    {
        var subject = $"{sums.CustomerId} {sums.Currency}";
        if (sums.Balance != sums.Credited - sums.Spent)
            yield return new("I3", subject,
                $"has a balance of {sums.Balance}; credits of {sums.Credited} less payments of {sums.Spent} leave " +
                $"{sums.Credited - sums.Spent}", Repairs.Restore(ServiceNames.Customer));
        if (sums.Balance < 0)
            yield return new("I3", subject, $"has a balance of {sums.Balance}", Repairs.Restore(ServiceNames.Customer));
    }

    /// <summary>I3: for each account the journal agrees with balances, credits and payments.</summary>
    public static IEnumerable<Finding> Account(AccountSums sums)
    {
        if (sums.Journal != sums.Books)
            yield return new("I3", $"{sums.Account} {sums.Currency}",
                $"is {sums.Journal} in the journal and {sums.Books} in the other tables", Repairs.Journal);
    }

    /// <summary>I3: the accounts of the journal sum to zero.</summary>
    public static IEnumerable<Finding> Journal(string currency, long sumMinor)
    {
        if (sumMinor != 0)
            yield return new("I3", currency, $"the journal's accounts sum to {sumMinor}, not 0", Repairs.Journal);
    }

    /// <summary>I4: promised goods exist, and three ways of counting agree.</summary>
    public static IEnumerable<Finding> Stock(StockSums sums)
    {
        if (sums.Reserved < 0 || sums.Allocated < 0 || sums.OnHand < sums.Allocated + sums.Reserved)
            yield return Of(sums, $"on hand {sums.OnHand}, allocated {sums.Allocated}, reserved {sums.Reserved}");
        if (sums.OnHand != sums.MovedOnHand)
            yield return Of(sums, $"on hand is {sums.OnHand}, but its movements add up to {sums.MovedOnHand}");
        if (sums.Allocated != sums.MovedAllocated)
            yield return Of(sums, $"allocated is {sums.Allocated}, but its movements add up to {sums.MovedAllocated}");
        if (sums.Reserved != sums.HeldByReservations)
            yield return Of(sums, $"reserved is {sums.Reserved}, but the holds' lines add up to {sums.HeldByReservations}");
        if (sums.Allocated != sums.CommittedByReservations)
            yield return Of(sums,
                $"allocated is {sums.Allocated}, but the committed lines, less those shipped, add up to " +
                $"{sums.CommittedByReservations}");
    }

    /// <summary>I3: captures minus refunds equal the price of the paid orders.</summary>
    public static IEnumerable<Finding> Currency(string currency, long keptMinor, long paidOrdersMinor)
    {
        if (keptMinor != paidOrdersMinor)
            yield return new("I3", currency,
                $"captured − refunded is {keptMinor}, but the paid orders cost {paidOrdersMinor}",
                "The findings about orders name the difference; repair those first.");
    }

    static Finding Of(StockSums sums, string text) => new("I4", sums.Sku, text, Repairs.Level(sums.Sku));
}
