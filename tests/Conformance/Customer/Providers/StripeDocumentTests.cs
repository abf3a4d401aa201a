using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>
/// Tests our client against Stripe's published OpenAPI document and fixtures (https://github.com/stripe/openapi, MIT). The
/// files are not part of this project: <c>ORDERWRIGHT_STRIPE_OPENAPI</c> names a directory with <c>spec3.json</c> and
/// <c>fixtures3.json</c>. docs/how-to/stripe.md names the tested versions.
/// </summary>
public sealed partial class StripeDocumentTests
{
    const string Setting = "ORDERWRIGHT_STRIPE_OPENAPI";

    // Deliberately omitted from the document: https://github.com/stripe/stripe-node/issues/1264.
    static readonly string[] Omitted = ["payment_method_data[type]", "payment_method_data[card][token]"];

    static readonly (string Schema, string Type, string[] Paths)[] UsedFields =
    [
        ("payment_intent", "string", ["id", "currency", "next_action.type", "next_action.redirect_to_url.url",
            "last_payment_error.type", "last_payment_error.code", "last_payment_error.decline_code",
            "last_payment_error.message", "last_payment_error.param"]),
        ("payment_intent", "integer", ["amount", "amount_capturable", "amount_received", "created",
            "latest_charge.amount_refunded"]),
        ("payment_intent", "object", ["metadata", "last_payment_error.payment_intent"]),
        ("refund", "string", ["id", "status", "failure_reason"]),
        ("refund", "integer", ["amount"]),
        ("refund", "object", ["metadata"]),
        ("event", "string", ["id", "type"]),
        ("event", "object", ["data.object"]),
    ];

    readonly Guid order = Guid.CreateVersion7();

    static JsonNode Read(string file)
    {
        var directory = Environment.GetEnvironmentVariable(Setting) ?? "";
        Assert.SkipUnless(directory.Length > 0, $"{Setting} names no copy of Stripe's OpenAPI document and fixtures.");
        return JsonNode.Parse(File.ReadAllText(Path.Combine(directory, file)))!;
    }

    [Fact]
    public async Task Each_of_our_requests_conforms_to_the_document()
    {
        var document = new Document(Read("spec3.json"));
        await using var fixture = await StripeFixture.OpenAsync();
        await SendEveryRequestAsync(fixture);
        await using var bare = await StripeFixture.OpenAsync(("StripeReturnUrl", ""), ("StripeCapture", "automatic"));
        await bare.SendAsync(bare.RequestFor(order, "authorize"));

        string[] requests = [.. fixture.Mock.Requests, .. bare.Mock.Requests];
        Assert.Equal(8, requests.Select(one => one[..one.LastIndexOf(' ')]).Distinct().Count());
        Assert.All(requests, document.Allows);
    }

