using System.CommandLine;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary>
/// <c>dead-letters</c> and <c>replay</c>: messages that could not be read or handled, and one of them sent again to where it was
/// going. Each service keeps its own; the tool asks all of them.
/// </summary>
static class DeadLetterCommands
{
    public static Command List()
    {
        var order = new Option<string?>("--order") { Description = "Only those of one order: its id or reference." };
        var open = new Option<bool>("--open") { Description = "Only those that were not sent again yet." };
        var limit = new Option<int>("--limit")
        {
            Description = "How many of each process, 1 to 200.", DefaultValueFactory = _ => 50,
        };
        var json = Output.JsonOption();
        var command = new Command("dead-letters", "Messages that could not be read or handled.") { order, open, limit, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var query = $"/dead-letters?limit={parsed.GetValue(limit)}{(parsed.GetValue(open) ? "&open=true" : "")}";
            if (parsed.GetValue(order) is { } of) query += $"&orderId={await OrderCommands.IdOfAsync(api, of, cancel)}";
            var pages = new List<JsonElement>();
            foreach (var process in api.Processes) pages.Add((await api.GetAsync(process, query, cancel)).OrThrow().Body);
            var letters = pages.SelectMany(page => page.Items())
                .OrderByDescending(letter => letter.GetProperty("failedAt").GetDateTimeOffset()).ToList();
            if (output.IsJson) Output.Json(writer => Write(writer, letters));
            if (letters.Count == 0)
                output.Mark(true, parsed.GetValue(open) ? "Nothing waits to be sent again." : "No message was given up.");
            else
                output.Table(
                    ["id", "service", "message", "order", "failed", "sent again", "why"],
                    letters.Select(letter => new[]
                    {
                        letter.Text("id"), letter.Text("service"), letter.TextOrNull("type") ?? "unreadable",
                        letter.Text("orderId"), letter.Text("failedAt"), letter.Text("replayedAt"), letter.Text("reason"),
                    }));
            if (pages.Any(page => page.TextOrNull("nextCursor") is not null))
                output.Line($"These are the newest {parsed.GetValue(limit)} of each process; --limit shows up to 200.");
            return Exit.Ok;
        });
        return command;
    }

    public static Command Replay()
    {
        var id = new Argument<string>("id") { Description = "The letter's, as dead-letters shows it." };
        var (reason, preview, json) = OperatorCommands.Common();
        reason.Required = true;
        var command = new Command("replay", "Send a dead letter again to where it was going.") { id, reason, preview, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var letter = $"/dead-letters/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            var isLook = parsed.GetValue(preview);
            var told = (await api.SendAsync(
                HttpMethod.Post, await KeeperOfAsync(api, letter, cancel), $"{letter}/replay{(isLook ? "?preview=true" : "")}",
                JsonBody.Of(writer => writer.WriteString("reason", parsed.GetValue(reason))), cancel,
                key: isLook ? null : $"replay-{Guid.NewGuid():N}")).OrThrow().Body;
            output.ShowJson(told);
            output.Mark(
                isLook ? null : true,
                $"{(isLook ? "would send" : "sent")} {told.Text("type")} to {told.Text("destination")}"
                + (told.TextOrNull("orderId") is { } order ? $" (order {order})" : ""));
            return Exit.Ok;
        });
        return command;
    }

    // The last one's answer tells what is wrong where nobody has it.
    static async Task<string> KeeperOfAsync(Api api, string letter, CancellationToken cancel)
    {
        foreach (var process in api.Processes.SkipLast(1))
            if ((await api.GetAsync(process, letter, cancel)).IsSuccess) return process;
        return api.Processes[^1];
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
