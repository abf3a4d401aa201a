namespace Orderwright.EndToEnd.Contract;

/// <summary>The TypeScript client, generated from the committed document, compiled, and run against a server.</summary>
public sealed class TypeScriptClientTests
{
    [Fact]
    public async Task The_client_places_waits_pages_cancels_and_reads_events()
    {
        var folder = await NodePackages.FolderAsync();
        var bin = Path.Combine(folder, "node_modules", ".bin");
        await RunAsync(
            Path.Combine(bin, "openapi-typescript"),
            [ApiContract.Path, "--output", Path.Combine(folder, "src", "schema.ts")], []);
        await RunAsync(Path.Combine(bin, "tsc"), ["--project", folder], []);
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        var output = await RunAsync(
            "node", ["--test", Path.Combine(folder, "dist", "test", "client.test.js")],
            [("ORDERWRIGHT_URL", host.Url.AbsoluteUri.TrimEnd('/'))]);
        Assert.Contains("pass 2", output, StringComparison.Ordinal);
    }

    static async Task<string> RunAsync(string program, string[] arguments, (string, string)[] variables)
    {
        var (exit, output) = await NodePackages.StartAsync(program, arguments, variables);
        Assert.True(exit == 0, output);
        return output;
    }
}