    async Task SendEveryRequestAsync(StripeFixture fixture)
    {
        var charge = Assert.IsType<GatewayResult.Succeeded>(
            await fixture.SendAsync(fixture.RequestFor(order, "authorize"))).Reference;
        await fixture.SendAsync(fixture.RequestFor(Guid.CreateVersion7(), "authorize") with { Token = "tok_visa" });
        await fixture.FindAsync(fixture.RequestFor(order, "authorize"));
        await fixture.FindAsync(fixture.RequestFor(order, "authorize") with { Reference = charge });
        await fixture.SendAsync(fixture.RequestFor(order, "capture", charge: charge));
        await fixture.SendAsync(fixture.RequestFor(order, "refund", charge: charge));
        await fixture.FindAsync(fixture.RequestFor(order, "refund", charge: charge));
        await fixture.SendAsync(fixture.RequestFor(order, "void", charge: charge));
        var (from, to) = (DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await fixture.Provider.Charges!.ListAsync(from, to, charge, default);
    }

    [Fact]
    public void Each_field_we_read_is_in_the_document()
    {
        var document = new Document(Read("spec3.json"));
        foreach (var (schema, type, paths) in UsedFields)
            foreach (var path in paths)
            {
                var at = document.Schemas[schema]!;
                foreach (var name in path.Split('.')) at = document.Properties(at).Single(one => one.Name == name).Schema;
                Assert.True(document.TypesOf(at).Contains(type), $"{schema}.{path} is not of type {type}.");
            }
    }

    [Fact]
    public void The_document_has_the_statuses_of_the_mock() => Assert.Equal(
        StripeShapes.Names["intentStatuses"]!.AsArray().Select(name => (string)name!),
        new Document(Read("spec3.json")).Schemas["payment_intent"]!["properties"]!["status"]!["enum"]!.AsArray()
            .Select(name => (string)name!).Order());

    [Fact]
    public async Task Published_fixtures_yield_the_expected_results()
    {
        var fixtures = Read("fixtures3.json")["resources"]!;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var web = builder.Build();
        JsonNode response = new JsonObject();
        web.Run(http => http.Response.WriteAsync(response.ToJsonString()));
        await web.StartAsync();
        var provider = StripeFixture.ProviderOf(("StripeUrl", web.Urls.Single()));
        GatewayRequest RequestFor(string operation) => new(
            PaymentAttempt.KeyOf(order, operation, 1), order, operation, 1_099, "USD", "pm_card_visa", "pi_1");

        var intent = fixtures["payment_intent"]!.AsObject();
        // The published intent contains an error of the last attempt.
        foreach (var (status, result) in new (string, Type)[]
            {
                ("requires_payment_method", typeof(GatewayResult.Declined)),
                ("requires_capture", typeof(GatewayResult.Succeeded)),
                ("succeeded", typeof(GatewayResult.Succeeded)), ("canceled", typeof(GatewayResult.Declined)),
                ("processing", typeof(GatewayResult.Unknown)), ("requires_confirmation", typeof(GatewayResult.Unknown)),
                // The published next action contains no URL.
                ("requires_action", typeof(GatewayResult.Unknown)),
            })
        {
            response = With(intent, ("status", status), ("latest_charge", fixtures["charge"]!.DeepClone()));
            Assert.IsType(result, await provider.AuthorizeAsync(RequestFor("authorize"), default));
            Assert.IsType(result, await provider.FindAsync(RequestFor("authorize"), default));
        }
        response = With(intent, ("status", "succeeded"), ("amount_received", 1_099));
        Assert.Equal(
            new GatewayResult.Succeeded((string)intent["id"]!), await provider.CaptureAsync(RequestFor("capture"), default));

        response = fixtures["refund"]!;
        Assert.Equal(
            new GatewayResult.Succeeded((string)fixtures["refund"]!["id"]!),
            await provider.RefundAsync(RequestFor("refund"), default));

        response = new JsonObject
        {
            ["object"] = "list", ["has_more"] = false,
            ["data"] = new JsonArray(With(intent, ("latest_charge", With(fixtures["charge"]!, ("amount_refunded", 7))))),
        };
        var listed = Assert.Single((await provider.Charges.ListAsync(default, default, null, default)).Charges);
        Assert.Equal(((string)intent["id"]!, "USD", 7L), (listed.Reference, listed.Currency, listed.RefundedMinor));

        var now = TimeProvider.System.GetUtcNow();
        foreach (var (type, thing) in new[] { ("plan.created", (JsonNode?)null), ("payment_intent.canceled", intent) })
        {
            var received = With(fixtures["event"]!, ("type", type));
            if (thing is not null)
                received["data"]!["object"] = With(
                    thing, ("status", "canceled"), ("metadata", new JsonObject { ["orderwright_key"] = "k" }));
            var delivery = StripeFixture.Signed(received.ToJsonString(), now);
            var read = Assert.IsType<WebhookReading.Genuine>(provider.ReadWebhook(
                delivery.Headers, System.Text.Encoding.UTF8.GetBytes(delivery.Body), now));
            Assert.Equal(thing is null ? null : "k", Assert.Single(read.Events).Key);
        }
    }

    static JsonObject With(JsonNode thing, params (string Name, JsonNode? Value)[] changes)
    {
        var changed = thing.DeepClone().AsObject();
        foreach (var (name, value) in changes) changed[name] = value;
        return changed;
    }

    /// <summary>OpenAPI, as far as used by Stripe's document.</summary>
    sealed partial class Document(JsonNode root)
    {
        public JsonObject Schemas => root["components"]!["schemas"]!.AsObject();

        /// <param name="request">Method, path and form, as recorded by the mock.</param>
        public void Allows(string request)
        {
            var parts = request.Split(' ', 3);
            var operation = root["paths"]![parts[1]]![parts[0].ToLowerInvariant()]!;
            var body = operation["requestBody"]?["content"]?["application/x-www-form-urlencoded"]?["schema"];
            foreach (var pair in parts[2].Split('&', StringSplitOptions.RemoveEmptyEntries))
            {
                var (name, value) = pair.Split('=', 2) is [var before, var after] ? (before, after) : (pair, "");
                if (Omitted.Contains(name)) continue;
                var path = Place().Matches(name).Select(match => match.Value).ToArray();
                var at = parts[0] == "GET"
                    ? operation["parameters"]!.AsArray().SingleOrDefault(one => (string?)one!["name"] == path[0])?["schema"]
                    : Below(body!, path[0]);
                foreach (var step in path[1..]) at = at is null ? null : Below(at, step);
                Assert.True(at is not null && Alternatives(at).Any(schema => Fits(schema, value)), $"{request}: {pair}");
            }
        }

        // Name of a property, or empty for a list item.
        [GeneratedRegex(@"[^\[\]]+|(?<=\[)(?=\])")]
        private static partial Regex Place();

        JsonNode? Below(JsonNode schema, string name) => Alternatives(schema)
            .Select(one => name.Length == 0
                ? one["items"]
                : one["properties"]?[name] ?? (one["additionalProperties"] as JsonObject))
            .FirstOrDefault(found => found is not null);

        static bool Fits(JsonNode schema, string value) => (string?)schema["type"] switch
        {
            "integer" => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
            "boolean" => value is "true" or "false",
            "string" => schema["enum"] is not JsonArray allowed || allowed.Any(one => (string?)one == value),
            _ => false,
        };

        public IEnumerable<(string Name, JsonNode Schema)> Properties(JsonNode schema) => Alternatives(schema)
            .Select(one => one["properties"]).OfType<JsonObject>()
            .SelectMany(all => all).DistinctBy(one => one.Key).Select(one => (one.Key, one.Value!));

        public IEnumerable<string> TypesOf(JsonNode schema) =>
            Alternatives(schema).Select(one => (string?)one["type"]).OfType<string>();

        IEnumerable<JsonNode> Alternatives(JsonNode schema) =>
            schema["$ref"] is { } to ? Alternatives(Schemas[((string)to!).Split('/')[^1]]!)
            : (schema["anyOf"] ?? schema["oneOf"]) is JsonArray any ? any.SelectMany(one => Alternatives(one!))
            : [schema];
    }
}
