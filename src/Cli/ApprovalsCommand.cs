using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Http.Approvals;

namespace Orderwright.Cli;

/// <summary>
/// <c>approvals</c>: lists operations that wait for a second person, approves and rejects them. Each process keeps its own, so
/// the tool calls all of them.
/// </summary>
static class ApprovalsCommand
{
    public static Command Create()
    {
        var command = Describe(
            new Command("approvals", "List operations that wait for a second person; approve and reject them."));
        command.Subcommands.Add(Describe(new Command("list", "List operations that wait for a second person, or waited.")));
        command.Subcommands.Add(Decide("approve", "Carry out the operation of another person.", isReasonNeeded: false));
        command.Subcommands.Add(Decide("reject", "Reject the operation of another person.", isReasonNeeded: true));
        return command;
    }

    /// <summary>Prints that an operation waits, with the command for the second person.</summary>
    public static void ShowWaiting(Output output, JsonElement approval)
    {
        output.Mark(null, $"Waiting for a second person until {approval.Text("expiresAt")}: {approval.Text("effect")}");
        output.Line($"Another person decides: ./orderwright approvals approve {approval.Text("id")}");
    }

    static Command Describe(Command command)
    {
        var state = new Option<string>("--state")
        {
            Description = $"State to list: {string.Join(", ", ApprovalStates.All)}, or all.",
            DefaultValueFactory = _ => ApprovalStates.Pending,
        };
        state.AcceptOnlyFromAmong([.. ApprovalStates.All, "all"]);
        var limit = new Option<int>("--limit")
        {
            Description = "Maximum number of rows per process, 1 to 200.", DefaultValueFactory = _ => 50,
        };
        var json = CommonOptions.Json();
        command.Options.Add(state);
        command.Options.Add(limit);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var query = $"/approvals?limit={parsed.GetValue(limit)}"
                + (parsed.GetValue(state) is { } only and not "all" ? $"&state={only}" : "");
            var pages = new List<ApiReply>();
            foreach (var service in client.Addresses.Processes)
                pages.Add((await client.GetAsync(service, query, cancel)).OrThrow());
            var approvals = pages.SelectMany(page => page.Items).OrderByDescending(one => one.Time("requestedAt")).ToList();
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteStartArray("items");
                    foreach (var approval in approvals) approval.WriteTo(writer);
                    writer.WriteEndArray();
                    writer.WriteEndObject();
                });
            if (approvals.Count == 0) output.Mark(true, "No operation waits for a second person.");
            else
                output.Table(
                    ["id", "state", "effect", "requested by", "requested", "expires", "decided by", "reason"],
                    approvals.Select(one => new[]
                    {
                        one.Text("id"), one.Text("state"), one.Text("effect"), one.Text("requestedBy"),
                        output.Age(one.Text("requestedAt")), one.Text("expiresAt"), one.Text("decidedBy"), one.Text("reason"),
                    }),
                    "reason", "expires", "decided by", "requested");
            if (pages.Any(page => page.NextCursor is not null))
                output.Line(
                    $"Only the newest {parsed.GetValue(limit)} of each process are shown; use --limit for up to 200.");
            return Exit.Ok;
        });
        return command;
    }

    static Command Decide(string verb, string description, bool isReasonNeeded)
    {
        var id = new Argument<string>("id") { Description = "Approval id." };
        var reason = new Option<string?>("--reason") { Description = "Reason for the audit.", Required = isReasonNeeded };
        var json = CommonOptions.Json();
        var command = new Command(verb, description) { id, reason, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var client = await Server.ConnectAsync(cancel);
            var path = $"/approvals/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            var body = new JsonObject();
            if (parsed.GetValue(reason) is { } words) body["reason"] = words;
            var approval = (await client.PostAsync(
                await Server.OwnerOfAsync(client, path, cancel), $"{path}/{verb}", body, cancel, ApiClient.NewKey(verb)))
                .OrThrow().Body;
            output.ShowJson(approval);
            output.Mark(
                true,
                $"{approval.Text("state")}: {approval.Text("effect")} Requested by {approval.Text("requestedBy")}, decided by "
                + $"{approval.Text("decidedBy")}.");
            return Exit.Ok;
        });
        return command;
    }
}
