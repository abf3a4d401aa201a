using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.SandboxGateway;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Runtime.Transport;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Conformance.Customer;

/// <summary>The sandbox gateway as its process runs it, on a free port, and the provider that talks to it.</summary>
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
            [new("GatewaySecret", Secret), new("SandboxSlow", "50ms"), .. settings.Select(one => KeyValuePair.Create(one.Name, (string?)one.Value))])
            .Build();
        var database = new SqliteDatabase(file, options);
        var service = new RunningService(
            new GatewayModule(), database, new InProcessTransport(options, TimeProvider.System), options, configuration,
            TimeProvider.System, new IdSource(), NullLoggerFactory.Instance);
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

    public HttpProvider ProviderWith(string secret) => HttpProvider.Over(
        HttpGatewaySettings.Read(new ConfigurationBuilder().AddInMemoryCollection(
            [
                new("GatewayUrl", new Uri(Url, "v1").AbsoluteUri), new("GatewaySecret", secret),
                new("GatewaySeveralCaptures", "true"),
            ]).Build())!,
        new GatewayLimits(), TimeProvider.System);

    public static GatewayRequest Ask(
        Guid order, string operation, string? token = null, string? charge = null, long amount = 1_530, int n = 1) =>
        new(GatewayCall.KeyOf(order, operation, n), order, operation, amount, "GBP", token, charge);

    /// <summary>What comes of a request; null when no answer came before the deadline.</summary>
    public async Task<GatewayResult?> DoAsync(GatewayRequest request)
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

    /// <summary>All charges of the gateway's list, or those of an order, page by page.</summary>
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

    public async Task BehaveAsync(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "behaviour") { Content = JsonContent.Create(JsonNode.Parse(body)) };
        var bytes = await request.Content.ReadAsByteArrayAsync();
        request.Headers.Add(
            HttpGatewayNames.SignatureHeader,
            new Signature(System.Text.Encoding.UTF8.GetBytes(Secret)).Write(
                HttpGatewayNames.Signed("PUT", "/v1/behaviour"), bytes, TimeProvider.System.GetUtcNow()));
        using var answer = await Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await web.DisposeAsync();
        await service.DisposeAsync();
        await database.DisposeAsync();
    }
}
