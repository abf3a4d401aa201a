using System.CommandLine;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary><c>list</c>, <c>show</c>, <c>watch</c> and <c>cancel</c>: orders that are there.</summary>
static class OrderCommands
{
    public static Command List()
    {
        var status = new Option<string?>("--status") { Description = string.Join(", ", OrderStatuses.All) + "." };
        status.AcceptOnlyFromAmong([.. OrderStatuses.All]);
        var customer = new Option<string?>("--customer");
        var reference = new Option<string?>("--reference");
        var limit = new Option<int>("--limit") { Description = "How many, 1 to 200.", DefaultValueFactory = _ => 20 };
        var json = Output.JsonOption();
        var command = new Command("list", "The newest orders.") { status, customer, reference, limit, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var query = $"/orders?limit={parsed.GetValue(limit)}";
            foreach (var (name, value) in new[]
            {
                ("status", parsed.GetValue(status)), ("customerId", parsed.GetValue(customer)),
                ("reference", parsed.GetValue(reference)),
            })
                if (value is not null) query += $"&{name}={Uri.EscapeDataString(value)}";
            var page = (await api.GetAsync(ServiceNames.Order, query, cancel)).OrThrow().Body;
            output.ShowJson(page);
            output.Table(
                ["id", "reference", "customer", "status", "payment", "total#", "created"],
                page.Items().Select(order => new[]
                {
                    order.Text("id"), order.Text("reference"), order.Text("customerId"), order.Text("status"),
                    order.Text("paymentStatus"), Price(order.Whole("total"), order), order.Text("createdAt"),
                }));
            return Exit.Ok;
        });
        return command;
    }

    public static Command Show()
    {
        var id = IdOrReference();
        var json = Output.JsonOption();
        var command = new Command("show", "One order: its lines, and what happened to it across all services.") { id, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var order = await FindAsync(api, parsed.GetValue(id)!, cancel);
            output.ShowJson(order);
            if (output.IsJson) return Exit.Ok;
            ShowOrder(output, order);
            var events = await api.GetAsync(ServiceNames.Order, $"/orders/{order.Text("id")}/events", cancel);
            output.Table(["at", "what", "came to", "by", "why"], Timeline(events.OrThrow().Body.Items()));
            return Exit.Ok;
        });
        return command;
    }

    // Each outcome tells all steps so far: a step is shown once, before the event that it led to.
    static List<string[]> Timeline(IEnumerable<JsonElement> events)
    {
        var rows = new List<string[]>();
        var shown = new HashSet<string>();
        foreach (var happened in events)
        {
            var data = happened.Part("data");
            foreach (var step in data?.Items("steps") ?? [])
            {
                var name = $"{(step.Text("undo") == "true" ? "undo " : "")}{step.Text("step")}";
                if (shown.Add(name))
                    rows.Add([step.TextOrNull("answeredAt") ?? step.Text("sentAt"), name, step.Text("outcome"),
                        $"asked {step.Text("attempts")} ×", step.TextOrNull("code") ?? ""]);
            }
            rows.Add([happened.Text("at"), happened.Text("type"), happened.Text("status"), happened.Text("actor"),
                data is { } why ? $"{why.Text("code")} {why.Text("message")}".Trim() : ""]);
        }
        return rows;
    }

    public static Command Watch()
    {
        var id = IdOrReference();
        var limit = new Option<int>("--wait") { Description = "Seconds before giving up.", DefaultValueFactory = _ => 60 };
        var json = Output.JsonOption();
        var command = new Command("watch", "Follow an order step by step until it is decided.") { id, limit, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var order = await FindAsync(api, parsed.GetValue(id)!, cancel);
            return await new StepWatch(api, output).FollowAsync(
                order.Text("id"), TimeSpan.FromSeconds(parsed.GetValue(limit)), cancel);
        });
        return command;
    }

    public static Command Cancel()
    {
        var id = IdOrReference();
        var reason = new Option<string>("--reason")
        {
            Description = string.Join(", ", CancelReasons.All) + ".",
            DefaultValueFactory = _ => "customer",
        };
        reason.AcceptOnlyFromAmong([.. CancelReasons.All]);
        var preview = new Option<bool>("--preview") { Description = "Only say which messages it would send." };
        var json = Output.JsonOption();
        var command = new Command("cancel", "Cancel an order that is not fulfilled yet; the process undoes it.")
        {
            id, reason, preview, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var order = await FindAsync(api, parsed.GetValue(id)!, cancel);
            if (parsed.GetValue(preview))
                return await PreviewCancelAsync(api, output, order.Text("id"), parsed.GetValue(reason)!, cancel);
            var answer = await api.SendAsync(
                HttpMethod.Post, ServiceNames.Order, $"/orders/{order.Text("id")}/cancel",
                JsonBody.Of(writer => writer.WriteString("reason", parsed.GetValue(reason))), cancel,
                key: $"cancel-{Guid.NewGuid():N}");
            var cancelled = answer.OrThrow().Body;
            output.ShowJson(cancelled);
            output.Mark(null, $"Order {order.Text("id")} is being cancelled; ./orderwright watch {order.Text("id")} follows it.");
            return Exit.Ok;
        });
        return command;
    }

    // order-service says whether it may be, and asks the coordinator; what follows is for that one to say.
    static async Task<int> PreviewCancelAsync(Api api, Output output, string id, string reason, CancellationToken cancel)
    {
        var body = JsonBody.Of(writer => writer.WriteString("reason", reason));
        var told = (await api.SendAsync(
            HttpMethod.Post, ServiceNames.Order, $"/orders/{id}/cancel?preview=true", body, cancel)).OrThrow().Body;
        output.ShowJson(told);
        OperatorCommands.Tell(output, id, told, preview: true);
        var next = await api.SendAsync(
            HttpMethod.Post, ServiceNames.Coordinator, $"/sagas/{id}/cancel?preview=true&by={ServiceNames.Order}", body, cancel);
        if (next.Status == 404) output.Line("The process has not heard of it yet: nothing would have to be undone.");
        else OperatorCommands.Tell(output, "And then the process", next.OrThrow().Body, preview: true);
        return Exit.Ok;
    }

    /// <summary>The order of an id or, for whatever is none, of a reference.</summary>
    public static async Task<JsonElement> FindAsync(Api api, string idOrReference, CancellationToken cancel)
    {
        if (Guid.TryParseExact(idOrReference, "D", out var id))
            return (await api.GetAsync(ServiceNames.Order, $"/orders/{id:D}", cancel)).OrThrow().Body;
        var page = await api.GetAsync(
            ServiceNames.Order, $"/orders?reference={Uri.EscapeDataString(idOrReference)}&limit=1", cancel);
        foreach (var order in page.OrThrow().Body.Items()) return order;
        throw new ToolException(Exit.Failed, $"There is no order with the id or reference {idOrReference}.");
    }

    /// <summary>The coordinator knows orders by their id alone; only a reference has to be looked up.</summary>
    public static async Task<string> IdOfAsync(Api api, string idOrReference, CancellationToken cancel) =>
        Guid.TryParseExact(idOrReference, "D", out var id)
            ? id.ToString("D")
            : (await FindAsync(api, idOrReference, cancel)).Text("id");

    public static void ShowOrder(Output output, JsonElement order)
    {
        output.Line($"Order {order.Text("id")}{(order.TextOrNull("reference") is { } reference ? $" ({reference})" : "")}");
        output.Line($"  customer {order.Text("customerId")}, placed {order.Text("createdAt")}");
        output.Line($"  {order.Text("status")}, payment {order.Text("paymentStatus")}, {order.Text("fulfilmentStatus")}");
        if (order.Part("reason") is { } reason) output.Line($"  {reason.Text("code")}: {reason.Text("message")}");
        if (order.Part("nextAction") is { } next)
            output.Line(
                $"  the customer has to act until {next.Text("expiresAt")}: {next.TextOrNull("url") ?? "at the provider"}");
        output.Table(
            ["line#", "sku", "quantity#", "unit price#", "total#"],
            order.Items("lines").Select(line => new[]
            {
                line.Text("line"), line.Text("sku"), line.Text("quantity"), Price(line.Whole("unitPrice"), order),
                Price(line.Whole("total"), order),
            }).Concat(order.Items("adjustments").Select(adjustment => new[]
            {
                "", adjustment.Text("type"), "", adjustment.Text("label"), Price(adjustment.Whole("amount"), order),
            })).Append(["", "total", "", "", Price(order.Whole("total"), order)]));
    }

    public static string Price(long? minor, JsonElement order) =>
        minor is { } amount && Currencies.IsKnown(order.Text("currency")) ? Money.Format(amount, order.Text("currency")) : "";

    public static Argument<string> IdOrReference() => new("order") { Description = "The order's id, or its reference." };
}
