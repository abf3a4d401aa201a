using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>
/// <c>webhooks</c>: lists the endpoints that receive order events; adds, tests, changes and removes one; shows deliveries and
/// sends events again.
/// </summary>
static class WebhooksCommand
{
    const string Root = "/webhook-endpoints";

    public static Command Create()
    {
        var (limit, json) = (CommonOptions.Limit(50), CommonOptions.Json());
        var command = new Command("webhooks", "List the webhook endpoints; add, test, change and remove one.") { limit, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var page = (await client.GetAsync(
                ServiceNames.Order, $"{Root}?limit={parsed.GetValue(limit)}", cancel)).OrThrow();
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(page.Body);
            if (!page.Items.Any()) output.Mark(true, "There are no webhook endpoints. Add one with webhooks add URL.");
            else
                output.Table(
                    ["id", "state", "types", "failing since", "url"],
                    page.Items.Select(endpoint => new[]
                    {
                        endpoint.Text("id"), StateOf(endpoint), TypesOf(endpoint), endpoint.Text("failingSince"),
                        endpoint.Text("url"),
                    }));
            return Exit.Ok;
        });
        foreach (var verb in new[]
        {
            Add(), Show(), Test(), Switch("enable", EndpointStates.Active), Switch("disable", EndpointStates.Disabled),
            Rotate(), Remove(), Deliveries(), Redeliver(),
        })
            command.Subcommands.Add(verb);
        return command;
    }

    static Command Add()
    {
        var url = new Argument<string>("url") { Description = "Address of the receiver." };
        var types = new Option<string>("--types")
        {
            Description = $"Event types, comma-separated: {string.Join(", ", OrderEventTypes.All)}; * for all.",
            DefaultValueFactory = _ => "*",
        };
        var description = new Option<string?>("--description") { Description = "Words for people." };
        var secret = new Option<string?>("--secret")
        {
            Description = "Secret that signs: whsec_ and base64. Default: generated.",
        };
        var channel = new Option<string?>("--channel")
        {
            Description = "Channel whose orders are sent, * for all. Default: the channel of the key.",
        };
        var json = CommonOptions.Json();
        var command = new Command("add", "Add an endpoint, and show its secret once.")
        {
            url, types, description, secret, channel, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var body = new JsonObject
            {
                ["url"] = parsed.GetValue(url),
                ["types"] = new JsonArray([.. parsed.GetValue(types)!.Split(',').Select(type => JsonValue.Create(type))]),
            };
            foreach (var (name, value) in new[]
            {
                ("description", parsed.GetValue(description)), ("secret", parsed.GetValue(secret)),
                ("channel", parsed.GetValue(channel)),
            })
                if (value is not null) body[name] = value;
            var endpoint = (await client.PostAsync(ServiceNames.Order, Root, body, cancel, ApiClient.NewKey("webhook")))
                .OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(endpoint);
            output.Mark(true, $"added {endpoint.Text("id")}");
            output.Line($"Secret, shown only once: {endpoint.Text("secret")}");
            return Exit.Ok;
        });
        return command;
    }

    static Command Show()
    {
        var (endpoint, json) = (Endpoint(), CommonOptions.Json());
        var command = new Command("show", "Show an endpoint and its latest deliveries.") { endpoint, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var path = PathOf(parsed.GetValue(endpoint)!);
            var body = (await client.GetAsync(ServiceNames.Order, path, cancel)).OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(body);
            if (output.IsJson) return Exit.Ok;
            output.Mark(
                body.Text("state") == EndpointStates.Active && body.TextOrNull("failingSince") is null, SentenceOf(body));
            ShowDeliveries(
                output, (await client.GetAsync(ServiceNames.Order, $"{path}/deliveries?limit=10", cancel)).OrThrow().Items);
            return Exit.Ok;
        });
        return command;
    }

    static Command Test()
    {
        var (endpoint, json) = (Endpoint(), CommonOptions.Json());
        var command = new Command("test", "Send a test message and show the receiver's response.") { endpoint, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var result = (await client.SendAsync(
                HttpMethod.Post, ServiceNames.Order, $"{PathOf(parsed.GetValue(endpoint)!)}/test", cancel)).OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(result);
            var attempt = result.Part("attempt")!.Value;
            var response = attempt.TextOrNull("status") is { } status
                ? $"{status} after {attempt.Text("tookMs")} ms"
                : attempt.Text("response");
            output.Mark(result.Flag("delivered"), $"{(result.Flag("delivered") ? "delivered" : "not delivered")}: {response}");
            return result.Flag("delivered") ? Exit.Ok : Exit.Failed;
        });
        return command;
    }

    static Command Switch(string verb, string state)
    {
        var (endpoint, json) = (Endpoint(), CommonOptions.Json());
        var command = new Command(
            verb, state == EndpointStates.Active
                ? "Enable an endpoint: it continues where it stopped."
                : "Disable an endpoint: events wait until it is enabled.")
        {
            endpoint, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var body = (await client.SendAsync(
                HttpMethod.Patch, ServiceNames.Order, PathOf(parsed.GetValue(endpoint)!), cancel,
                new() { ["state"] = state })).OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(body);
            output.Mark(true, SentenceOf(body));
            return Exit.Ok;
        });
        return command;
    }

    static Command Rotate()
    {
        var (endpoint, json) = (Endpoint(), CommonOptions.Json());
        var overlap = CommonOptions.Number("--overlap-hours", 24, 0, 168, "Time for which the old secret signs too, in hours.");
        var command = new Command("rotate", "Replace the secret, and show the new one once.") { endpoint, overlap, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var body = (await client.PostAsync(
                ServiceNames.Order, $"{PathOf(parsed.GetValue(endpoint)!)}/rotate-secret",
                new() { ["overlapHours"] = parsed.GetValue(overlap) }, cancel, ApiClient.NewKey("webhook"))).OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(body);
            output.Line($"Secret, shown only once: {body.Text("secret")}");
            return Exit.Ok;
        });
        return command;
    }

    static Command Remove()
    {
        var endpoint = Endpoint();
        var command = new Command("remove", "Remove an endpoint and its log of deliveries.") { endpoint };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            (await client.SendAsync(
                HttpMethod.Delete, ServiceNames.Order, PathOf(parsed.GetValue(endpoint)!), cancel)).OrThrow();
            new Output(json: false).Mark(true, "removed");
            return Exit.Ok;
        });
        return command;
    }

    static Command Deliveries()
    {
        var (endpoint, limit, json) = (Endpoint(), CommonOptions.Limit(50), CommonOptions.Json());
        var state = new Option<string?>("--state") { Description = "Filter by state: waiting, delivered or failed." };
        state.AcceptOnlyFromAmong([.. DeliveryStates.All]);
        var order = CommonOptions.OfOrder();
        var command = new Command("deliveries", "List an endpoint's deliveries, newest first.")
        {
            endpoint, state, order, limit, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var path = $"{PathOf(parsed.GetValue(endpoint)!)}/deliveries?limit={parsed.GetValue(limit)}";
            if (parsed.GetValue(state) is { } only) path += $"&state={only}";
            if (parsed.GetValue(order) is { } of) path += $"&orderId={await OrderCommands.IdOfAsync(client, of, cancel)}";
            var page = (await client.GetAsync(ServiceNames.Order, path, cancel)).OrThrow();
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(page.Body);
            ShowDeliveries(output, page.Items);
            return Exit.Ok;
        });
        return command;
    }

    static Command Redeliver()
    {
        var (endpoint, json) = (Endpoint(), CommonOptions.Json());
        var delivery = new Option<string?>("--delivery") { Description = "A single delivery, by its id." };
        var after = new Option<long?>("--after") { Description = "Deliveries of the events after this seq." };
        var until = new Option<long?>("--until") { Description = "With --after: the last seq. Default: the newest." };
        var failed = new Option<bool>("--failed") { Description = "With --after: only deliveries that failed." };
        var command = new Command("redeliver", "Send events again: one delivery, or a range of at most 10,000.")
        {
            endpoint, delivery, after, until, failed, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(delivery) is null == result.GetValue(after) is null)
                result.AddError("Give either --delivery or --after.");
        });
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var path = PathOf(parsed.GetValue(endpoint)!);
            JsonObject? body = null;
            if (parsed.GetValue(delivery) is { } id) path += $"/deliveries/{Uri.EscapeDataString(id)}/redeliver";
            else
            {
                path += "/redeliver";
                body = new() { ["after"] = parsed.GetValue(after) };
                if (parsed.GetValue(until) is { } last) body["until"] = last;
                if (parsed.GetValue(failed)) body["state"] = DeliveryStates.Failed;
            }
            var result = (await client.SendAsync(HttpMethod.Post, ServiceNames.Order, path, cancel, body)).OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(result);
            output.Mark(true, $"sending {result.Text("deliveries")} again");
            return Exit.Ok;
        });
        return command;
    }

    static Argument<string> Endpoint() => new("endpoint") { Description = "Endpoint id." };

    static string PathOf(string endpoint) => $"{Root}/{Uri.EscapeDataString(endpoint)}";

    static string StateOf(JsonElement endpoint) =>
        endpoint.TextOrNull("reason") is { } reason ? $"{endpoint.Text("state")} ({reason})" : endpoint.Text("state");

    static string TypesOf(JsonElement endpoint) =>
        string.Join(',', endpoint.Items("types").Select(type => type.GetString()));

    static string SentenceOf(JsonElement endpoint)
    {
        var sentence = $"{endpoint.Text("url")}: {StateOf(endpoint)}";
        if (endpoint.TextOrNull("failingSince") is { } since) sentence += $", failing since {since}";
        if (endpoint.Whole("waiting") is { } waiting and > 0) sentence += $", {waiting} waiting for a retry";
        if (endpoint.TextOrNull("pendingSince") is { } pending) sentence += $", oldest event of {pending} not delivered";
        return sentence;
    }

    static void ShowDeliveries(Output output, IEnumerable<JsonElement> deliveries) => output.Table(
        ["id", "seq#", "order", "type", "state", "attempts#", "last", "response"],
        deliveries.Select(delivery => new[]
        {
            delivery.Text("id"), delivery.Text("seq"), output.Id(delivery.Text("orderId")), delivery.Text("type"),
            delivery.Text("state"), delivery.Text("attempts"), delivery.Part("lastAttempt")?.Text("at") ?? "",
            ResponseOf(delivery.Part("lastAttempt")),
        }));

    static string ResponseOf(JsonElement? attempt) => attempt is { ValueKind: JsonValueKind.Object } last
        ? last.TextOrNull("status") ?? last.Text("response")
        : "";
}
