using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.OperatorConsole;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.AllInOne;

/// <summary>What a scenario has begun, and where to look.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Story">What is about to happen, in a sentence.</param>
/// <param name="OrderId">The order to follow; null where there is none.</param>
/// <param name="Look">The page of the console that shows it.</param>
public sealed record DemoBegun(string Name, string Story, string? OrderId, string Look);

/// <param name="Name">Its name.</param>
/// <param name="Story">What would happen, in a sentence.</param>
public sealed record DemoStory(string Name, string Story);

/// <summary>
/// The console, and beside it the guided scenarios of the demo shop: <c>POST /api/v1/demo/{name}</c>. They are there
/// under <c>dev</c> only: one process, no keys, the demo not refused.
/// </summary>
sealed class DemoScenarios(ISite console) : ISite
{
    static readonly IReadOnlyDictionary<string, string> Stories = new Dictionary<string, string>
    {
        ["decline"] = "The card is declined; the goods that were held for it are free again.",
        ["out-of-stock"] = "The last kitchen clock is gone; nothing is charged.",
        ["gateway-timeout"] = "The gateway charges and its answer is lost; the payment is looked up, never charged twice.",
        ["refund-fails"] = "The order is cancelled and the bank refuses the refund: an incident, to be mended in the console.",
        ["crash"] = "The process dies right after a step is done, and comes back: what was done once is not done twice.",
        ["reset"] = "The shelves are counted anew, what waits is cancelled, what is stuck is resolved.",
    };

    public void Map(WebApplication web, SiteContext context)
    {
        console.Map(web, context);
        if (context.HasKeys || !context.Configuration.Bind<DevOptions>().Demo) return;
        var demo = web.MapGroup("/api/v1/demo").WithTags("demo").Require(Scopes.Operator);
        demo.MapGet("", () => Answer.Json(
            StatusCodes.Status200OK, [.. Stories.Select(one => new DemoStory(one.Key, one.Value))],
            DemoJson.Default.ListDemoStory)).ExcludeFromDescription();
        demo.MapPost("{name}", async (string name, HttpContext http) =>
        {
            if (!Stories.TryGetValue(name, out var story)) return Problem.NotFound("demo");
            var after = http.Request.Query["after"] is [{ Length: > 0 } said] ? said : StepNames.AuthorizePayment;
            if (!Moments.TryGetValue(after, out var moment))
                return Problem.Invalid("after", "unknown_value", $"One of: {string.Join(", ", Moments.Keys)}.");
            using var client = new HttpClient { BaseAddress = context.Address() };
            var id = await BeginAsync(name, new Shop(client, http.RequestAborted));
            if (name == "crash") _ = DieAfterAsync(moment, id!, context);
            return Answer.Json(
                StatusCodes.Status200OK, new(name, story, id, id is null ? "/" : $"/orders/{id}"),
                DemoJson.Default.DemoBegun);
        }).ExcludeFromDescription();
    }

    static async Task<string?> BeginAsync(string name, Shop shop)
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
                var id = await shop.PlaceAsync("TEA-01", "tok_refund_fails", wait: 10);
                await shop.PostAsync($"orders/{id}/cancel", new { reason = "customer" });
                return id;
            case "crash":
                return await shop.PlaceAsync("POT-01", "tok_slow");
            default:
                await shop.ResetAsync();
                return null;
        }
    }

    // By the participant's own word: the coordinator may not have heard of it yet.
    static readonly IReadOnlyDictionary<string, (string Path, Func<JsonNode, bool> IsDone)> Moments =
        new Dictionary<string, (string, Func<JsonNode, bool>)>
        {
            [StepNames.ReserveStock] = ("reservations?orderId=", held => held["items"]!.AsArray().Count > 0),
            [StepNames.AuthorizePayment] = ("payments/", payment => payment["authorized"]!.GetValue<long>() > 0),
            [StepNames.CommitStock] = ("reservations?orderId=", held => held["items"]!.AsArray() is [var one, ..]
                && one!["state"]!.GetValue<string>() == "committed"),
            [StepNames.CapturePayment] = ("payments/", payment => payment["captured"]!.GetValue<long>() > 0),
        };

    // SIGKILL, as a crash is: nothing is flushed, nobody is told. ./orderwright dev starts the process again.
    static async Task DieAfterAsync(
        (string Path, Func<JsonNode, bool> IsDone) moment, string orderId, SiteContext context)
    {
        using var client = new HttpClient { BaseAddress = context.Address() };
        var time = context.Time;
        while (true)
        {
            var said = await client.GetAsync(new Uri($"api/v1/{moment.Path}{orderId}", UriKind.Relative));
            if (said.IsSuccessStatusCode && moment.IsDone(JsonNode.Parse(await said.Content.ReadAsStringAsync())!)) break;
            await Task.Delay(TimeSpan.FromMilliseconds(5), time);
        }
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    /// <summary>The demo shop, through its HTTP API like everything else.</summary>
    sealed class Shop(HttpClient http, CancellationToken cancel)
    {
        public async Task<string> PlaceAsync(string sku, string token, int wait = 0)
        {
            var order = await PostAsync(
                "orders",
                new
                {
                    customerId = "ada", currency = "GBP", lines = new[] { new { sku, quantity = 1 } },
                    payment = new { provider = "sandbox", token }, metadata = new { channel = "demo" },
                },
                wait);
            return order["id"]!.GetValue<string>();
        }

        public async Task<JsonNode> PostAsync(string path, object body, int wait = 0)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Address(path)) { Content = JsonContent.Create(body) };
            if (wait > 0) request.Headers.Add("Prefer", $"wait={wait}");
            using var response = await http.SendAsync(request, cancel);
            return JsonNode.Parse(await response.Content.ReadAsStringAsync(cancel))!;
        }

        public async Task ResetAsync()
        {
            foreach (var incident in await ItemsAsync("incidents?limit=200"))
                await PostAsync(
                    $"sagas/{incident["orderId"]}/resolve",
                    new { step = incident["step"]!.GetValue<string>(), outcome = "completed", reason = "demo reset" });
            foreach (var saga in await ItemsAsync("sagas?waitingFor=customer&limit=200"))
                await PostAsync($"sagas/{saga["orderId"]}/compensate", new { reason = "demo reset" });
            foreach (var (sku, _, _, onHand) in Demo.Products)
            {
                var level = await http.GetFromJsonAsync<JsonObject>(Address($"stock/{sku}"), cancel);
                var promised = level!["allocated"]!.GetValue<long>() + level["reserved"]!.GetValue<long>();
                using var counted = await http.PutAsJsonAsync(
                    Address($"stock/{sku}"), new { onHand = onHand + promised }, cancel);
            }
        }

        async Task<IReadOnlyList<JsonNode>> ItemsAsync(string path) =>
            [.. (await http.GetFromJsonAsync<JsonObject>(Address(path), cancel))!["items"]!.AsArray().Select(item => item!)];

        static Uri Address(string path) => new($"api/v1/{path}", UriKind.Relative);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DemoBegun))]
[JsonSerializable(typeof(List<DemoStory>))]
sealed partial class DemoJson : JsonSerializerContext;
