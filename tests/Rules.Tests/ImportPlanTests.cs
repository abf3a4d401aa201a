using Orderwright.Cli.Import;
using Orderwright.Contracts;

namespace Orderwright.Rules.Tests;

/// <summary>Plans derived from the lines of a file. Every line has exactly one outcome.</summary>
public class ImportPlanTests
{
    static readonly Openings Plenty = new(Derive: true, ScarceSkuEvery: 0, ShortCustomerEvery: 0);

    static SourceLine Line(
        string invoice, string code, int quantity, decimal price, string customer = "17850", string name = "MUG",
        int number = 2) =>
        new(number, invoice, customer, code, name, quantity, price, "GBP", "", "2010-12-01 08:26:00", "United Kingdom");

    static ImportPlan Plan(params SourceLine[] lines) => Plan(Plenty, lines);

    static ImportPlan Plan(Openings openings, params SourceLine[] lines)
    {
        var numbered = lines.Select((line, i) => line with { Number = i + 2 }).ToList();
        var plan = new OnlineRetail().Plan(new SourceFile("f00d", numbered, []), openings);
        Assert.Equal(0, plan.LinesUnaccountedFor);
        return plan;
    }

    static string[] Decided(ImportPlan plan) =>
        [.. plan.Decided.OrderBy(pair => pair.Key.Why, StringComparer.Ordinal)
            .Select(pair => $"{pair.Key.Class} {pair.Key.Why} {pair.Value}")];

    [Fact]
    public void One_invoice_is_one_order_with_its_lines_in_order()
    {
        var order = Assert.IsType<PlaceOrder>(Assert.Single(Plan(
            Line("536365", "85123A", 6, 2.55m), Line("536365", "71053", 8, 3.39m)).Operations));

        Assert.Equal(("536365", "17850", "GBP", 2), (order.Reference, order.CustomerId, order.Currency, order.Lines));
        Assert.Equal([new OrderLine(1, "85123A", 6, 255), new OrderLine(2, "71053", 8, 339)], order.OrderLines);
        Assert.Equal(new PaymentMethod("balance", null), order.Payment);
        Assert.Equal(6 * 255 + 8 * 339, order.TotalMinor);
    }

    [Fact]
    public void Lines_of_an_invoice_need_not_be_adjacent() =>
        Assert.Equal(
            [2, 1],
            Plan(Line("1", "A", 1, 1), Line("2", "B", 1, 1), Line("1", "C", 1, 1)).Operations.Select(each => each.Lines));

    [Fact]
    public void A_guest_pays_by_card()
    {
        var plan = Plan(Line("1", "A", 1, 1, customer: ""));

        var order = Assert.IsType<PlaceOrder>(plan.Operations[0]);
        Assert.Equal(("guest", new PaymentMethod("sandbox", "tok_visa")), (order.CustomerId, order.Payment));
        Assert.Empty(Assert.Single(plan.Customers).Credits);
    }

    [Fact]
    public void Postage_and_fees_adjust_their_order()
    {
        var order = Assert.IsType<PlaceOrder>(Plan(
            Line("1", "A", 1, 10), Line("1", "POST", 2, 18), Line("1", "POST", 1, 4), Line("1", "m", 1, 0.5m),
            Line("1", "D", 1, 3)).Operations[0]);

        Assert.Equal(
            [("shipping", "Postage", 4000L), ("fee", "Manual", 50L), ("discount", "Discount", -300L)], order.Adjustments);
        Assert.Equal((5, 1000 + 4000 + 50 - 300), (order.Lines, order.TotalMinor));
    }

    [Fact]
    public void An_invoice_without_goods_is_left_out() =>
        Assert.Equal(["LeftOut no_goods 2"], Decided(Plan(Line("1", "DOT", 1, 9), Line("1", "BANK CHARGES", 1, 5))));

    [Fact]
    public void Bad_debt_is_left_out() => Assert.Equal(["LeftOut bad_debt 1"], Decided(Plan(Line("A563185", "B", 1, 11062.06m))));

