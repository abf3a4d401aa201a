using Orderwright.Verification;
using static Orderwright.Rules.Tests.VerifyCases;

namespace Orderwright.Rules.Tests;

/// <summary>The checks of an order as stored find planted violations.</summary>
public class VerifyOrderTests
{
    [Fact]
    public void I4_finds_goods_allocated_to_a_completed_order_and_names_the_repair()
    {
        var completed = Confirmed with
        {
            Order = Order("completed", version: 3), Events = Events("pending", "confirmed", "completed"),
        };
        var finding = Assert.Single(InvariantRules.Check(completed, Now));
        Assert.Equal("I4", finding.Invariant);
        Assert.Contains("3 MUG are still allocated", finding.What, StringComparison.Ordinal);
        Assert.Contains("\"goods\":\"consume\"", finding.Repair, StringComparison.Ordinal);
        var ended = Reservation("committed") with { Shipments = [new(0, SummedLines)] };
        Assert.Empty(Found(completed with { Reservation = ended }));
        Assert.Empty(OrderRules.CompletedGoodsHaveEnded(
            completed with { Order = completed.Order with { HasOpenWork = true, UpdatedAt = Now } }, Now));
    }

    [Theory]
    [InlineData("confirmed", 1999, 0, false, "paid")]
    [InlineData("confirmed", 0, 0, false, "authorized")]
    [InlineData("confirmed", 999, 0, false, "partially_paid")]
    [InlineData("confirmed", 999, 0, true, "paid")]
    [InlineData("confirmed", 999, 999, false, "partially_refunded")]
    [InlineData("confirmed", 1999, 1, false, "partially_refunded")]
    [InlineData("confirmed", 1999, 1999, false, "refunded")]
    [InlineData("cancelled", 0, 0, true, "voided")]
    public void I3_finds_a_payment_status_other_than_that_of_the_payment(
        string status, long captured, long refunded, bool voided, string payment)
    {
        foreach (var said in (string[])
            ["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided"])
        {
            var orderCase = Confirmed with
            {
                Order = Order(status, said), Payment = Paid with { Captured = captured, Refunded = refunded, Voided = voided },
            };
            Assert.Equal(said == payment ? 0 : 1, OrderRules.PaymentStatusFollows(orderCase, Now).Count());
            Assert.Empty(OrderRules.PaymentStatusFollows(orderCase, Earlier.AddSeconds(30)));
        }
    }

    [Theory]
    [InlineData(0, -1, true)]
    [InlineData(0, 0, false)]
    [InlineData(20, -400, true)]
    [InlineData(20, -399, false)]
    [InlineData(100, -1999, false)]
    [InlineData(null, -1999, false)]
    public void I2_finds_a_discount_that_the_caller_could_not_give(int? limit, int amount, bool found)
    {
        var order = Order("confirmed") with
        {
            DiscountLimit = limit,
            Adjustments = $$"""
                [{"type":"shipping","label":"s","amount":499},{"type":"discount","label":"d","amount":{{amount}}}]
                """,
        };
        Assert.Equal(found, OrderRules.DiscountWasAllowed(Confirmed with { Order = order }).Any());
    }

    [Theory]
    [InlineData("2", new string[0])]
    [InlineData("3", new[] { "I12" })]
    [InlineData("two", new[] { "I12" })]
    public void I12_finds_an_imported_order_without_a_line_of_its_file(string lines, string[] found) =>
        Assert.Equal(found, Found(Confirmed with { Order = Order("confirmed") with { ImportLines = lines } }));
}
