using System.Text.Json.Nodes;
using Orderwright.EndToEnd;

namespace Orderwright.ConsoleTests;

/// <summary>Demo shop in the all-in-one process.</summary>
public sealed class DemoShop : Shop
{
    HttpHost host = null!;

    public override Uri Url => host.Url;

    protected override int Patience => 10;

    protected override async Task StartAsync()
    {
        host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
    }

    protected override HttpClient ClientOf(string path) => host.Client;

    public override async Task<IReadOnlyList<JsonNode>> ListAuditAsync(string orderId) =>
        [.. (await GetAsync($"audit?orderId={orderId}"))["items"]!.AsArray().Select(entry => entry!)];

    /// <summary>Runs a verb of the command line against the shop.</summary>
    public Task<(int Exit, string Output)> RunToolAsync(params string[] arguments) => host.RunToolAsync(arguments);

    public override ValueTask DisposeAsync() => host.DisposeAsync();
}