    [Fact]
    public void A_credit_note_for_a_complete_sale_cancels_the_order()
    {
        var plan = Plan(
            Line("1", "A", 1, 10), Line("1", "POST", 1, 18), Line("2", "A", 1, 10),
            Line("C3", "POST", -1, 18), Line("C3", "A", -1, 10));

        var cancel = Assert.IsType<CancelOrder>(plan.Operations[2]);
        Assert.Equal((0, 2), (cancel.Sale, cancel.Lines));
        Assert.Equal([0], cancel.After);
    }

    [Fact]
    public void A_sale_is_cancelled_once_and_the_latest_first()
    {
        var plan = Plan(
            Line("1", "A", 1, 10), Line("2", "A", 1, 10), Line("C3", "A", -1, 10), Line("C4", "A", -1, 10),
            Line("C5", "A", -1, 10));

        Assert.Equal([1, 0], plan.Operations.OfType<CancelOrder>().Select(cancel => cancel.Sale));
        Assert.Equal(["LeftOut sale_unknown 1"], Decided(plan));
    }

    [Fact]
    public void Returned_goods_of_a_sale_increase_the_stock()
    {
        var plan = Plan(Line("1", "A", 5, 10), Line("1", "B", 1, 10), Line("C2", "A", -3, 10));

        var adjustment = Assert.IsType<AdjustStock>(plan.Operations[1]);
        Assert.Equal(("A", 3, "returned"), (adjustment.Sku, adjustment.Delta, adjustment.Reason));
        Assert.Equal([0], adjustment.After);
        Assert.Equal("C2 line 4: MUG", adjustment.Note);
    }

    [Fact]
    public void A_return_depends_on_as_many_sales_as_needed()
    {
        var plan = Plan(Line("1", "A", 5, 10), Line("2", "A", 2, 11), Line("C3", "A", -4, 10), Line("C4", "A", -4, 10));

        Assert.Equal([1, 0], plan.Operations[2].After);
        Assert.Equal(["LeftOut more_returned_than_sold 1"], Decided(plan));
    }

    [Fact]
    public void A_partly_returned_sale_is_not_cancelled()
    {
        var plan = Plan(Line("1", "A", 5, 10), Line("C2", "A", -3, 10), Line("C3", "A", -5, 10));

        Assert.DoesNotContain(plan.Operations, operation => operation is CancelOrder);
        Assert.Equal(["LeftOut more_returned_than_sold 1"], Decided(plan));
    }

    [Fact]
    public void A_return_without_a_sale_is_left_out() =>
        Assert.Equal(
            ["LeftOut sale_unknown 1"], Decided(Plan(Line("1", "A", 5, 10), Line("C2", "A", -3, 10, customer: "12345"))));

    [Fact]
    public void A_discount_after_the_sale_is_left_out() =>
        Assert.Equal(["LeftOut credit_without_goods 1"], Decided(Plan(Line("C2", "D", -1, 27.5m))));

    [Fact]
    public void A_gift_in_an_order_costs_nothing()
    {
        var order = Assert.IsType<PlaceOrder>(Plan(Line("1", "A", 1, 10), Line("1", "B", 2, 0)).Operations[0]);

        Assert.Equal([1000L, 0L], order.OrderLines.Select(line => line.UnitPrice));
    }

    [Fact]
    public void A_gift_to_a_customer_is_an_order_of_its_own() =>
        Assert.Equal(0, Assert.IsType<PlaceOrder>(Plan(Line("1", "A", 2, 0)).Operations[0]).TotalMinor);

    [Theory]
    [InlineData(-3, "damaged", "damaged")]
    [InlineData(-3, "wet pallet", "damaged")]
    [InlineData(-3, "???missing", "lost")]
    [InlineData(-3, "", "other")]
    [InlineData(3, "Found in w/hse", "found")]
    [InlineData(3, "", "found")]
    [InlineData(3, "returned", "returned")]
    [InlineData(3, "amazon", "other")]
    public void Notes_of_the_stock_room_adjust_the_stock(int quantity, string says, string reason)
    {
        var adjustment = Assert.IsType<AdjustStock>(Plan(Line("1", "A", quantity, 0, customer: "", name: says)).Operations[0]);

        Assert.Equal((quantity, reason), (adjustment.Delta, adjustment.Reason));
    }

