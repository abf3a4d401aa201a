using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary><c>export</c>: orders, payments and movements as NDJSON and CSV, also after an interruption.</summary>
public sealed class ExportTests : IAsyncLifetime
{
    const int Orders = 205;

    readonly string files = HttpHost.NewDirectory();
    HttpHost shop = null!;

    public async ValueTask InitializeAsync()
    {
        shop = await HttpHost.StartAsync(null, "--no-demo");
        await shop.Client.PutAsync("/api/v1/customers/ada", """{"name":"Ada"}""");
        await shop.Client.PostAsync("/api/v1/customers/ada/credits", """{"currency":"GBP","amount":100000000}""");
        foreach (var sku in (string[])["A", "B"])
        {
            await shop.Client.PutAsync($"/api/v1/products/{sku}", """{"name":"Mug","unitPrice":895,"currency":"GBP"}""");
            await shop.Client.PutAsync($"/api/v1/stock/{sku}", """{"onHand":10000}""");
        }
        await Task.WhenAll(Enumerable.Range(0, Orders).Select(i => shop.Client.PostAsync(
            "/api/v1/orders",
            $$"""
            {"customerId":"ada","currency":"GBP","reference":"R,{{i}}",
            "lines":[{"sku":"A","quantity":1},{"sku":"B","quantity":1}]}
            """)));
        foreach (var sku in (string[])["A", "B"])
            await Waiting.UntilAsync(async () =>
                (long)(await shop.Client.AskAsync($"/api/v1/stock/{sku}")).Json["allocated"]! == Orders);
    }

    public async ValueTask DisposeAsync()
    {
        await shop.DisposeAsync();
        Directory.Delete(files, recursive: true);
    }

    [Fact]
    public async Task Every_row_is_exported_once_in_both_formats_and_an_interrupted_export_continues()
    {
        var orders = await ExportAsync("orders", "orders.ndjson");
        Assert.Equal(Orders, orders.Select(line => (string)JsonNode.Parse(line)!["id"]!).Distinct().Count());
        Assert.Equal(Orders, orders.Count);
        Assert.Equal(Orders, (await ExportAsync("payments", "payments.ndjson")).Count);
        var movements = await ExportAsync("movements", "movements.ndjson");
        Assert.Equal((2 * Orders) + 2, movements.Select(line => (long)JsonNode.Parse(line)!["seq"]!).Distinct().Count());
        Assert.Equal((2 * Orders) + 2, movements.Count);

        var table = await ExportAsync("orders", "orders.csv", "--format", "csv");
        Assert.Equal(Orders + 1, table.Count);
        Assert.StartsWith("id,channel,reference,", table[0], StringComparison.Ordinal);
        Assert.All(table.Skip(1), line => Assert.Contains(",\"R,", line, StringComparison.Ordinal));

        // As left by an interruption after the first page, with a part of the second.
        var path = Path.Combine(files, "orders.ndjson");
        var whole = await File.ReadAllBytesAsync(path);
        var first = System.Text.Encoding.UTF8.GetByteCount(string.Concat(orders.Take(200).Select(line => line + "\n")));
        await File.WriteAllBytesAsync(path, whole[..(first + 40)]);
        var cursor = (string)(await shop.Client.AskAsync("/api/v1/orders?limit=200")).Json["nextCursor"]!;
        await File.WriteAllTextAsync(
            path + ".position",
            $$"""{"Rows":"orders as ndjson","Length":{{first}},"Count":200,"Cursor":"{{cursor}}","Sku":null}""");
        var (refused, why) = await shop.RunToolAsync("export", "payments", path);
        Assert.Equal(2, refused);
        Assert.Contains("interrupted export of orders as ndjson", why, StringComparison.Ordinal);
        Assert.Equal(orders, await ExportAsync("orders", "orders.ndjson"));
        Assert.Equal(whole, await File.ReadAllBytesAsync(path));
        Assert.False(File.Exists(path + ".position"));

        var (exit, message) = await shop.RunToolAsync("export", "orders", path);
        Assert.Equal(2, exit);
        Assert.Contains("exists and is complete", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Movements_continue_at_the_product_where_an_export_was_interrupted()
    {
        var all = await ExportAsync("movements", "whole.ndjson");
        var ofA = all.TakeWhile(line => line.Contains("\"sku\":\"A\"", StringComparison.Ordinal)).ToList();
        Assert.Equal(Orders + 1, ofA.Count);
        var path = Path.Combine(files, "part.ndjson");
        var text = string.Concat(ofA.Select(line => line + "\n"));
        await File.WriteAllTextAsync(path, text + all[^1][..20]);
        await File.WriteAllTextAsync(
            path + ".position",
            $$"""{"Rows":"movements as ndjson","Length":{{text.Length}},"Count":{{ofA.Count}},"Cursor":null,"Sku":"A"}""");
        Assert.Equal(all, await ExportAsync("movements", "part.ndjson"));
    }

    async Task<IReadOnlyList<string>> ExportAsync(string kind, string file, params string[] options)
    {
        var path = Path.Combine(files, file);
        var (exit, output) = await shop.RunToolAsync(["export", kind, path, .. options]);
        Assert.True(exit == 0, output);
        return await File.ReadAllLinesAsync(path);
    }
}
