using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>
/// Mock of Stripe's PaymentIntents with its own record. Names of parameters, fields, statuses and events come from
/// <c>stripe-names.json</c>, extracted from code that Stripe generates from its OpenAPI document. Requests with unknown
/// parameters are refused, as by Stripe, and objects never contain unknown fields. The behaviour follows
/// https://docs.stripe.com/payments/paymentintents/lifecycle and https://docs.stripe.com/api/idempotent_requests.
/// </summary>
sealed partial class StripeMock : IAsyncDisposable
{
    public const string Key = "sk_test_mock";

    sealed record Stored(string Request, int Status, string Body);

    readonly WebApplication web;
    readonly Lock gate = new();
    readonly Dictionary<string, JsonObject> intents = [];
    readonly Dictionary<string, JsonObject> refunds = [];
    readonly Dictionary<string, Stored> responses = [];
    readonly HashSet<string> seenKeys = [];
    int created;

    StripeMock(WebApplication web)
    {
        this.web = web;
        web.MapPost("/v1/payment_intents", http => RespondAsync(http, "POST /v1/payment_intents", Create));
        web.MapPost("/v1/payment_intents/{intent}/capture", http =>
            RespondAsync(http, "POST /v1/payment_intents/{intent}/capture", Capture));
        web.MapPost("/v1/payment_intents/{intent}/cancel", http =>
            RespondAsync(http, "POST /v1/payment_intents/{intent}/cancel", Cancel));
        web.MapGet("/v1/payment_intents", http => RespondAsync(http, "GET /v1/payment_intents", ListIntents));
        web.MapGet("/v1/payment_intents/search", http => RespondAsync(http, "GET /v1/payment_intents/search", Search));
        web.MapGet("/v1/payment_intents/{intent}", http => RespondAsync(http, "GET /v1/payment_intents/{intent}", Retrieve));
        web.MapPost("/v1/refunds", http => RespondAsync(http, "POST /v1/refunds", Refund));
        web.MapGet("/v1/refunds", http => RespondAsync(http, "GET /v1/refunds", ListRefunds));
    }

    public string Url => web.Urls.Single();

    /// <summary>Hides new intents from searches, but not from retrieval.</summary>
    public bool SearchIsBehind { get; set; }

    /// <summary>Response to every request, while set.</summary>
    public (int Status, string Body)? Broken { get; set; }

    /// <summary>Leaves new refunds pending.</summary>
    public bool RefundsArePending { get; set; }

    /// <summary>All requests in order: method, path template of the OpenAPI document, and parameters sorted by name.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Parameters of all POST requests.</summary>
    public List<IReadOnlyDictionary<string, string>> Posts { get; } = [];