    [Fact]
    public void Opening_stock_covers_all_demand_for_a_product()
    {
        var plan = Plan(
            Line("1", "A", 5, 10), Line("2", "A", 2, 11, customer: ""), Line("3", "A", -4, 0, customer: ""),
            Line("C4", "A", -1, 10));

        Assert.Equal(new OpeningProduct("A", "MUG", 1000, "GBP", 5 + 2 + 4), Assert.Single(plan.Products));
        Assert.All(plan.Operations, operation => Assert.Empty(operation.Alone.Concat(operation.Beside)));
    }

    [Fact]
    public void Credit_covers_everything_a_customer_spends() =>
        Assert.Equal(
            [("GBP", 5000L + 700)],
            Assert.Single(Plan(Line("1", "A", 5, 10), Line("2", "B", 1, 7)).Customers).Credits);

    [Fact]
    public void Order_matters_once_a_resource_may_be_exhausted()
    {
        var plan = Plan(
            new Openings(Derive: true, ScarceSkuEvery: 1, ShortCustomerEvery: 1),
            Line("1", "A", 60, 10), Line("2", "A", 40, 10, customer: ""), Line("3", "A", -40, 0, customer: ""),
            Line("C4", "A", -60, 10), Line("5", "A", 10, 10));

        Assert.Equal(150 * 95 / 100, Assert.Single(plan.Products).Opening);
        Assert.Equal([("GBP", 63_000L)], plan.Customers.Single(customer => customer.Id == "17850").Credits);
        var places = plan.Operations.Select(each => $"{string.Join(' ', each.Beside)} | {string.Join(' ', each.Alone)}");
        Assert.Equal(
            [
                "sku:A customer:17850:GBP | ",
                "sku:A | ",
                "sku:A | ",
                // A return takes nothing, so the operation still shares the key.
                "sku:A customer:17850:GBP | ",
                " | sku:A customer:17850:GBP",
            ],
            places);
    }

    [Fact]
    public void A_single_order_beyond_the_stock_is_exclusive()
    {
        var openings = new Openings(Derive: true, ScarceSkuEvery: 1, ShortCustomerEvery: 0);
        var order = Plan(openings, Line("1", "A", 100, 10)).Operations[0];

        Assert.Equal(["sku:A"], order.Alone);
        Assert.Empty(order.Beside);
    }

    [Fact]
    public void Equal_lines_result_in_equal_plans()
    {
        SourceLine[] lines = [Line("1", "A", 5, 10), Line("2", "B", 1, 7), Line("C3", "A", -5, 10), Line("4", "A", -1, 0, "")];
        var openings = new Openings(Derive: true, ScarceSkuEvery: 2, ShortCustomerEvery: 2);

        Assert.Equivalent(Plan(openings, lines), Plan(openings, lines), strict: true);
    }

    [Fact]
    public void A_price_that_no_amount_can_hold_is_unreadable()
    {
        const string Heading = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
        var bytes = System.Text.Encoding.UTF8.GetBytes(
            $"{Heading}\n1,A,MUG,6,2010-12-01,9223372036854775808,17850.0,France\n");

        var file = CsvFile.Read("retail.csv", () => new MemoryStream(bytes), new OnlineRetail());

        Assert.Empty(new OnlineRetail().Plan(file, Plenty).Operations);
        Assert.Equal(2, Assert.Single(file.Bad).Number);
    }

    [Theory]
    [InlineData("85123A", "85123A")]
    [InlineData("85123a", "85123a")]
    [InlineData("gift_0001_20", "gift_0001_20")]
    [InlineData("BANK CHARGES", "x-BANK_20CHARGES")]
    [InlineData("x-BANK_20CHARGES", "x-x_2dBANK_5f20CHARGES")]
    public void Codes_that_do_not_fit_are_escaped_and_never_meet(string code, string sku) => Assert.Equal(sku, Skus.Normal(code));

    [Fact]
    public void Long_codes_end_in_their_digest()
    {
        var one = Skus.Normal(new string('ä', 80));
        var other = Skus.Normal(new string('ä', 81));

        Assert.Equal((64, 64), (one.Length, other.Length));
        Assert.NotEqual(one, other);
    }
}
