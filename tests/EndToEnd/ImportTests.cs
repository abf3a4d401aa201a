using System.Text;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>A shop with three products and three customers with store credit.</summary>
public sealed class ImportShop : IAsyncLifetime
{
    public HttpHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Host = await HttpHost.StartAsync(null, "--no-demo");
        foreach (var (sku, price) in new[] { ("MUG", 250), ("TEE", 1_500), ("CUP", 100) })
        {
            await Host.Client.PutAsync(
                $"/api/v1/products/{sku}", $$"""{"name":"{{sku}}","unitPrice":{{price}},"currency":"EUR"}""");
            await Host.Client.PutAsync($"/api/v1/stock/{sku}", """{"onHand":1000}""");
        }
        foreach (var customer in new[] { "ada", "bob", "eve" })
        {
            await Host.Client.PutAsync($"/api/v1/customers/{customer}", $$"""{"name":"{{customer}}"}""");
            await Host.Client.PostAsync(
                $"/api/v1/customers/{customer}/credits", """{"amount":1000000,"currency":"EUR","reference":"opening"}""");
        }
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}

/// <summary><c>import</c> as an operator runs it: a file, a server, an exit code and a report.</summary>
public sealed class ImportTests(ImportShop shop) : IClassFixture<ImportShop>
{
    sealed record Result(int Exit, string Output, string Errors, JsonNode? Report);

    Task<Result> ImportAsync(string text, params string[] arguments) => ImportAsync(Encoding.UTF8.GetBytes(text), arguments);

