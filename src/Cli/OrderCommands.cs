using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>list</c>, <c>show</c>, <c>watch</c> and <c>cancel</c>.</summary>
static class OrderCommands
{
    public static Command List()
    {
        var status = new Option<string?>("--status") { Description = "Filter by order status." };
        status.AcceptOnlyFromAmong([.. OrderStatuses.All]);
        var customer = new Option<string?>("--customer") { Description = "Filter by customer id." };
        var reference = new Option<string?>("--reference") { Description = "Filter by order reference." };
        var limit = CommonOptions.Limit(20);
        var (since, watch, json) = (CommonOptions.Since(), CommonOptions.Watch(), CommonOptions.Json());
        var command = new Command("list", "List orders, newest first.")
        {
            status, customer, reference, since, limit, watch, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var query = $"/orders?limit={parsed.GetValue(limit)}";
            foreach (var (name, value) in new[]
            {
                ("status", parsed.GetValue(status)), ("customerId", parsed.GetValue(customer)),
                ("reference", parsed.GetValue(reference)),
                ("createdAfter", parsed.GetValue(since)?.ToString("O", CultureInfo.InvariantCulture)),
            })
                if (value is not null) query += $"&{name}={Uri.EscapeDataString(value)}";
            return await CommonOptions.ShowAsync(parsed.GetValue(watch), output, ShowAsync, cancel);

            async Task ShowAsync()
            {
                var page = (await client.GetAsync(ServiceNames.Order, query, cancel)).OrThrow();
                output.ShowJson(page.Body);
                if (output.IsJson) return;
                var doubts = await PaymentAttention.InDoubtAsync(client, cancel);
                output.Table(
                    ["id", "reference", "customer", "status", "payment", "total#", "created"],
                    page.Items.Select(order => new[]
                    {
                        output.Id(order.Text("id")), order.Text("reference"), order.Text("customerId"), order.Text("status"),
                        doubts.Contains(order.Text("id")) ? "in doubt" : order.Text("paymentStatus"),
                        Price(order.Whole("total"), order), output.Age(order.Text("createdAt")),
                    }),
                    "customer", "reference", "payment");
                if (page.Items.Any()) return;
                var isFiltered = query.Contains('&', StringComparison.Ordinal);
                output.Advise(
                    isFiltered ? "No order matches."
                    : await EmptyShop.AdviceAsync(client, cancel)
                        ?? "There are no orders yet: ./orderwright place --sku SKU places one.");
            }
        });
        return command;
    }

    public static Command Show()
    {
        var id = CommonOptions.Order();
        var json = CommonOptions.Json();
        var command = new Command("show", "Show an order with its lines and its history across all services.") { id, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var order = await FindAsync(client, parsed.GetValue(id)!, cancel);
            output.ShowJson(order);
            if (output.IsJson) return Exit.Ok;
            ShowOrder(output, order);
            if (await PaymentAttention.PaymentAsync(client, order.Text("id"), cancel) is { } payment
                && InDoubt.Sentence(payment) is { } doubt)
                output.Line(doubt);
            var events = await client.GetAsync(ServiceNames.Order, $"/orders/{order.Text("id")}/events", cancel);
            output.Table(["at", "event", "result", "by", "reason"], Timeline(events.OrThrow().Items));
            return Exit.Ok;
        });
        return command;
    }

    // Every outcome event carries all steps so far. Each step is shown once, before the first event with the step.
    static List<string[]> Timeline(IEnumerable<JsonElement> events)
    {
        var rows = new List<string[]>();
        var shown = new HashSet<string>();
        foreach (var happened in events)
        {
            var data = happened.Part("data");
            foreach (var step in data?.Items("steps") ?? [])
            {
                var name = StepWatch.NameOf(step);
                if (shown.Add(name))
                    rows.Add([step.TextOrNull("answeredAt") ?? step.Text("sentAt"), name, step.Text("outcome"),
                        Attempts(step), step.TextOrNull("code") ?? ""]);
            }
            rows.Add([happened.Text("at"), happened.Text("type"), happened.Text("status"), happened.Text("actor"),
                data is { } details ? $"{details.Text("code")} {details.Text("message")}".Trim() : ""]);
        }
        return rows;
    }

    static string Attempts(JsonElement step) => step.Whole("attempts") is 1 ? "1 attempt" : $"{step.Text("attempts")} attempts";

    public static Command Watch()
    {
        var id = CommonOptions.Order();
        var limit = new Option<int>("--wait") { Description = "Timeout in seconds.", DefaultValueFactory = _ => 60 };
        var json = CommonOptions.Json();
        var command = new Command("watch", "Follow an order step by step until it is decided.") { id, limit, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var order = await FindAsync(client, parsed.GetValue(id)!, cancel);
            return await new StepWatch(client, output).FollowAsync(
                order.Text("id"), TimeSpan.FromSeconds(parsed.GetValue(limit)), cancel);
        });
        return command;
    }

    public static Command Cancel()
    {
        var id = CommonOptions.Order();
        var reason = new Option<string>("--reason")
        {
            Description = "Reason for the cancellation.", DefaultValueFactory = _ => CancelReasons.Customer,
        };
        reason.AcceptOnlyFromAmong([.. CancelReasons.All]);
        var preview = CommonOptions.Preview();
        var json = CommonOptions.Json();
        var command = new Command("cancel", "Cancel an order that has not been fulfilled, and compensate its process.")
        {
            id, reason, preview, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var order = (await FindAsync(client, parsed.GetValue(id)!, cancel)).Text("id");
            if (parsed.GetValue(preview))
                return await PreviewCancelAsync(client, output, order, parsed.GetValue(reason)!, cancel);
            var cancelled = (await client.PostAsync(
                ServiceNames.Order, $"/orders/{order}/cancel", new() { ["reason"] = parsed.GetValue(reason) }, cancel,
                ApiClient.NewKey("cancel"))).OrThrow().Body;
            output.ShowJson(cancelled);
            output.Mark(null, $"Order {order} is being cancelled; to follow it, run ./orderwright watch {order}.");
            return Exit.Ok;
        });
        return command;
    }

    // order-service decides on the cancellation and previews its own messages; the coordinator previews the compensation.
    static async Task<int> PreviewCancelAsync(
        ApiClient client, Output output, string id, string reason, CancellationToken cancel)
    {
        var cancellation = (await client.PostAsync(
            ServiceNames.Order, $"/orders/{id}/cancel?preview=true", new() { ["reason"] = reason }, cancel)).OrThrow().Body;
        output.ShowJson(cancellation);
        await OperatorCommands.ShowRealEffectAsync(client, output, id, new Repair(Repair.Cancel), cancel);
        OperatorCommands.ShowEffect(output, id, cancellation, preview: true);
        var compensation = await client.PostAsync(
            ServiceNames.Coordinator, $"/sagas/{id}/cancel?preview=true&by={ServiceNames.Order}",
            new() { ["reason"] = reason }, cancel);
        if (compensation.IsNotFound) output.Line("The process has not started yet: there is nothing to compensate.");
        else OperatorCommands.ShowEffect(output, "then the process", compensation.OrThrow().Body, preview: true);
        return Exit.Ok;
    }

    /// <summary>Finds an order by its id, the first or last digits of its id, or its reference.</summary>
    public static async Task<JsonElement> FindAsync(ApiClient client, string text, CancellationToken cancel)
    {
        try
        {
            return await OrderLookUp.FindAsync(client, text, cancel);
        }
        catch (OrderNotNamedException error)
        {
            throw new ToolException(error.IsAmbiguous ? Exit.Usage : Exit.Failed, error.Message);
        }
    }

    /// <summary>
    /// Finds the id of an order. The coordinator knows ids only, so anything but a complete id is looked up at order-service.
    /// </summary>
    public static async Task<string> IdOfAsync(ApiClient client, string text, CancellationToken cancel) =>
        Guid.TryParseExact(text, "D", out var id) ? id.ToString("D") : (await FindAsync(client, text, cancel)).Text("id");

    static void ShowOrder(Output output, JsonElement order)
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

    /// <summary>Formats minor units in the currency of an order or payment; empty without a known currency.</summary>
    public static string Price(long? minor, JsonElement order) =>
        minor is { } amount && Currencies.IsKnown(order.Text("currency")) ? Money.Format(amount, order.Text("currency")) : "";
}
