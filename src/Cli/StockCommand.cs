using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>stock</c>: lists and shows levels, sets a counted quantity, and adjusts by a difference.</summary>
static class StockCommand
{
    public static Command Create()
    {
        var json = CommonOptions.Json();
        var below = new Option<long?>("--below") { Description = "Filter by availability: only SKUs with less than this." };
        var limit = CommonOptions.Limit(50);
        var stock = new Command("stock", "List stock levels; show, count and adjust the stock of an SKU.") { below, limit, json };
        stock.SetAction(async (parsed, cancel) =>
        {
            var query = $"/stock?limit={parsed.GetValue(limit)}";
            if (parsed.GetValue(below) is { } most) query += $"&below={most}";
            var client = await Server.ConnectAsync(cancel);
            var page = (await client.GetAsync(ServiceNames.Stock, query, cancel)).OrThrow();
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(page.Body);
            Levels(output, page.Items);
            if (!page.Items.Any())
                output.Advise(
                    parsed.GetValue(below) is not null ? "No SKU matches."
                    : await EmptyShop.AdviceAsync(client, cancel)
                        ?? "Nothing is in stock yet: ./orderwright stock set SKU QUANTITY counts an SKU.");
            if (page.NextCursor is not null)
                output.Line($"Only the first {parsed.GetValue(limit)} are shown; use --limit for up to 200.");
            return Exit.Ok;
        });
        stock.Subcommands.Add(Show());
        stock.Subcommands.Add(Set());
        stock.Subcommands.Add(Adjust());
        return stock;
    }

    static Command Show()
    {
        var sku = Sku();
        var json = CommonOptions.Json();
        var command = new Command("show", "Show the level of an SKU and its latest movements.") { sku, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var output = new Output(parsed.GetValue(json));
            var path = PathOf(parsed.GetValue(sku)!);
            ShowLevel(output, await client.GetAsync(ServiceNames.Stock, path, cancel));
            if (output.IsJson) return Exit.Ok;
            var movements = (await client.GetAsync(ServiceNames.Stock, $"{path}/movements?limit=10", cancel)).OrThrow();
            output.Table(
                ["at", "kind", "on hand#", "allocated#", "order", "note"],
                movements.Items.Select(row => new[]
                {
                    row.Text("at"), row.Text("kind"), row.Text("onHandDelta"), row.Text("allocatedDelta"),
                    output.Id(row.Text("orderId")), row.Text("note"),
                }));
            return Exit.Ok;
        });
        return command;
    }

    static Command Set()
    {
        var sku = Sku();
        var onHand = new Argument<long>("on-hand") { Description = "Counted quantity." };
        var json = CommonOptions.Json();
        var command = new Command("set", "Set the counted quantity of an SKU.") { sku, onHand, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            ShowLevel(new Output(parsed.GetValue(json)), await client.SendAsync(
                HttpMethod.Put, ServiceNames.Stock, PathOf(parsed.GetValue(sku)!), cancel,
                new() { ["onHand"] = parsed.GetValue(onHand) }));
            return Exit.Ok;
        });
        return command;
    }

    static Command Adjust()
    {
        var sku = Sku();
        var delta = new Argument<long>("delta")
        {
            Description = "Quantity change, negative to remove. Write -- before a negative one.",
        };
        var reason = new Option<string>("--reason")
        {
            Description = "Reason for the change.", DefaultValueFactory = _ => "other",
        };
        reason.AcceptOnlyFromAmong([.. MovementKinds.Adjustments]);
        var note = new Option<string?>("--note") { Description = "Note for the stock ledger." };
        var json = CommonOptions.Json();
        var command = new Command("adjust", "Adjust the quantity of an SKU by a difference.") { sku, delta, reason, note, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var body = new JsonObject { ["delta"] = parsed.GetValue(delta), ["reason"] = parsed.GetValue(reason) };
            if (parsed.GetValue(note) is { } text) body["note"] = text;
            var movement = (await client.PostAsync(
                ServiceNames.Stock, $"{PathOf(parsed.GetValue(sku)!)}/adjustments", body, cancel, ApiClient.NewKey("stock")))
                .OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(movement);
            output.Line($"{parsed.GetValue(sku)}: {parsed.GetValue(delta):+0;-0} ({parsed.GetValue(reason)})");
            return Exit.Ok;
        });
        return command;
    }

    static Argument<string> Sku() => new("sku") { Description = "SKU." };

    static string PathOf(string sku) => $"/stock/{Uri.EscapeDataString(sku)}";

    static void ShowLevel(Output output, ApiReply reply)
    {
        output.ShowJson(reply.OrThrow().Body);
        Levels(output, [reply.Body]);
    }

    static void Levels(Output output, IEnumerable<JsonElement> levels) => output.Table(
        ["sku", "on hand#", "allocated#", "reserved#", "available#"],
        levels.Select(level => new[]
        {
            level.Text("sku"), level.Text("onHand"), level.Text("allocated"), level.Text("reserved"), level.Text("available"),
        }));
}
