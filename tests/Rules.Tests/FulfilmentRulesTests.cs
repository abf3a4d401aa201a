using System.Text;
using Orderwright.Contracts;
using Orderwright.OrderService;
using Orderwright.OrderService.Fulfilments;

namespace Orderwright.Rules.Tests;

/// <summary>Decisions on fulfilments, and their value.</summary>
public class FulfilmentRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Id = new("01980000-0000-7000-8000-000000000001");
    static readonly Moment Moment = new(Now, "ann", null);

    static Order Order(
        OrderLine[] lines, Adjustment[]? adjustments = null, string status = OrderStatuses.Confirmed) =>
        new(
            new OrderState(
                Id, 2, status, PaymentStatuses.Paid, FulfilmentStatuses.Unfulfilled,
                Money.Total(lines, (adjustments ?? []).Sum(adjustment => adjustment.Amount)), null, null, Now),
            "main", null, "ada", "GBP", lines, adjustments ?? [], new Dictionary<string, string>(), new("balance", null), false,
            100, Now);

    static Order Paid(Order order, PaymentTotals totals, bool onFulfilment = false) => order with
    {
        State = order.State with
        {
            PaymentStatus = totals.Status, SecuredMinor = totals.SecuredMinor, IsTakenOnFulfilment = onFulfilment,
        },
    };

    static readonly Order TeaAndMugs = Order([new(1, "TEA", 3, 450), new(2, "MUG", 2, 1_200)]);

    static ShipDecision Ship(Order order, IReadOnlyCollection<Fulfilment> earlier, params (int Line, int Quantity)[] lines) =>
        FulfilmentRules.Ship(
            order, earlier,
            new ShipOrder(
                order.Id, lines.Length == 0 ? null : [.. lines.Select(line => new ShippedLine(line.Line, line.Quantity))], null,
                IsForced: false, Moment, null),
            Guid.NewGuid());

    static List<Fulfilment> ShipAll(Order order, params (int Line, int Quantity)[][] parts)
    {
        var shipped = new List<Fulfilment>();
        foreach (var part in parts) shipped.Add(Ship(order, shipped, part).Fulfilment!);
        return shipped;
    }

    static (int Status, string Body) Refused(ShipDecision decision) =>
        (decision.Refusal!.Status, Encoding.UTF8.GetString(decision.Refusal.Body.Span));

    [Fact]
    public void A_part_makes_the_order_partially_fulfilled_and_the_rest_fulfilled()
    {
        var first = Ship(TeaAndMugs, [], (1, 2));
        Assert.Equal(("partially_fulfilled", 3L), (first.Change!.State.FulfilmentStatus, first.Change.State.Version));
        var e = Assert.Single(first.Change.Events);
        Assert.Equal(
            ("shipped", "confirmed", first.Fulfilment!.Id, "partially_fulfilled"),
            (e.Type, e.Status, e.Data.FulfilmentId!.Value, e.Data.FulfilmentStatus));
        var rest = Ship(TeaAndMugs, [first.Fulfilment]);
        Assert.Equal("fulfilled", rest.Change!.State.FulfilmentStatus);
        Assert.Equal([new(1, "TEA", 1), new OrderLine(2, "MUG", 2)], rest.Fulfilment!.Lines);
        Assert.Equal((1, 2), (first.Fulfilment.Number, rest.Fulfilment.Number));
    }

    [Fact]
    public void More_than_ordered_is_refused_also_over_several_fulfilments_and_repeated_lines()
    {
        Assert.Contains("exceeds_ordered", Refused(Ship(TeaAndMugs, [], (1, 4))).Body, StringComparison.Ordinal);
        Assert.Contains("exceeds_ordered", Refused(Ship(TeaAndMugs, [], (2, 1), (1, 2), (1, 2))).Body, StringComparison.Ordinal);
        var first = Ship(TeaAndMugs, [], (1, 2)).Fulfilment!;
        var (status, body) = Refused(Ship(TeaAndMugs, [first], (1, 2)));
        Assert.Equal(409, status);
        Assert.Contains("Line 1: 3 ordered, 2 shipped before, 2 now.", body, StringComparison.Ordinal);
        // Int32 would overflow here.
        Assert.Contains(
            "exceeds_ordered", Refused(Ship(TeaAndMugs, [], (1, int.MaxValue), (1, int.MaxValue))).Body,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_line_is_named()
    {
        var (status, body) = Refused(Ship(TeaAndMugs, [], (1, 1), (3, 1)));
        Assert.Equal(400, status);
        Assert.Contains("/lines/1/line", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OrderStatuses.Pending)]
    [InlineData(OrderStatuses.CancelPending)]
    [InlineData(OrderStatuses.Cancelled)]
    [InlineData(OrderStatuses.Rejected)]
    [InlineData(OrderStatuses.Expired)]
    [InlineData(OrderStatuses.Completed)]
    public void Only_confirmed_orders_can_be_shipped(string status) => Assert.Contains(
        "not_fulfillable", Refused(Ship(Order([new(1, "TEA", 1, 450)], status: status), [])).Body, StringComparison.Ordinal);

    [Fact]
    public void A_fulfilled_order_is_not_shipped_again()
    {
        var all = Ship(TeaAndMugs, []).Fulfilment!;
        Assert.Contains("not_fulfillable", Refused(Ship(TeaAndMugs, [all])).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3_750, 3_750, 3_750, false)]
    [InlineData(3_750, 0, 0, true)]
    public void An_order_whose_money_was_returned_ships_only_when_forced(
        long authorized, long captured, long refunded, bool voided)
    {
        var order = Paid(TeaAndMugs, new(authorized, captured, refunded, voided));
        Assert.Contains("\"refunded\"", Refused(Ship(order, [])).Body, StringComparison.Ordinal);
        Assert.Contains("\"refunded\"", Refused(Ship(order, [], (1, 1))).Body, StringComparison.Ordinal);
        Assert.NotNull(
            FulfilmentRules.Ship(order, [], new(Id, null, null, IsForced: true, Moment, null), Guid.NewGuid()).Fulfilment);
    }

    [Fact]
    public void After_a_partial_refund_goods_beyond_the_money_kept_have_to_be_named()
    {
        // 3 teas at 450 and 2 mugs at 1,200; a mug was refunded.
        var order = Paid(TeaAndMugs, new(3_750, 3_750, 1_200, false));
        Assert.Contains("\"refunded\"", Refused(Ship(order, [])).Body, StringComparison.Ordinal);
        var named = Ship(order, [], (1, 3), (2, 1)).Fulfilment!;
        Assert.Contains("\"refunded\"", Refused(Ship(order, [named])).Body, StringComparison.Ordinal);
        Assert.NotNull(Ship(order, [named], (2, 1)).Fulfilment);
        Assert.NotNull(Ship(Paid(TeaAndMugs, new(3_750, 3_750, 0, false)), []).Fulfilment);
    }

    [Fact]
    public void Money_still_held_pays_for_the_rest_where_each_fulfilment_is_captured()
    {
        var first = Ship(TeaAndMugs, [], (2, 1)).Fulfilment!;
        // The first mug was captured and refunded; the rest is held.
        var order = Paid(TeaAndMugs, new(3_750, 1_200, 1_200, false), onFulfilment: true);
        Assert.NotNull(Ship(order, [first]).Fulfilment);
    }

    [Fact]
    public void A_shipped_order_cannot_be_cancelled()
    {
        var shipped = Ship(TeaAndMugs, [], (1, 1)).Change!.State;
        Assert.Null(OrderRules.Cancel(shipped, "customer", Moment));
    }

    [Fact]
    public void Shipping_and_fees_belong_to_the_first_fulfilment_discounts_and_taxes_to_all()
    {
        var order = Order(
            [new(1, "TEA", 3, 100), new(2, "MUG", 1, 700)],
            [new("shipping", "Post", 499), new("fee", "Box", 1), new("discount", "Ten", -100), new("tax", "VAT", 50)]);
        // The first fulfilment has 100 of the 1,000 for goods, the 500 for shipping and fee, and a tenth of -50.
        Assert.Equal([595L, 855L], ShipAll(order, [(1, 1)], []).Select(fulfilment => fulfilment.ValueMinor));
    }

    [Fact]
    public void The_values_of_a_whole_order_sum_to_the_total_in_any_split()
    {
        var random = new Random(20_261_127);
        for (var round = 0; round < 5_000; round++)
        {
            OrderLine[] lines =
            [
                .. Enumerable.Range(1, random.Next(1, 5)).Select(n => new OrderLine(
                    n, $"S{n}", random.Next(1, 6), random.Next(4) == 0 ? 0 : random.Next(1, 2_000))),
            ];
            var goods = lines.Sum(line => line.Quantity * line.UnitPrice!.Value);
            Adjustment[] adjustments =
            [
                new("shipping", "s", random.Next(0, 600)), new("tax", "t", random.Next(0, 200)),
                // Sometimes more than the goods cost; shipping covers the difference.
                new("discount", "d", -random.Next(0, (int)goods + 100)),
            ];
            var sum = adjustments.Sum(adjustment => adjustment.Amount);
            if (Money.Total(lines, sum) is not { } total) continue;
            var order = Order(lines, adjustments);
            var shipped = new List<Fulfilment>();
            var left = lines.ToDictionary(line => line.Line, line => line.Quantity);
            while (left.Count > 0)
            {
                var line = left.Keys.ElementAt(random.Next(left.Count));
                var quantity = random.Next(1, left[line] + 1);
                var decision = Ship(order, shipped, (line, quantity));
                Assert.True(decision.Fulfilment is { ValueMinor: >= 0 }, $"round {round}");
                shipped.Add(decision.Fulfilment!);
                if ((left[line] -= quantity) == 0) left.Remove(line);
            }
            Assert.Equal(total, shipped.Sum(fulfilment => fulfilment.ValueMinor));
        }
    }
}
