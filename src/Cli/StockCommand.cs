using System.CommandLine;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary><c>stock</c>: the levels; one SKU; set what was counted; adjust by a difference.</summary>
static class StockCommand
{
    static readonly string[] Reasons = ["received", "damaged", "lost", "found", "returned", "other"];

    public static Command Create()
    {
        var json = Output.JsonOption();
        var below = new Option<long?>("--below") { Description = "Only SKUs with fewer available than this." };
        var limit = new Option<int>("--limit") { Description = "How many, 1 to 200.", DefaultValueFactory = _ => 50 };
        var stock = new Command("stock", "Show, count and adjust stock.") { below, limit, json };
        stock.SetAction((parsed, cancel) => WithApiAsync(
            parsed.GetValue(json),
            (api, output) => ListAsync(api, output, parsed.GetValue(below), parsed.GetValue(limit), cancel), cancel));

        stock.Subcommands.Add(Show());
        stock.Subcommands.Add(Set());
        stock.Subcommands.Add(Adjust());
        return stock;
    }

    static Command Show()
    {
        var sku = new Argument<string>("sku");
        var json = Output.JsonOption();
        var command = new Command("show", "One SKU and its latest movements.") { sku, json };
        command.SetAction((parsed, cancel) => WithApiAsync(parsed.GetValue(json), async (api, output) =>
        {
            var name = Uri.EscapeDataString(parsed.GetValue(sku)!);
            var level = (await api.GetAsync(ServiceNames.Stock, $"/stock/{name}", cancel)).OrThrow().Body;
            output.ShowJson(level);
            Levels(output, [level]);
            if (output.IsJson) return Exit.Ok;
            var movements = (await api.GetAsync(ServiceNames.Stock, $"/stock/{name}/movements?limit=10", cancel)).OrThrow().Body;
            output.Table(
                ["at", "kind", "on hand#", "allocated#", "order", "note"],
                movements.Items().Select(row => new[]
                {
                    row.Text("at"), row.Text("kind"), row.Text("onHandDelta"), row.Text("allocatedDelta"), row.Text("orderId"),
                    row.Text("note"),
                }));
            return Exit.Ok;
        }, cancel));
        return command;
    }

    static Command Set()
    {
        var sku = new Argument<string>("sku");
        var onHand = new Argument<long>("on-hand") { Description = "What was counted." };
        var json = Output.JsonOption();
        var command = new Command("set", "Set what was counted.") { sku, onHand, json };
        command.SetAction((parsed, cancel) => WithApiAsync(parsed.GetValue(json), async (api, output) =>
        {
            var answer = await api.SendAsync(
                HttpMethod.Put, ServiceNames.Stock, $"/stock/{Uri.EscapeDataString(parsed.GetValue(sku)!)}",
                JsonBody.Of(writer => writer.WriteNumber("onHand", parsed.GetValue(onHand))), cancel);
            var level = answer.OrThrow().Body;
            output.ShowJson(level);
            Levels(output, [level]);
            return Exit.Ok;
        }, cancel));
        return command;
    }

    static Command Adjust()
    {
        var sku = new Argument<string>("sku");
        var delta = new Argument<long>("delta")
        {
            Description = "What came in; negative: what went out. Write -- before a negative one.",
        };
        var reason = new Option<string>("--reason")
        {
            Description = string.Join(", ", Reasons) + ".",
            DefaultValueFactory = result => "other",
        };
        reason.AcceptOnlyFromAmong(Reasons);
        var note = new Option<string?>("--note");
        var json = Output.JsonOption();
        var command = new Command("adjust", "Change the level by a difference.") { sku, delta, reason, note, json };
        command.SetAction((parsed, cancel) => WithApiAsync(parsed.GetValue(json), async (api, output) =>
        {
            var answer = await api.SendAsync(
                HttpMethod.Post, ServiceNames.Stock, $"/stock/{Uri.EscapeDataString(parsed.GetValue(sku)!)}/adjustments",
                JsonBody.Of(writer =>
                {
                    writer.WriteNumber("delta", parsed.GetValue(delta));
                    writer.WriteString("reason", parsed.GetValue(reason));
                    if (parsed.GetValue(note) is { } text) writer.WriteString("note", text);
                }),
                cancel, key: $"stock-{Guid.NewGuid():N}");
            var movement = answer.OrThrow().Body;
            output.ShowJson(movement);
            output.Line($"{parsed.GetValue(sku)}: {parsed.GetValue(delta):+0;-0} ({parsed.GetValue(reason)})");
            return Exit.Ok;
        }, cancel));
        return command;
    }

    static async Task<int> ListAsync(Api api, Output output, long? below, int limit, CancellationToken cancel)
    {
        var page = (await api.GetAsync(
            ServiceNames.Stock, $"/stock?limit={limit}{(below is null ? "" : $"&below={below}")}", cancel)).OrThrow().Body;
        output.ShowJson(page);
        Levels(output, page.Items());
        if (page.TextOrNull("nextCursor") is not null) output.Line($"These are the first {limit}; --limit shows up to 200.");
        return Exit.Ok;
    }

    static void Levels(Output output, IEnumerable<JsonElement> levels) => output.Table(
        ["sku", "on hand#", "allocated#", "reserved#", "available#"],
        levels.Select(level => new[]
        {
            level.Text("sku"), level.Text("onHand"), level.Text("allocated"), level.Text("reserved"), level.Text("available"),
        }));

    static async Task<int> WithApiAsync(bool json, Func<Api, Output, Task<int>> run, CancellationToken cancel)
    {
        using var api = await Api.ConnectAsync(cancel);
        return await run(api, new Output(json));
    }
}
