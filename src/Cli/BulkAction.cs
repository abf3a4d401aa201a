using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary><c>retry</c> and <c>compensate</c> with <c>--where</c>: starts a bulk action and follows it.</summary>
sealed class BulkAction(ApiClient client, Output output)
{
    static readonly string[] Filters = ["state", "step", "code", "waitingFor", "olderThan", "youngerThan"];
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    /// <summary>Body of the API call.</summary>
    /// <param name="verb">The action.</param>
    /// <param name="where">Filter as in the address of the console.</param>
    /// <param name="reason">The operator's words.</param>
    /// <param name="canary">Size of the first batch; null for the coordinator's default.</param>
    public static JsonObject Body(string verb, string where, string reason, int? canary)
    {
        var body = new JsonObject { ["action"] = verb, ["where"] = Filter(where), ["reason"] = reason };
        if (canary is not null) body["canary"] = canary;
        return body;
    }

    public async Task<int> RunAsync(JsonObject body, bool preview, CancellationToken cancel)
    {
        var run = (await client.PostAsync(
            ServiceNames.Coordinator, $"/bulk-actions{(preview ? "?preview=true" : "")}", body, cancel,
            preview ? null : ApiClient.NewKey("bulk"))).OrThrow().Body;
        if (preview)
        {
            output.ShowJson(run);
            var more = run.Flag("isCapped") ? ", and there are more" : "";
            output.Line(
                $"It would {body["action"]} {run.Text("total")} orders{more}: "
                + $"{CanaryWords.Of(run.Whole("canary") ?? 0, run.Whole("total") ?? 0)}.");
            return Exit.Ok;
        }
        try
        {
            return await FollowAsync(run.Text("id"), cancel);
        }
        catch (OperationCanceledException)
        {
            output.Line(
                $"The bulk action continues. To stop it: ./orderwright bulk stop {run.Text("id")} --reason '…'");
            throw;
        }
    }

    /// <summary><c>bulk</c> lists the coordinator's bulk actions, <c>bulk stop</c> ends one.</summary>
    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command(
            "bulk", "List bulk actions (retry and compensate with --where, bulk resolve) and their progress.") { json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var runs = (await client.GetAsync(ServiceNames.Coordinator, "/bulk-actions", cancel)).OrThrow();
            output.ShowJson(runs.Body);
            output.Table(
                ["id", "action", "state", "sent#", "total#", "succeeded#", "by", "reason"],
                runs.Items.Select(run => new[]
                {
                    run.Text("id"), run.Text("action"), run.Text("state"), run.Text("acted"), run.Text("total"),
                    run.Text("wentOn"), run.Text("actor"), run.Text("reason"),
                }));
            return Exit.Ok;
        });
        command.Subcommands.Add(Resolve());
        command.Subcommands.Add(Stop());
        return command;
    }

    static Command Resolve()
    {
        var step = new Argument<string>("step") { Description = "Stuck step of the orders." };
        var outcome = new Argument<string>("outcome") { Description = "Outcome to record for all of them." };
        outcome.AcceptOnlyFromAmong(StepStates.Completed, StepStates.Rejected);
        var undo = new Option<bool>("--undo") { Description = "Resolve the undo of the step instead of the step." };
        var code = new Option<string>("--code") { Description = "Code of the incidents.", Required = true };
        var (reason, canary, preview, json) =
            (CommonOptions.Reason(), CommonOptions.Canary(), CommonOptions.Preview(), CommonOptions.Json());
        var command = new Command("resolve", "Record the outcome of a step for all incidents with a code.")
        {
            step, outcome, undo, code, reason, canary, preview, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var where = $"state={SagaStates.Failed}&step={Uri.EscapeDataString(parsed.GetValue(step)!)}"
                + $"&code={Uri.EscapeDataString(parsed.GetValue(code)!)}";
            var body = Body(Repair.Resolve, where, parsed.GetValue(reason)!, parsed.GetValue(canary));
            (body["outcome"], body["undo"]) = (parsed.GetValue(outcome), parsed.GetValue(undo));
            return await new BulkAction(client, new Output(parsed.GetValue(json))).RunAsync(
                body, parsed.GetValue(preview), cancel);
        });
        return command;
    }

    static Command Stop()
    {
        var id = new Argument<string>("id") { Description = "Bulk action id." };
        var reason = CommonOptions.Reason();
        var command = new Command("stop", "Stop a bulk action after the orders already in progress.") { id, reason };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            (await client.PostAsync(
                ServiceNames.Coordinator, $"/bulk-actions/{Uri.EscapeDataString(parsed.GetValue(id)!)}/stop",
                new() { ["reason"] = parsed.GetValue(reason) }, cancel)).OrThrow();
            await new BulkAction(client, new Output(json: false)).FollowAsync(parsed.GetValue(id)!, cancel);
            return Exit.Ok;
        });
        return command;
    }

    async Task<int> FollowAsync(string id, CancellationToken cancel)
    {
        var shown = "";
        while (true)
        {
            var run = (await client.GetAsync(ServiceNames.Coordinator, $"/bulk-actions/{id}", cancel)).OrThrow().Body;
            var line = Describe(run);
            if (line != shown) output.Mark(null, line);
            shown = line;
            if (run.Text("state") is BulkStates.Done or BulkStates.Stopped)
            {
                var isDone = run.Text("state") == BulkStates.Done;
                output.ShowJson(run);
                output.Mark(
                    isDone, run.TextOrNull("stoppedBecause") ?? $"{run.Text("wentOn")} of {run.Text("total")} succeeded.");
                return isDone ? Exit.Ok : Exit.Failed;
            }
            await Task.Delay(Interval, cancel);
        }
    }

    static string Describe(JsonElement run) =>
        $"{run.Text("state")}: {run.Text("acted")} of {run.Text("total")} {run.Text("action")} sent, "
        + $"{run.Text("wentOn")} succeeded, {run.Text("stuckAgain")} stuck again, {run.Text("undecided")} undecided, "
        + $"{run.Text("refused")} refused";

    static JsonObject Filter(string where)
    {
        var filter = new JsonObject();
        foreach (var part in where.Split('&', StringSplitOptions.RemoveEmptyEntries))
            if (part.Split('=', 2) is [var name, var value] && Filters.Contains(name))
                filter[name] = Uri.UnescapeDataString(value);
            else
                throw new ToolException(
                    Exit.Usage, $"--where contains \"{part}\". Allowed: NAME=VALUE with {string.Join(", ", Filters)}.");
        return filter;
    }
}
