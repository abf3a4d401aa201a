using Orderwright.Verification;
using static Orderwright.Rules.Tests.VerifyCases;

namespace Orderwright.Rules.Tests;

/// <summary>The checks of the agreement between services find planted violations.</summary>
public class VerifyAgreementTests
{
    [Fact]
    public void I11_finds_texts_that_an_erasure_has_not_reached()
    {
        var found = Assert.Single(AgreementRules.ErasedIsGone(Erased, Now));
        Assert.Contains("keeps metadata or labels", found.What, StringComparison.Ordinal);
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { Order = Erased.Order! with { HasTexts = false } }, Now));
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { CustomerErasedAt = Now.AddMinutes(-5) }, Now));
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { CustomerErasedAt = null }, Now));
    }

    [Fact]
    public void I11_finds_an_order_placed_under_an_erased_id_unless_it_came_to_nothing()
    {
        var late = Erased.Order! with { CreatedAt = Earlier, HasTexts = false };
        Assert.Contains(
            "was placed", Assert.Single(AgreementRules.ErasedIsGone(Erased with { Order = late }, Now)).What,
            StringComparison.Ordinal);
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { Order = late with { Status = "rejected" } }, Now));
    }

    [Theory]
    [InlineData("authorized", 1999, 0, 0, false, true)]
    [InlineData("authorized", 1999, 1999, 0, false, false)]
    [InlineData("captured", 1999, 1999, 500, false, true)]
    [InlineData("captured", 1999, 1999, 1999, false, false)]
    [InlineData("captured", 1999, 0, 0, false, false)]
    [InlineData("refunded", 1999, 1999, 1999, false, true)]
    [InlineData("refunded", 1999, 1999, 1998, false, false)]
    [InlineData("voided", 1999, 0, 0, true, true)]
    [InlineData("voided", 1999, 0, 0, false, false)]
    [InlineData("declined", 0, 0, 0, false, true)]
    [InlineData("undone", 1999, 0, 0, false, false)]
    public void I3_compares_the_state_of_a_payment_with_its_amounts(
        string state, long authorized, long captured, long refunded, bool voided, bool agrees)
    {
        var payment = new PaymentRow(
            Id, "alice", "sandbox", "GBP", 1999, state, authorized, captured, refunded, voided, Earlier);
        Assert.Equal(agrees, !AgreementRules.PaymentStateTells(Confirmed with { Payment = payment }).Any());
    }

    [Fact]
    public void I2_and_I4_find_money_and_goods_left_by_a_saga_that_ended_as_undone()
    {
        var undone = Confirmed with { Order = null, Acknowledged = false, Saga = Saga("compensated") };
        Assert.Equal(["I2", "I4"], AgreementRules.SagaAgrees(undone).Select(finding => finding.Invariant));
        Assert.Empty(AgreementRules.SagaAgrees(undone with
        {
            Payment = Paid with { Refunded = 1999 }, Reservation = Reservation("released"),
        }));
        Assert.Empty(AgreementRules.SagaAgrees(Confirmed));
    }
}
