using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.OperatorConsole;
using Orderwright.Runtime;

namespace Orderwright.AllInOne;

/// <summary>A scenario that can be started.</summary>
/// <param name="Name">Its name in the URL.</param>
/// <param name="Story">The plot in a sentence.</param>
public sealed record DemoScenario(string Name, string Story);

/// <summary>A scenario that was started.</summary>
/// <param name="Name">Its name in the URL.</param>
/// <param name="Story">The plot in a sentence.</param>
/// <param name="OrderId">The order to follow; null for a scenario without an order.</param>
/// <param name="Look">Path of the console's page to watch.</param>
public sealed record StartedScenario(string Name, string Story, string? OrderId, string Look);

/// <summary>
/// Adds guided scenarios for the demo shop to the console, under <c>POST /api/v1/demo/{name}</c>. Scenarios exist under
/// <c>dev</c> only: in one process without API keys, unless the demo is switched off.
/// </summary>
sealed class DemoScenarios(ISite console) : ISite
{
    const string Reset = "reset";

    static readonly HttpClient Http = ApiClient.NewHttp(TimeSpan.FromSeconds(30));

    static readonly IReadOnlyDictionary<string, string> Stories = new Dictionary<string, string>
    {
        ["decline"] = "The card is declined, and the reserved goods become available again.",
        ["out-of-stock"] = "The last kitchen clock has been sold; nothing is charged.",
        ["gateway-timeout"] =
            "The gateway charges the card but its reply is lost. The payment is looked up instead of charged twice.",
        ["refund-fails"] = "The order is cancelled and the bank refuses the refund. An operator resolves the incident.",
        ["crash"] = "The process is killed right after a step and restarts. No completed step is repeated.",
        [Reset] = "Stock is counted again, waiting orders are cancelled, and incidents are resolved.",
    };

    public void Map(WebApplication web, SiteContext context)
    {
        console.Map(web, context);
        if (context.Sessions.AreNeeded || !context.Configuration.Bind<DevOptions>().Demo) return;
        var demo = web.MapGroup("/api/v1/demo").WithTags("demo").Require(Scopes.Operator);
        demo.MapGet("", () => Answer.Json(
            StatusCodes.Status200OK, [.. Stories.Select(story => new DemoScenario(story.Key, story.Value))],
            DemoJson.Default.ListDemoScenario)).ExcludeFromDescription();
        demo.MapPost("{name}", async (string name, HttpContext http) =>
        {
            if (!Stories.TryGetValue(name, out var story)) return Problem.NotFound("demo");
            var after = http.Request.Query["after"] is [{ Length: > 0 } step] ? step : StepNames.AuthorizePayment;
            if (!Completions.TryGetValue(after, out var completion))
                return Problem.Invalid("after", "unknown_value", $"One of: {string.Join(", ", Completions.Keys)}.");
            var client = new ApiClient(Http, ServiceAddresses.Embedded(context.Address()));
            var id = await StartAsync(name, new Shop(client, http.RequestAborted));
            if (name == "crash") _ = CrashAfterAsync(completion, id!, client, context.Time);
            return Answer.Json(
                StatusCodes.Status200OK, new(name, story, id, id is null ? "/" : $"/orders/{id}"),
                DemoJson.Default.StartedScenario);
        }).ExcludeFromDescription();
    }


    static async Task<string?> StartAsync(string name, Shop shop)
    {
        switch (name)
        {
            case "decline":
                return await shop.PlaceAsync("MUG-01", "tok_declined");
            case "out-of-stock":
                return await shop.PlaceAsync("CLK-01", "tok_visa");
            case "gateway-timeout":
                return await shop.PlaceAsync("POT-02", "tok_timeout_after_charge");
            case "refund-fails":
                var id = await shop.PlaceAsync("TEA-01", "tok_refund_fails", waitSeconds: 10);
                await shop.PostAsync(
                    ServiceNames.Order, $"/orders/{id}/cancel", new() { ["reason"] = CancelReasons.Customer });
                return id;
            case "crash":
                return await shop.PlaceAsync("POT-01", "tok_slow");
            default:
                await shop.ResetAsync();
                return null;
        }
    }

    // Reads the participant's own record, as the coordinator may learn of the completed step later.
    sealed record Completion(string Service, string Path, Func<JsonElement, bool> IsReached);

    static readonly IReadOnlyDictionary<string, Completion> Completions = new Dictionary<string, Completion>
    {
        [StepNames.ReserveStock] = new(ServiceNames.Stock, "/reservations?orderId=", list => list.Items().Any()),
        [StepNames.AuthorizePayment] = new(ServiceNames.Customer, "/payments/", payment => payment.Whole("authorized") > 0),
        [StepNames.CommitStock] = new(
            ServiceNames.Stock, "/reservations?orderId=",
            list => list.Items().Any(reservation => reservation.Text("state") == ReservationStates.Committed)),
        [StepNames.CapturePayment] = new(ServiceNames.Customer, "/payments/", payment => payment.Whole("captured") > 0),
    };

    // SIGKILL, like a real crash: buffers stay unflushed and nobody is notified. ./orderwright dev restarts the process.
    static async Task CrashAfterAsync(Completion completion, string orderId, ApiClient client, TimeProvider time)
    {
        while (true)
        {
            var reply = await client.GetAsync(completion.Service, completion.Path + orderId, CancellationToken.None);
            if (reply.IsSuccess && completion.IsReached(reply.Body)) break;
            await Task.Delay(TimeSpan.FromMilliseconds(5), time);
        }
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    /// <summary>The demo shop, used through the HTTP API.</summary>
    sealed class Shop(ApiClient client, CancellationToken cancel)
    {
        public async Task<string> PlaceAsync(string sku, string token, int waitSeconds = 0) =>
            (await client.SendAsync(
                HttpMethod.Post, ServiceNames.Order, "/orders", cancel, DemoShop.NewOrder("ada", sku, 1, token),
                waitSeconds: waitSeconds)).OrThrow().Body.Text("id");

        public Task<ApiReply> PostAsync(string service, string path, JsonObject body) =>
            client.PostAsync(service, path, body, cancel);

        public async Task ResetAsync()
        {
            foreach (var incident in await ItemsAsync("/incidents?limit=200"))
                await PostAsync(
                    ServiceNames.Coordinator, $"/sagas/{incident.Text("orderId")}/resolve",
                    new()
                    {
                        ["step"] = incident.Text("step"), ["outcome"] = StepStates.Completed, ["reason"] = "demo reset",
                    });
            foreach (var saga in await ItemsAsync($"/sagas?waitingFor={WaitingFor.Customer}&limit=200"))
                await PostAsync(
                    ServiceNames.Coordinator, $"/sagas/{saga.Text("orderId")}/compensate", new() { ["reason"] = "demo reset" });
            foreach (var (sku, _, _, onHand) in DemoShop.Products)
            {
                var level = (await client.GetAsync(ServiceNames.Stock, $"/stock/{sku}", cancel)).OrThrow().Body;
                var promised = level.Whole("allocated") + level.Whole("reserved");
                await client.SendAsync(
                    HttpMethod.Put, ServiceNames.Stock, $"/stock/{sku}", cancel, new() { ["onHand"] = onHand + promised });
            }
        }

        async Task<IReadOnlyList<JsonElement>> ItemsAsync(string path) =>
            [.. (await client.GetAsync(ServiceNames.Coordinator, path, cancel)).OrThrow().Items];
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StartedScenario))]
[JsonSerializable(typeof(List<DemoScenario>))]
sealed partial class DemoJson : JsonSerializerContext;