    public static async Task<StripeMock> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        web.UseRouting();
        var mock = new StripeMock(web);
        await web.StartAsync();
        return mock;
    }

    public List<(JsonObject Intent, JsonObject[] Refunds)> OfOrder(Guid order)
    {
        lock (gate)
            return
            [
                .. intents.Values.Where(intent => (string?)intent["metadata"]!["orderwright_order"] == order.ToString())
                    .Select(intent => (intent, refunds.Values.Where(refund =>
                        (string?)refund["payment_intent"] == (string)intent["id"]!).ToArray())),
            ];
    }

    /// <summary>Decides as the customer at 3-D Secure.</summary>
    public void Act(Guid order, bool approve)
    {
        var (intent, _) = OfOrder(order).Single();
        lock (gate)
        {
            Assert.Equal("requires_action", (string?)intent["status"]);
            intent["next_action"] = null;
            if (approve) Hold(intent);
            else
                Fail(intent, new(
                    402, "card_error", "payment_intent_authentication_failure", "The customer did not approve.",
                    DeclineCode: "authentication_failed"));
        }
    }

    async Task RespondAsync(HttpContext http, string endpoint, Func<HttpContext, IReadOnlyDictionary<string, string>, object> act)
    {
        IEnumerable<KeyValuePair<string, StringValues>> parameters =
            http.Request.HasFormContentType ? await http.Request.ReadFormAsync() : http.Request.Query;
        // Stripe accepts list items with and without an index.
        var form = parameters.ToDictionary(
            pair => Place().Replace(pair.Key, "[]"), pair => pair.Value.ToString());
        if (Broken is { } broken)
        {
            await WriteAsync(http, broken.Status, broken.Body);
            return;
        }
        if (Refuse(http, endpoint, form) is { } refusal)
        {
            await WriteAsync(http, refusal.Status, refusal.Body(null));
            return;
        }
        lock (gate)
        {
            var sorted = form.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}={one.Value}");
            Requests.Add($"{endpoint} {string.Join('&', sorted)}");
        }
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        var card = form.GetValueOrDefault("payment_method", "");
        var first = FirstOf(key);
        if (card == "pm_card_failsOnce" && first)
        {
            await WriteAsync(http, 500, """{"error":{"type":"api_error","message":"An unknown error occurred"}}""");
            return;
        }
        if (card == "pm_card_lostBefore" && first)
        {
            await NeverRespondAsync(http);
            return;
        }
        var (status, body) = Once(key, $"{http.Request.Path} {string.Join('&', form)}", http, form, act);
        if (card == "pm_card_lostAfter" && first) await NeverRespondAsync(http);
        await WriteAsync(http, status, body);
    }

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Place();

    bool FirstOf(string key)
    {
        lock (gate) return seenKeys.Add(key);
    }

    (int Status, string Body) Once(
        string key, string request, HttpContext http, IReadOnlyDictionary<string, string> form,
        Func<HttpContext, IReadOnlyDictionary<string, string>, object> act)
    {
        lock (gate)
        {
            if (http.Request.Method == "POST") Posts.Add(form);
            if (key.Length > 0 && responses.TryGetValue(key, out var known))
            {
                http.Response.Headers["Idempotent-Replayed"] = "true";
                return known.Request == request
                    ? (known.Status, known.Body)
                    : (400, new Refusal(
                        400, "idempotency_error", null,
                        "Keys for idempotent requests can only be used with the same parameters.").Body(null));
            }
            var (status, body) = act(http, form) switch
            {
                JsonObject done => (200, done.ToJsonString()),
                (Refusal refusal, JsonObject intent) => (refusal.Status, refusal.Body(intent)),
                Refusal refusal => (refusal.Status, refusal.Body(null)),
                var other => throw new InvalidOperationException($"{other}"),
            };
            if (key.Length > 0) responses[key] = new(request, status, body);
            return (status, body);
        }
    }

    static Refusal? Refuse(HttpContext http, string endpoint, Dictionary<string, string> form)
    {
        if (http.Request.Headers.Authorization != $"Bearer {Key}")
            return new(401, "invalid_request_error", null, "Invalid API Key provided: sk_test_****mock");
        if (http.Request.Headers["Stripe-Version"] != (string)StripeShapes.Names["version"]!)
            return new(400, "invalid_request_error", null, "Invalid Stripe API version.");
        var allowed = StripeShapes.Names["parameters"]![endpoint]!.AsArray().Select(name => (string)name!).ToHashSet();
        return form.Keys.FirstOrDefault(name => !allowed.Contains(name.Split('[')[0])) is { } unknown
            ? new(400, "invalid_request_error", "parameter_unknown", $"Received unknown parameter: {unknown}", unknown)
            : null;
    }

    object Create(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        var amount = Long(form["amount"]);
        if (amount < 30)
            return new Refusal(
                400, "invalid_request_error", "amount_too_small", "Amount must be at least £0.30 gbp", "amount");
        var card = form.GetValueOrDefault("payment_method") ?? $"pm_of_{form["payment_method_data[card][token]"]}";
        if (!card.StartsWith("pm_", StringComparison.Ordinal))
            return new Refusal(
                400, "invalid_request_error", "resource_missing", $"No such PaymentMethod: '{card}'", "payment_method");
        var hasReturnUrl = form.ContainsKey("return_url");
        if (!hasReturnUrl && form.GetValueOrDefault("automatic_payment_methods[allow_redirects]") != "never")
            return new Refusal(400, "invalid_request_error", null, "You must provide a `return_url`.", "return_url");
        var id = $"pi_{++created}";
        var intent = StripeShapes.Shape(
            "payment_intent",
            ("id", id), ("object", "payment_intent"), ("amount", amount), ("amount_capturable", 0L), ("amount_received", 0L),
            ("currency", form["currency"]), ("capture_method", form["capture_method"]), ("confirmation_method", "automatic"),
            ("created", 1_769_851_800L + created), ("livemode", false), ("payment_method", card),
            ("payment_method_types", new JsonArray("card")), ("client_secret", $"{id}_secret"),
            ("status", "requires_confirmation"), ("metadata", StripeShapes.Metadata(form)));
        intents.Add(id, intent);
        switch (card)
        {
            case "pm_card_chargeDeclined" or "pm_card_chargeDeclinedInsufficientFunds":
                var declined = new Refusal(
                    402, "card_error", "card_declined", "Your card was declined.",
                    DeclineCode: card.EndsWith("Funds", StringComparison.Ordinal) ? "insufficient_funds" : "generic_decline");
                Fail(intent, declined);
                return (declined, intent);
            case "pm_card_authenticationRequired" when !hasReturnUrl:
                var required = new Refusal(
                    402, "card_error", "authentication_required", "Your card requires authentication.");
                Fail(intent, required);
                return (required, intent);
            case "pm_card_authenticationRequired":
                intent["status"] = "requires_action";
                intent["next_action"] = new JsonObject
                {
                    ["type"] = "redirect_to_url",
                    ["redirect_to_url"] = new JsonObject
                    {
                        ["url"] = $"https://hooks.stripe.com/redirect/{id}", ["return_url"] = form["return_url"],
                    },
                };
                return intent;
            default:
                Hold(intent);
                return intent;
        }
    }

    object Capture(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        if (Of(http) is not { } intent) return Missing("payment_intent");
        // Stripe cancels an intent whose authorization expired.
        if (HoldsUntil?.ToUnixTimeSeconds() <= SteadyTime.Shared.GetUtcNow().ToUnixTimeSeconds()
            && (string?)intent["status"] == "requires_capture")
            intent["status"] = "canceled";
        if ((string?)intent["status"] != "requires_capture") return (Unexpected(intent, "captured"), intent);
        var amount = Long(form["amount_to_capture"]);
        if (amount > (long)intent["amount"]!)
            return new Refusal(
                400, "invalid_request_error", "amount_too_large",
                "The amount_to_capture is greater than the amount you can capture.", "amount_to_capture");
        intent["status"] = "succeeded";
        intent["amount_received"] = amount;
        intent["amount_capturable"] = 0L;
        return intent;
    }

    object Cancel(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        if (Of(http) is not { } intent) return Missing("payment_intent");
        if ((string?)intent["status"] is "succeeded" or "canceled") return (Unexpected(intent, "canceled"), intent);
        intent["status"] = "canceled";
        intent["amount_capturable"] = 0L;
        intent["canceled_at"] = 1_769_851_900;
        return intent;
    }

    object Refund(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        if (intents.GetValueOrDefault(form["payment_intent"]) is not { } intent) return Missing("payment_intent");
        var amount = Long(form["amount"]);
        var before = refunds.Values.Where(refund => (string?)refund["payment_intent"] == (string)intent["id"]!)
            .Sum(refund => (long)refund["amount"]!);
        if (before + amount > (long)intent["amount_received"]!)
            return new Refusal(
                400, "invalid_request_error", null, "Refund amount is greater than unrefunded amount on charge.", "amount");
        var id = $"re_{++created}";
        var refund = StripeShapes.Shape(
            "refund",
            ("id", id), ("object", "refund"), ("amount", amount), ("currency", (string)intent["currency"]!),
            ("created", 1_769_851_800 + created), ("payment_intent", (string)intent["id"]!),
            ("status", RefundsArePending ? "pending" : "succeeded"), ("metadata", StripeShapes.Metadata(form)));
        refunds.Add(id, refund);
        return refund;
    }

    object Retrieve(HttpContext http, IReadOnlyDictionary<string, string> form) =>
        (object?)Of(http) ?? Missing("intent");

    object Search(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        var key = form["query"].Split('\'')[3];
        Assert.Equal($"metadata['orderwright_key']:'{key}'", form["query"]);
        return List(
            "search_result",
            intents.Values.Where(intent => !SearchIsBehind && (string?)intent["metadata"]!["orderwright_key"] == key));
    }

    // Newest first. A page may be shorter than the limit.
    object ListIntents(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        Assert.Equal("data.latest_charge", form["expand[]"]);
        var all = intents.Values
            .Where(intent => (long)intent["created"]! is var at
                && at >= Long(form["created[gte]"]) && at < Long(form["created[lt]"]))
            .OrderByDescending(intent => (long)intent["created"]!)
            .SkipWhile(intent => form.ContainsKey("starting_after") && (string?)intent["id"] != form["starting_after"])
            .Skip(form.ContainsKey("starting_after") ? 1 : 0).ToList();
        var page = List("list", all.Take((int)Long(form["limit"])).Select(WithCharge));
        page["has_more"] = all.Count > Long(form["limit"]);
        return page;
    }

    JsonObject WithCharge(JsonObject intent)
    {
        var id = (string)intent["id"]!;
        var expanded = intent.DeepClone().AsObject();
        if ((string?)intent["status"] is "requires_capture" or "succeeded" or "canceled")
            expanded["latest_charge"] = StripeShapes.Shape(
                "charge",
                ("id", $"ch_of_{id}"), ("object", "charge"), ("amount", (long)intent["amount"]!), ("payment_intent", id),
                ("amount_captured", (long)intent["amount_received"]!), ("currency", (string)intent["currency"]!),
                ("captured", (string?)intent["status"] == "succeeded"), ("created", (long)intent["created"]!),
                ("disputed", false), ("livemode", false), ("paid", true), ("refunded", false),
                ("amount_refunded", refunds.Values.Where(refund => (string?)refund["payment_intent"] == id)
                    .Sum(refund => (long)refund["amount"]!)));
        return expanded;
    }

    object ListRefunds(HttpContext http, IReadOnlyDictionary<string, string> form) => List(
        "list", refunds.Values.Where(refund => (string?)refund["payment_intent"] == form["payment_intent"]));

    static JsonObject List(string kind, IEnumerable<JsonObject> things) => new()
    {
        ["object"] = kind, ["has_more"] = false, ["data"] = new JsonArray([.. things.Select(thing => thing.DeepClone())]),
    };

    JsonObject? Of(HttpContext http) => intents.GetValueOrDefault((string)http.GetRouteValue("intent")!);

    /// <summary>Reported expiry of authorizations; null for none.</summary>
    public DateTimeOffset? HoldsUntil { get; set; }

    void Hold(JsonObject intent)
    {
        // Always expanded; StripeLibraryTests shows that requests ask for the expansion.
        intent["latest_charge"] = new JsonObject
        {
            ["id"] = $"ch_{intent["id"]}",
            ["payment_method_details"] = new JsonObject
            {
                ["type"] = "card",
                ["card"] = HoldsUntil is { } until ? new JsonObject { ["capture_before"] = until.ToUnixTimeSeconds() } : [],
            },
        };
        var manual = (string?)intent["capture_method"] == "manual";
        intent["status"] = manual ? "requires_capture" : "succeeded";
        intent[manual ? "amount_capturable" : "amount_received"] = (long)intent["amount"]!;
    }

    static void Fail(JsonObject intent, Refusal refusal)
    {
        intent["status"] = "requires_payment_method";
        intent["last_payment_error"] = refusal.Fault();
    }

    static Refusal Missing(string param) =>
        new(404, "invalid_request_error", "resource_missing", $"No such {param}", param);

    static Refusal Unexpected(JsonObject intent, string what) => new(
        400, "invalid_request_error", "payment_intent_unexpected_state",
        $"This PaymentIntent could not be {what} because it has a status of {intent["status"]}.");

    static long Long(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    static async Task WriteAsync(HttpContext http, int status, string body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body);
    }

    static async Task NeverRespondAsync(HttpContext http)
    {
        await Task.Delay(TimeSpan.FromMinutes(1), http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        http.Abort();
    }

    public ValueTask DisposeAsync() => web.DisposeAsync();
}
