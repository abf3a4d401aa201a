using System.IO.Compression;
using System.Text;
using Orderwright.Cli;
using Orderwright.Cli.Import;
using Orderwright.Contracts;

namespace Orderwright.Rules.Tests;

/// <summary>Reading of files: gzipped or plain, with unreadable lines.</summary>
public class ImportFileTests
{
    const string Retail = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

    static async Task<SourceFile> ReadAsync(string text, IImportProfile profile, bool gzipped = false)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            await using (var file = File.Create(path))
            await using (var stream = gzipped ? new GZipStream(file, CompressionLevel.Fastest) : (Stream)file)
                await stream.WriteAsync(bytes);
            return await CsvFile.ReadAsync(path, profile, CancellationToken.None);
        }
        finally
        {
            File.Delete(path);
        }
    }

    static ImportPlan Plan(SourceFile file, string currency = "EUR") =>
        new GeneralCsv(currency).Plan(file, new Openings(Derive: false));

    [Fact]
    public async Task A_gzipped_file_is_the_same_import_as_the_plain_one()
    {
        var text = $"{Retail}\n536365,85123A,\"MUG, \"\"white\"\"\",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n";

        var plain = await ReadAsync(text, new OnlineRetail());
        var gzipped = await ReadAsync(text, new OnlineRetail(), gzipped: true);

        Assert.Equal(plain.Id, gzipped.Id);
        Assert.Equal(plain.Lines, gzipped.Lines);
        Assert.Equal(
            new SourceLine(
                2, "536365", "17850", "85123A", "MUG, \"white\"", 6, 2.55m, "GBP", "", "2010-12-01 08:26:00", "United Kingdom"),
            Assert.Single(plain.Lines));
    }

    [Fact]
    public async Task Unreadable_lines_are_reported_by_number_and_do_not_stop_the_import()
    {
        var file = await ReadAsync(
            $"""
            {Retail}
            1,A,MUG,six,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
            1,A,MUG,6,2010-12-01 08:26:00,2.55,17850.0
            1,A,"MUG,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
            1,,MUG,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
            1,A,MUG,0,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
            1,A,MUG,1,2010-12-01 08:26:00,-2.55,17850.0,United Kingdom

            1,A,MUG,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
            """, new OnlineRetail());

        Assert.Equal([2, 3, 4, 5, 6, 7], file.Bad.Select(bad => bad.Number));
        Assert.Equal("Quantity is six", file.Bad[0].Why);
        Assert.Equal("7 fields instead of 8 as in the heading", file.Bad[1].Why);
        Assert.Equal("unclosed quote", file.Bad[2].Why);
        Assert.Equal(9, Assert.Single(file.Lines).Number);
        Assert.Equal(7, file.TotalLines);
    }

    [Fact]
    public async Task A_missing_column_is_named()
    {
        var error = await Assert.ThrowsAsync<ToolException>(() => ReadAsync("order,sku,quantity\n", new GeneralCsv("EUR")));

        Assert.Equal(Exit.Usage, error.Exit);
        Assert.Contains("customer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_general_file_needs_four_columns()
    {
        var plan = Plan(await ReadAsync("quantity,SKU,customer,order\n2,MUG,alice,1\n", new GeneralCsv("EUR")));

        var order = Assert.IsType<PlaceOrder>(Assert.Single(plan.Operations));
        Assert.Equal([new OrderLine(1, "MUG", 2, null)], order.OrderLines);
        Assert.Equal(("EUR", new PaymentMethod("balance", null)), (order.Currency, order.Payment));
        Assert.Equal(["sku:MUG", "customer:alice:EUR"], order.Alone);
        Assert.Empty(plan.Products);
    }

    [Theory]
    [InlineData("2.55", "GBP", 255L)]
    [InlineData("255", "JPY", 255L)]
    [InlineData("0.005", "KWD", 5L)]
    [InlineData("2.555", "GBP", null)]
    [InlineData("2.5", "JPY", null)]
    [InlineData("-1", "GBP", null)]
    [InlineData("1e3", "GBP", null)]
    public async Task A_price_has_the_decimals_of_its_currency(string price, string currency, long? minor)
    {
        var file = await ReadAsync(
            $"order,customer,sku,quantity,unit_price,currency\n1,alice,MUG,1,{price},{currency}\n", new GeneralCsv("EUR"));

        Assert.Equal(minor is null ? 1 : 0, file.Bad.Count);
        if (minor is not null) Assert.Equal(minor, Assert.IsType<PlaceOrder>(Plan(file).Operations[0]).OrderLines[0].UnitPrice);
    }

    [Fact]
    public async Task A_line_of_another_customer_in_the_same_order_is_unreadable()
    {
        var plan = Plan(await ReadAsync(
            "order,customer,sku,quantity\n1,alice,MUG,1\n1,bob,MUG,1\n1,alice,CUP,1\n", new GeneralCsv("EUR")));

        Assert.Equal(3, Assert.Single(plan.Bad).Number);
        Assert.Equal((0, 3, 2), (plan.LinesUnaccountedFor, plan.TotalLines, plan.Operations[0].Lines));
    }

    [Fact]
    public async Task A_token_pays_at_the_sandbox() =>
        Assert.Equal(
            new PaymentMethod("sandbox", "tok_visa"),
            Assert.IsType<PlaceOrder>(Plan(await ReadAsync(
                "order,customer,sku,quantity,payment\n1,alice,MUG,1,tok_visa\n", new GeneralCsv("EUR"))).Operations[0]).Payment);
}
