using System.Text;
using System.Text.Json;
using Orderwright.Cli;
using Orderwright.Cli.Import;
using Orderwright.Contracts;

namespace Orderwright.Rules.Tests;

/// <summary>Orders of a file are placed whole or left out, and compared with orders placed earlier.</summary>
public class ImportOrderTests
{
    static ImportPlan Plan(string text, bool derive = false)
    {
        var profile = new GeneralCsv("EUR");
        var file = CsvFile.Read("file.csv", () => new MemoryStream(Encoding.UTF8.GetBytes(text)), profile);
        var plan = profile.Plan(file, new Openings(derive));
        Assert.Equal(0, plan.LinesUnaccountedFor);
        return plan;
    }

    static string[] Placed(ImportPlan plan) => [.. plan.Operations.Cast<PlaceOrder>().Select(order => order.Reference)];

    static string[] LeftOut(ImportPlan plan) =>
    [
        .. plan.LeftOut.Select(order =>
            $"{order.Reference}: {string.Join("; ", order.Reasons.Select(bad => $"{bad.Number} {bad.Why}"))}"),
    ];

    [Fact]
    public void An_order_with_a_bad_line_is_left_out_whole_with_every_reason()
    {
        var plan = Plan(
            """
            order,customer,sku,quantity
            A1,ada,MUG,1
            A2,bob,MUG,1
            A1,ada,TEE,one
            A1,ada,CUP,two
            """);

        Assert.Equal(["A2"], Placed(plan));
        Assert.Equal(["A1: 4 quantity is one: not a number; 5 quantity is two: not a number"], LeftOut(plan));
        Assert.Equal([2], plan.LeftOut[0].Lines);
        Assert.Equal(Exit.Refused, new ImportReport(plan, isDryRun: true).ExitCode);
    }

    [Fact]
    public void Scattered_lines_of_an_order_are_gathered() =>
        Assert.Equal(
            [2, 1],
            Plan("order,customer,sku,quantity\nA1,ada,MUG,1\nA2,bob,MUG,1\nA1,ada,TEE,1\n")
                .Operations.Select(each => each.Lines));

    [Fact]
    public void A_line_that_contradicts_its_order_leaves_the_order_out()
    {
        var plan = Plan("order,customer,sku,quantity\n1,alice,MUG,1\n1,bob,MUG,1\n1,alice,CUP,1\n");

        Assert.Equal(["1: 3 customer differs from that of order 1 in line 2"], LeftOut(plan));
        Assert.Equal((0, 3), (plan.Operations.Count, plan.TotalLines));
    }

    [Theory]
    // The line names an order that was read.
    [InlineData("A1,ada,MUG,1\nA2,bob,MUG,1\nA1,ada,CUP\n", "A2")]
    [InlineData("A1,ada,MUG,1\nA2,bob,MUG,1\nx,A1,ada,CUP,1\n", "A2")]
    // The line names no order, and may belong to the order above.
    [InlineData("A1,ada,MUG,1\nada,CUP,1\nA2,bob,MUG,1\n", "A2")]
    [InlineData("A1,ada,MUG,1\n,,CUP,1\nA2,bob,MUG,1\n", "A2")]
    // The line is the only one of its order.
    [InlineData("A1,ada,MUG,1\nA2,bob,MUG,none\nA3,eve,MUG,1\n", "A1 A3")]
    public void A_line_of_uncertain_order_leaves_out_every_order_that_may_lack_the_line(string lines, string placed) =>
        Assert.Equal(placed.Split(' '), Placed(Plan($"order,customer,sku,quantity\n{lines}")));

    [Fact]
    public void Before_a_quote_that_is_never_closed_complete_orders_are_placed()
    {
        var plan = Plan("order,customer,sku,quantity\nA1,ada,MUG,1\nA2,bob,MUG,1\nA3,eve,MUG,1\nA4,kim,\"TEE,1\nA2,bob,CUP,1\n");

        Assert.Equal(["A1"], Placed(plan));
        Assert.Equal(["A2", "A4", "A3"], plan.LeftOut.Select(order => order.Reference));
    }

    [Theory]
    [InlineData("A 1 €,ad a,MUG,1,1.00", "customer: 1 to 64 of A-Z a-z 0-9 . _ - (invalid_id)")]
    [InlineData("A1,ada,M/G,1,1.00", "sku: 1 to 64 of A-Z a-z 0-9 . _ - (invalid_id)")]
    [InlineData("A1,ada,MUG,0,1.00", "quantity: A whole number from 1 to 1000000 (out_of_range)")]
    [InlineData("A1,ada,MUG,1000001,1.00", "quantity: A whole number from 1 to 1000000 (out_of_range)")]
    [InlineData("A1,ada,MUG,1,99999999999.00", "unit_price: A whole number from 0 to 1000000000000 (out_of_range)")]
    [InlineData("\"A\n1\",ada,MUG,1,1.00", "(invalid_text)")]
    [InlineData("4242424242424242,ada,MUG,1,1.00", "card_number")]
    public void Orders_are_checked_by_the_rules_of_the_server(string line, string reason)
    {
        var plan = Plan($"order,customer,sku,quantity,unit_price\nA0,ada,MUG,1,1.00\n{line}\n");

        Assert.Equal(["A0"], Placed(plan));
        var order = Assert.Single(plan.LeftOut);
        Assert.Contains(reason, Assert.Single(order.Reasons).Why, StringComparison.Ordinal);
        Assert.Equal(3, order.Reasons[0].Number);
    }

