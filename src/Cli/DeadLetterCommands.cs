using System.CommandLine;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>
/// <c>dead-letters</c> and <c>replay</c>: list messages that could not be read or handled, and send one again to its original
/// destination. Each process keeps its own dead letters, so the tool calls all of them.
/// </summary>
static class DeadLetterCommands
{
    public static Command List()
    {
        var order = CommonOptions.OfOrder();
        var open = new Option<bool>("--open") { Description = "Leave out messages that were replayed." };
        var limit = new Option<int>("--limit")
        {
            Description = "Maximum number of rows per process, 1 to 200.", DefaultValueFactory = _ => 50,
        };
        var json = CommonOptions.Json();
        var command = new Command("dead-letters", "List messages that could not be read or handled.")
        {
            order, open, limit, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var query = $"/dead-letters?limit={parsed.GetValue(limit)}{(parsed.GetValue(open) ? "&open=true" : "")}";
            if (parsed.GetValue(order) is { } of) query += $"&orderId={await OrderCommands.IdOfAsync(client, of, cancel)}";
            var pages = new List<ApiReply>();
            foreach (var service in client.Addresses.Processes)
                pages.Add((await client.GetAsync(service, query, cancel)).OrThrow());
            var letters = pages.SelectMany(page => page.Items).OrderByDescending(letter => letter.Time("failedAt")).ToList();
            if (output.IsJson) Output.Json(writer => Write(writer, letters));
            if (letters.Count == 0)
                output.Mark(true, parsed.GetValue(open) ? "There are no dead letters to replay." : "There are no dead letters.");
            else
                output.Table(
                    ["id", "service", "message", "order", "failed", "times", "last", "replayed", "reason"],
                    letters.Select(letter => new[]
                    {
                        letter.Text("id"), letter.Text("service"), letter.TextOrNull("type") ?? "unreadable",
                        output.Id(letter.Text("orderId")), letter.Text("failedAt"), $"{letter.Whole("failures")}",
                        letter.Text("lastFailedAt"), letter.Text("replayedAt"), letter.Text("reason"),
                    }));
            if (pages.Any(page => page.NextCursor is not null))
                output.Line(
                    $"Only the newest {parsed.GetValue(limit)} of each process are shown; use --limit for up to 200.");
            return Exit.Ok;
        });
        return command;
    }

    public static Command Replay()
    {
        var id = new Argument<string>("id") { Description = "Dead-letter id." };
        var (reason, preview, json) = (CommonOptions.Reason(), CommonOptions.Preview(), CommonOptions.Json());
        var command = new Command("replay", "Send a dead letter again to its original destination.")
        {
            id, reason, preview, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var letter = $"/dead-letters/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            var isPreview = parsed.GetValue(preview);
            var replay = (await client.PostAsync(
                await Server.OwnerOfAsync(client, letter, cancel), $"{letter}/replay{(isPreview ? "?preview=true" : "")}",
                new() { ["reason"] = parsed.GetValue(reason) }, cancel, isPreview ? null : ApiClient.NewKey("replay")))
                .OrThrow().Body;
            output.ShowJson(replay);
            output.Mark(
                isPreview ? null : true,
                $"{(isPreview ? "would send" : "sent")} {replay.Text("type")} to {replay.Text("destination")}"
                + (replay.TextOrNull("orderId") is { } order ? $" (order {order})" : ""));
            return Exit.Ok;
        });
        return command;
    }

    static void Write(Utf8JsonWriter json, List<JsonElement> letters)
    {
        json.WriteStartObject();
        json.WriteStartArray("items");
        foreach (var letter in letters) letter.WriteTo(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