    async Task<Result> ImportAsync(byte[] content, params string[] arguments)
    {
        var folder = HttpHost.NewDirectory();
        try
        {
            var (file, report) = (Path.Combine(folder, "orders.csv"), Path.Combine(folder, "report.json"));
            await File.WriteAllBytesAsync(file, content);
            var (exit, output, errors) = await HttpHost.RunToolAsync(
                shop.Host.Url, "", ["import", file, "--json", report, .. arguments]);
            return new(exit, output, errors, File.Exists(report) ? JsonNode.Parse(await File.ReadAllTextAsync(report)) : null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The order with a reference as <c>customer: quantity × sku, …</c>; null if there is none.</summary>
    async Task<string?> OrderAsync(string reference)
    {
        var found = await shop.Host.Client.AskAsync($"/api/v1/orders?reference={Uri.EscapeDataString(reference)}");
        var orders = found.Json["items"]!.AsArray();
        Assert.True(orders.Count <= 1);
        return orders.Count == 0
            ? null
            : $"{orders[0]!["customerId"]}: " + string.Join(
                ", ", orders[0]!["lines"]!.AsArray().Select(line => $"{line!["quantity"]} × {line["sku"]}"));
    }

    [Fact]
    public async Task A_field_with_line_breaks_is_one_field()
    {
        var result = await ImportAsync(
            "order,customer,sku,quantity,note\nB1,ada,MUG,1,\"ring\nX1,bob,TEE,50,\nthanks\"\n");

        Assert.Equal(0, result.Exit);
        Assert.Equal(("ada: 1 × MUG", null), (await OrderAsync("B1"), await OrderAsync("X1")));
        Assert.Equal(1, (int)result.Report!["orders"]!["confirmed"]!);
    }

    [Fact]
    public async Task An_order_with_a_bad_line_is_placed_only_when_the_line_is_mended()
    {
        var bad = await ImportAsync("order,customer,sku,quantity\nP1,ada,MUG,1\nP1,ada,TEE,one\nP2,bob,CUP,1\n");

        Assert.Equal(3, bad.Exit);
        Assert.Equal((null, "bob: 1 × CUP"), (await OrderAsync("P1"), await OrderAsync("P2")));
        var leftOut = Assert.Single(bad.Report!["leftOut"]!.AsArray())!;
        Assert.Equal(("P1", 3), ((string?)leftOut["order"], (int)leftOut["reasons"]![0]!["line"]!));
        Assert.Contains("order P1 is left out: line 3: quantity is one", bad.Output, StringComparison.Ordinal);

        var mended = await ImportAsync("order,customer,sku,quantity\nP1,ada,MUG,1\nP1,ada,TEE,1\nP2,bob,CUP,1\n");

        Assert.Equal((0, 2), (mended.Exit, (int)mended.Report!["orders"]!["confirmed"]!));
        Assert.Equal(("ada: 1 × MUG, 1 × TEE", "bob: 1 × CUP"), (await OrderAsync("P1"), await OrderAsync("P2")));
    }

    [Fact]
    public async Task A_reference_of_another_order_is_a_difference()
    {
        Assert.Equal(0, (await ImportAsync("order,customer,sku,quantity,unit_price\n#1001,ada,MUG,1,2.50\n")).Exit);

        var other = await ImportAsync("order,customer,sku,quantity,unit_price\n#1001,bob,TEE,3,15.00\n#1002,bob,CUP,1,1.00\n");

        Assert.Equal(3, other.Exit);
        Assert.Equal(("ada: 1 × MUG", "bob: 1 × CUP"), (await OrderAsync("#1001"), await OrderAsync("#1002")));
        var difference = Assert.Single(other.Report!["differences"]!.AsArray())!;
        Assert.Equal(
            ["customer bob ada", "line 3 × TEE at 15.00 EUR ", "line  1 × MUG at 2.50 EUR"],
            difference["properties"]!.AsArray().Select(each => $"{each!["property"]} {each["file"]} {each["server"]}"));
        Assert.Equal(0, (await ImportAsync("order,customer,sku,quantity,unit_price\n#1001,ada,MUG,1,2.50\n\n")).Exit);
    }

    [Fact]
    public async Task A_file_in_another_encoding_is_refused_until_the_encoding_is_given()
    {
        var text = Encoding.Latin1.GetBytes(
            "order,customer,sku,quantity,unit_price\nE1,José,café,1,1.00\nE2,Josè,cafè,1,1.00\n");
        string[] derive = ["--derive", "--scarce-every", "0", "--short-every", "0"];

        var refused = await ImportAsync(text, derive);
        Assert.Equal(7, refused.Exit);
        Assert.Contains(
            "line 2: not utf-8. Pass --encoding, such as --encoding windows-1252", refused.Errors, StringComparison.Ordinal);

        var read = await ImportAsync(text, [.. derive, "--encoding", "windows-1252"]);
        Assert.Equal((0, 2, 2), (read.Exit, (int)read.Report!["customers"]!, (int)read.Report["products"]!));
        Assert.NotEqual(await OrderAsync("E1"), await OrderAsync("E2"));
    }

    [Fact]
    public async Task An_export_with_its_own_headings_is_read_with_options()
    {
        var result = await ImportAsync(
            "sep=;\nName;Email;Lineitem sku;Lineitem quantity;Lineitem price;;\nS1;ada;MUG;1.0000;2,50;;\nS1;;TEE;2;15,00;;\n",
            "--map", "order=Name,customer=Email,sku=Lineitem sku", "--map", "quantity=Lineitem quantity",
            "--map", "unit_price=Lineitem price", "--fill-down");

        Assert.Equal(0, result.Exit);
        Assert.Equal("ada: 1 × MUG, 2 × TEE", await OrderAsync("S1"));
    }

    [Fact]
    public async Task A_dry_run_checks_the_file_and_sends_nothing()
    {
        const string Text = "order,customer,sku,quantity\nD1,ada,MUG,1\nD2,ada,M/G,1\n";
        var result = await ImportAsync(Text, "--dry-run");

        Assert.Equal(3, result.Exit);
        Assert.Null(await OrderAsync("D1"));
        Assert.Equal(1, (int)result.Report!["counts"]!["checked"]!["dry_run"]!);
        Assert.Contains("invalid_id", (string?)result.Report["leftOut"]![0]!["reasons"]![0]!["why"], StringComparison.Ordinal);
        Assert.True((bool)result.Report["dryRun"]! && (bool)result.Report["complete"]! && (bool)result.Report["addsUp"]!);
    }

    [Theory]
    [InlineData("order,customer,sku,quantity\nN1,ada,MUG,x\n", 7)]
    [InlineData("a,b,c\n", 7)]
    [InlineData("", 7)]
    [InlineData("order,customer,sku,quantity\n", 7)]
    [InlineData("order,customer,sku,quantity\n", 2, "--encoding", "latin-99")]
    [InlineData("order,customer,sku,quantity\n", 2, "--delimiter", "ab")]
    [InlineData("order,customer,sku,quantity\n", 2, "--map", "colour=Colour")]
    public async Task An_exit_code_tells_what_happened(string text, int exit, params string[] arguments) =>
        Assert.Equal(exit, (await ImportAsync(text, arguments)).Exit);

    [Fact]
    public async Task A_server_that_does_not_answer_has_an_exit_code_and_leaves_a_report()
    {
        var folder = HttpHost.NewDirectory();
        var (file, report) = (Path.Combine(folder, "orders.csv"), Path.Combine(folder, "report.json"));
        await File.WriteAllTextAsync(file, "order,customer,sku,quantity\nU1,ada,MUG,1\n");

        var (exit, _, errors) = await HttpHost.RunToolAsync(
            new Uri($"http://127.0.0.1:{HttpHost.FreePort()}"), "", "import", file, "--json", report);

        Assert.Equal(4, exit);
        Assert.Contains("does not answer", errors, StringComparison.Ordinal);
        Assert.False((bool)JsonNode.Parse(await File.ReadAllTextAsync(report))!["complete"]!);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_report_can_be_printed()
    {
        var folder = HttpHost.NewDirectory();
        var file = Path.Combine(folder, "orders.csv");
        await File.WriteAllTextAsync(file, "order,customer,sku,quantity\nJ1,ada,MUG,1\n");

        var (exit, output, _) = await HttpHost.RunToolAsync(shop.Host.Url, "", "import", file, "--json");

        Assert.Equal((0, 1), (exit, (int)JsonNode.Parse(output)!["orders"]!["confirmed"]!));
        Directory.Delete(folder, recursive: true);
    }
}
