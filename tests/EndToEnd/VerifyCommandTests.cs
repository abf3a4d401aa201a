using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>
/// <c>verify</c> and <c>doctor</c> name the databases they read, and refuse to judge others than the server of ORDERWRIGHT_URL.
/// </summary>
public sealed class VerifyCommandTests : IAsyncLifetime
{
    // Each has the directory data, the default of the tool.
    readonly string mine = HttpHost.NewDirectory();
    readonly string other = HttpHost.NewDirectory();
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        await using (var once = await HttpHost.StartAsync(DataOf(other), "--no-demo"))
            Assert.Equal(0, await once.StopAsync());
        host = await HttpHost.StartAsync(DataOf(mine), "--no-demo");
        await host.Client.PutAsync("/api/v1/products/MUG", """{"name":"Mug","unitPrice":500,"currency":"GBP"}""");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(mine, recursive: true);
        Directory.Delete(other, recursive: true);
    }

    static string DataOf(string directory) => Path.Combine(directory, "data");

    [Fact]
    public async Task The_databases_of_the_server_are_named_first_and_judged()
    {
        var (exit, output) = await ToolAsync(mine, "verify");
        Assert.True(exit == 0, output);
        Assert.StartsWith("Reading ", output, StringComparison.Ordinal);
        Assert.Contains(
            $"Reading order-service: SQLite {Path.Combine(DataOf(mine), "order-service.db")}, created 20", output,
            StringComparison.Ordinal);

        (exit, output) = await ToolAsync(mine, "verify", "--json");
        var json = JsonNode.Parse(output)!;
        Assert.Equal((0, "holds"), (exit, (string?)json["verdict"]));
        Assert.Equal(4, json["read"]!.AsArray().Count);
        Assert.Empty(json["notJudged"]!.AsArray());
    }

    [Fact]
    public async Task Other_databases_than_the_servers_are_refused_by_default_and_judged_by_name()
    {
        var (exit, output) = await ToolAsync(other, "verify");
        Assert.True(exit == 3, output);
        Assert.Contains($"The server at {host.Url} reads a database of", output, StringComparison.Ordinal);
        Assert.DoesNotContain("All invariants hold", output, StringComparison.Ordinal);

        (exit, output) = await ToolAsync(other, "verify", "--data", DataOf(other));
        Assert.True(exit == 0, output);
        Assert.Contains("reads a database of", output, StringComparison.Ordinal);

        (_, output) = await ToolAsync(other, "doctor");
        Assert.Contains("reads a database of", output, StringComparison.Ordinal);
        Assert.Contains(DataOf(other), output, StringComparison.Ordinal);
        (_, output) = await ToolAsync(mine, "doctor");
        Assert.DoesNotContain("reads a database of", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_that_lacks_the_newest_order_is_refused()
    {
        Directory.Delete(DataOf(other), recursive: true);
        Directory.CreateDirectory(DataOf(other));
        foreach (var file in Directory.GetFiles(DataOf(mine), "*.db*"))
            File.Copy(file, Path.Combine(DataOf(other), Path.GetFileName(file)));
        var placed = await host.Client.PostAsync(
            "/api/v1/orders", """{"customerId":"nobody","currency":"GBP","lines":[{"sku":"MUG","quantity":1}]}""",
            ("Prefer", "wait=20"));
        var id = (string)placed.Json["id"]!;

        var (exit, output) = await ToolAsync(other, "verify");
        Assert.True(exit == 3, output);
        Assert.Contains($"has an order {id}, which is missing here", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_reply_is_no_confirmation()
    {
        Assert.Equal(0, await host.StopAsync());
        var (exit, output) = await ToolAsync(mine, "verify");
        Assert.True(exit == 3, output);
        Assert.Contains("does not reply", output, StringComparison.Ordinal);
        (exit, output) = await ToolAsync(mine, "verify", "--data", DataOf(mine));
        Assert.True(exit == 0, output);
    }

    async Task<(int ExitCode, string Output)> ToolAsync(string directory, params string[] arguments)
    {
        var (exit, output, errors) = await HttpHost.RunToolAsync(host.Url, directory, arguments);
        return (exit, output + errors);
    }
}
