using Orderwright.Verification;

namespace Orderwright.Rules.Tests;

/// <summary>The sums over all orders find planted violations.</summary>
public class VerifySumTests
{
    [Fact]
    public void I3_finds_a_balance_that_differs_from_its_history()
    {
        Assert.Empty(SumRules.Balance(new("alice", "GBP", 700, 1000, 300)));
        Assert.Single(SumRules.Balance(new("alice", "GBP", 701, 1000, 300)));
    }

    [Fact]
    public void I3_finds_money_that_no_paid_order_accounts_for()
    {
        Assert.Empty(SumRules.Currency("GBP", 1999, 1999));
        Assert.Single(SumRules.Currency("GBP", 2000, 1999));
    }

    [Theory]
    [InlineData(2, 1, 2, 2, 1, 2, 1)] // more promised than on hand
    [InlineData(9, 1, 0, 8, 1, 0, 1)] // on hand without a movement
    [InlineData(9, 1, 0, 9, 0, 0, 1)] // allocated without a movement
    [InlineData(9, 1, 1, 9, 1, 0, 1)] // reserved without a hold
    [InlineData(9, 1, 0, 9, 1, 0, 2)] // committed but not allocated
    public void I4_finds_levels_that_do_not_add_up(
        long onHand, long allocated, long reserved, long movedOnHand, long movedAllocated, long held, long committed) =>
        Assert.Single(SumRules.Stock(new("MUG", onHand, allocated, reserved, movedOnHand, movedAllocated)
        {
            HeldByReservations = held,
            CommittedByReservations = committed,
        }));

    [Fact]
    public void I4_accepts_levels_that_add_up() =>
        Assert.Empty(SumRules.Stock(new("MUG", 9, 4, 5, 9, 4) { HeldByReservations = 5, CommittedByReservations = 4 }));

    [Fact]
    public void I3_finds_accounts_that_do_not_agree_and_a_journal_that_is_not_zero()
    {
        Assert.Empty(SumRules.Account(new("orders", "GBP", 1999, 1999)));
        Assert.Single(SumRules.Account(new("orders", "GBP", 1999, 1998)));
        Assert.Empty(SumRules.Journal("GBP", 0));
        Assert.Single(SumRules.Journal("GBP", 1));
    }
}