    [Fact]
    public void An_order_has_at_most_as_many_lines_as_the_server_takes()
    {
        var lines = string.Concat(Enumerable.Range(0, 2_001).Select(i => $"A1,ada,SKU-{i},1\n"));

        Assert.Equal(["A1: 2 lines: 1 to 2000 lines (out_of_range)"], LeftOut(Plan($"order,customer,sku,quantity\n{lines}")));
    }

    [Fact]
    public void A_total_out_of_range_leaves_the_order_out() =>
        Assert.Contains(
            "total_out_of_range",
            Assert.Single(LeftOut(Plan(
                "order,customer,sku,quantity,unit_price\n" + string.Concat(
                    Enumerable.Repeat("A1,ada,MUG,1000000,9999999999.00\n", 10))))), StringComparison.Ordinal);

    [Fact]
    public void Codes_are_escaped_only_where_the_import_creates_the_products()
    {
        const string Text = "order,customer,sku,quantity\nA1,José,café,1\nA2,Josè,cafè,1\n";

        Assert.Empty(Placed(Plan(Text)));
        var derived = Plan(Text, derive: true);
        Assert.Equal(["A1", "A2"], Placed(derived));
        Assert.Equal((2, 2), (derived.Products.Count, derived.Customers.Count));
    }

    [Fact]
    public void A_file_without_a_complete_order_is_unreadable() =>
        Assert.Equal(
            Exit.Unreadable, new ImportReport(Plan("order,customer,sku,quantity\nA1,ada,MUG,x\n"), isDryRun: true).ExitCode);

    [Fact]
    public void The_request_names_the_import_and_the_lines_of_the_file()
    {
        var order = (PlaceOrder)Plan("order,customer,sku,quantity\nA1,ada,MUG,1\nA1,ada,CUP,1\n").Operations[0];

        var metadata = OrderBody.Of(order, "f00d")["metadata"]!;
        Assert.Equal(("f00d", "2"), ((string?)metadata["import"], (string?)metadata["importLines"]));
        // Counted in the file, not in the order: an order that lacks a line says so.
        Assert.Equal("3", (string?)OrderBody.Of(order with { FileLines = 3 }, "f00d")["metadata"]!["importLines"]);
    }

    static readonly PlaceOrder Wanted = new(
        "#1001", "ada", "EUR", [new(1, "MUG", 1, 250), new(2, "TEE", 2, null)], [("shipping", "Postage", 400)],
        new PaymentMethod("balance", null), "", "", 2);

    static string[] Differences(string json) =>
        [.. OrderDifference.Between(Wanted, JsonElement.Parse(json))
            .Select(each => $"{each.Property}: {each.InFile ?? "-"} | {each.OnServer ?? "-"}")];

    const string Same =
        """
        {"customerId":"ada","currency":"EUR","lines":[
            {"sku":"TEE","quantity":2,"unitPrice":1500},{"sku":"MUG","quantity":1,"unitPrice":250}],
         "adjustments":[{"type":"shipping","label":"Postage","amount":400}]}
        """;

    [Fact]
    public void An_order_placed_earlier_with_the_same_content_is_the_order_of_the_file() => Assert.Empty(Differences(Same));

    [Theory]
    [InlineData("\"ada\"", "\"bob\"", "customer: ada | bob")]
    [InlineData("\"EUR\"", "\"GBP\"", "currency: EUR | GBP")]
    [InlineData("\"quantity\":2", "\"quantity\":3", "line: 2 × TEE | -, line: - | 3 × TEE at 15.00 EUR")]
    [InlineData("250", "251", "line: 1 × MUG at 2.50 EUR | -, line: - | 1 × MUG at 2.51 EUR")]
    [InlineData("250", "null", "line: 1 × MUG at 2.50 EUR | -, line: - | 1 × MUG")]
    [InlineData(",{\"sku\":\"MUG\",\"quantity\":1,\"unitPrice\":250}", "", "line: 1 × MUG at 2.50 EUR | -")]
    [InlineData("\"amount\":400", "\"amount\":0", "adjustments: shipping Postage 400 | shipping Postage 0")]
    public void Each_difference_from_an_order_placed_earlier_is_named(string part, string other, string differences)
    {
        Assert.Contains(part, Same, StringComparison.Ordinal);
        Assert.Equal(differences, string.Join(", ", Differences(Same.Replace(part, other, StringComparison.Ordinal))));
    }

    [Fact]
    public void Progress_names_the_rate_and_the_time_that_remains()
    {
        Assert.Equal("300 of 1300 operations, 50/s, about 00:00:20 left", ImportCommand.ProgressLine(300, 1_300, 50));
        Assert.Equal("0 of 1300 operations, 0/s", ImportCommand.ProgressLine(0, 1_300, 0));
    }
}
