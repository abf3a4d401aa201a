using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.SandboxGateway;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Runtime.Transport;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Conformance.Customer;

/// <summary>The sandbox gateway on a free port, and a provider connected to the gateway.</summary>
sealed class HttpGateway : IAsyncDisposable
{
    public const string Secret = "shared with the gateway";
    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    readonly SqliteDatabase database;
    readonly RunningService service;
    readonly WebApplication web;

    HttpGateway(SqliteDatabase database, RunningService service, WebApplication web)
    {
        (this.database, this.service, this.web) = (database, service, web);
        Url = new Uri(web.Urls.Single());
        Provider = ProviderWith(Secret);
        Client = new HttpClient { BaseAddress = new Uri(Url, "v1/") };
    }

    public Uri Url { get; }

    public HttpProvider Provider { get; }

    public HttpClient Client { get; }

    public static async Task<HttpGateway> StartAsync(string file, params (string Name, string Value)[] settings)
    {
        var options = new RuntimeOptions();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [
                new("GatewaySecret", Secret), new("SandboxSlow", "50ms"),
                .. settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)),
            ]).Build();
        var database = new SqliteDatabase(file, options);
        var service = new RunningService(
            new GatewayModule(), database, new InProcessTransport(options, SteadyTime.Shared), options, configuration,
            SteadyTime.Shared, new IdSource(), NullLoggerFactory.Instance);
        await service.StartAsync(default);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        web.UseRouting();
        ((HttpParts)service.Parts).Routes(web);
        await web.StartAsync();
        return new(database, service, web);
    }

    public HttpProvider ProviderWith(string secret) => HttpProvider.Create(
        HttpGatewaySettings.Read(new ConfigurationBuilder().AddInMemoryCollection(
            [
                new("GatewayUrl", new Uri(Url, "v1").AbsoluteUri), new("GatewaySecret", secret),
                new("GatewaySeveralCaptures", "true"),
            ]).Build())!,
        new GatewayLimits(), SteadyTime.Shared);

    public static GatewayRequest RequestFor(
        Guid order, string operation, string? token = null, string? charge = null, long amount = 1_530, int n = 1) =>
        new(PaymentAttempt.KeyOf(order, operation, n), order, operation, amount, "GBP", token, charge);

    /// <summary>Sends a request; null when no response arrived before the deadline.</summary>
    public async Task<GatewayResult?> SendAsync(GatewayRequest request)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            return await (request.Operation switch
            {
                GatewayOperations.Authorize => Provider.AuthorizeAsync(request, deadline.Token),
                GatewayOperations.Capture => Provider.CaptureAsync(request, deadline.Token),
                GatewayOperations.Void => Provider.VoidAsync(request, deadline.Token),
                _ => Provider.RefundAsync(request, deadline.Token),
            });
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    public Task<GatewayResult> FindAsync(GatewayRequest request) => Provider.FindAsync(request, default);

    /// <summary>Reads all pages of the gateway's list, or of an order's charges.</summary>
    public async Task<List<JsonNode>> ListAsync(string filter = "limit=7")
    {
        var charges = new List<JsonNode>();
        for (var cursor = ""; ;)
        {
            var page = (await Client.GetFromJsonAsync<JsonNode>($"charges?{filter}{cursor}"))!;
            charges.AddRange(page["items"]!.AsArray()!);
            if ((string?)page["nextCursor"] is not { } next) return charges;
            cursor = $"&cursor={next}";
        }
    }

    public async Task SetBehaviourAsync(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "behaviour")
        {
            Content = JsonContent.Create(JsonNode.Parse(body)),
        };
        var bytes = await request.Content.ReadAsByteArrayAsync();
        request.Headers.Add(
            HttpGatewayNames.SignatureHeader,
            new Signature(System.Text.Encoding.UTF8.GetBytes(Secret)).Sign(
                HttpGatewayNames.SigningPrefix("PUT", "/v1/behaviour"), bytes, SteadyTime.Shared.GetUtcNow()));
        using var response = await Client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await web.DisposeAsync();
        await service.DisposeAsync();
        await database.DisposeAsync();
    }
}
