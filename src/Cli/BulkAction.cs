using System.CommandLine;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary><c>retry</c> and <c>compensate</c> with <c>--where</c>: begins it at the coordinator, and follows it.</summary>
sealed class BulkAction(Api api, Output output)
{
    static readonly string[] Filters = ["state", "step", "code", "waitingFor", "olderThan", "youngerThan"];
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    public async Task<int> RunAsync(
        string verb, string where, string reason, int canary, bool preview, CancellationToken cancel)
    {
        var body = JsonBody.Of(writer =>
        {
            writer.WriteString("action", verb);
            writer.WriteStartObject("where");
            foreach (var (name, value) in Read(where)) writer.WriteString(name, value);
            writer.WriteEndObject();
            writer.WriteString("reason", reason);
            writer.WriteNumber("canary", canary);
        });
        var answer = await api.SendAsync(
            HttpMethod.Post, ServiceNames.Coordinator, $"/bulk-actions{(preview ? "?preview=true" : "")}", body, cancel,
            key: preview ? null : $"bulk-{Guid.NewGuid():N}");
        var begun = answer.OrThrow().Body;
        if (preview)
        {
            output.ShowJson(begun);
            var more = begun.Text("isCapped") == "true" ? ", and there are more" : "";
            output.Line($"It would {verb} {begun.Text("total")} orders{more}.");
            return Exit.Ok;
        }
        try
        {
            return await FollowAsync(begun.Text("id"), cancel);
        }
        catch (OperationCanceledException)
        {
            output.Line($"It goes on at the coordinator. To stop it: ./orderwright bulk stop {begun.Text("id")} --reason '…'");
            throw;
        }
    }

    /// <summary><c>bulk</c>: what the coordinator acts on, and <c>bulk stop</c>.</summary>
    public static Command Create()
    {
        var json = Output.JsonOption();
        var command = new Command("bulk", "Bulk actions of retry and compensate with --where, and how far they are.") { json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            using var api = await Api.ConnectAsync(cancel);
            var runs = (await api.GetAsync(ServiceNames.Coordinator, "/bulk-actions", cancel)).OrThrow().Body;
            output.ShowJson(runs);
            output.Table(
                ["id", "action", "state", "acted#", "of#", "went on#", "by", "reason"],
                runs.Items().Select(run => new[]
                {
                    run.Text("id"), run.Text("action"), run.Text("state"), run.Text("acted"), run.Text("total"),
                    run.Text("wentOn"), run.Text("actor"), run.Text("reason"),
                }));
            return Exit.Ok;
        });
        command.Subcommands.Add(Stop());
        return command;
    }

    static Command Stop()
    {
        var id = new Argument<string>("id");
        var reason = new Option<string>("--reason") { Description = "Why; it stands in the audit.", Required = true };
        var command = new Command("stop", "Act on no more orders than those at hand.") { id, reason };
        command.SetAction(async (parsed, cancel) =>
        {
            using var api = await Api.ConnectAsync(cancel);
            var body = JsonBody.Of(writer => writer.WriteString("reason", parsed.GetValue(reason)));
            (await api.SendAsync(
                HttpMethod.Post, ServiceNames.Coordinator, $"/bulk-actions/{Uri.EscapeDataString(parsed.GetValue(id)!)}/stop",
                body, cancel)).OrThrow();
            await new BulkAction(api, new Output(json: false)).FollowAsync(parsed.GetValue(id)!, cancel);
            return Exit.Ok;
        });
        return command;
    }

    async Task<int> FollowAsync(string id, CancellationToken cancel)
    {
        var shown = "";
        while (true)
        {
            var run = (await api.GetAsync(ServiceNames.Coordinator, $"/bulk-actions/{id}", cancel)).OrThrow().Body;
            var line = Describe(run);
            if (line != shown) output.Mark(null, line);
            shown = line;
            if (run.Text("state") is "done" or "stopped")
            {
                output.ShowJson(run);
                output.Mark(
                    run.Text("state") == "done",
                    run.TextOrNull("stoppedBecause") ?? $"{run.Text("wentOn")} of {run.Text("total")} went on.");
                return run.Text("state") == "done" ? Exit.Ok : Exit.Failed;
            }
            await Task.Delay(Interval, cancel);
        }
    }

    static string Describe(JsonElement run) =>
        $"{run.Text("state")}: {run.Text("acted")} of {run.Text("total")} {run.Text("action")} sent, "
        + $"{run.Text("wentOn")} went on, {run.Text("stuckAgain")} stuck again, {run.Text("undecided")} undecided, "
        + $"{run.Text("refused")} refused";

    static IEnumerable<(string Name, string Value)> Read(string where)
    {
        foreach (var part in where.Split('&', StringSplitOptions.RemoveEmptyEntries))
            yield return part.Split('=', 2) is [var name, var value] && Filters.Contains(name)
                ? (name, Uri.UnescapeDataString(value))
                : throw new ToolException(
                    Exit.Usage, $"--where does not understand \"{part}\". It knows: {string.Join(", ", Filters)}.");
    }
}
