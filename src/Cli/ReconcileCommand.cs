using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>
/// <c>reconcile</c>: runs a reconciliation at customer-service, follows it, and prints each difference with its repair. Exit code
/// 0 if all records agree; 1 if any differ or a gateway's list could not be read.
/// </summary>
sealed class ReconcileCommand(ApiClient client, Output output)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    public static Command Create()
    {
        var provider = new Option<string?>("--provider")
        {
            Description = "Payment provider to compare with. Default: every provider whose gateway offers a list.",
        };
        var from = TimeOption(
            "--from", "Start of the charges to compare, such as 2026-01-31T09:30:00Z. Default: 3 days ago.");
        var to = TimeOption("--to", "End of the charges to compare, exclusive. Default: everything to date.");
        var json = CommonOptions.Json();
        var command = new Command("reconcile", "Compare our payment records with the payment gateways' own lists.")
        {
            provider, from, to, json,
        };
        command.SetAction(async (parsed, cancel) =>
            await new ReconcileCommand(await Server.ConnectAsync(cancel), new Output(parsed.GetValue(json))).RunAsync(
                parsed.GetValue(provider), parsed.GetValue(from), parsed.GetValue(to), cancel));
        return command;
    }

    static Option<DateTimeOffset?> TimeOption(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Contracts.Rfc3339.TryRead(text, out var time)) return time;
            result.AddError($"{name} is \"{text}\". Allowed: an RFC 3339 time such as 2026-01-31T09:30:00Z.");
            return null;
        },
    };

    async Task<int> RunAsync(string? only, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancel)
    {
        var known = (await client.GetAsync(ServiceNames.Customer, "/payment-providers", cancel)).OrThrow().Items.ToList();
        var providers = only is not null
            ? [only]
            : known.Where(provider => provider.Flag("hasList")).Select(provider => provider.Text("name")).ToList();
        if (providers.Count == 0)
            throw new ToolException(Exit.Refused, "None of the configured payment gateways offers a list to compare with.");
        var runs = new List<(JsonElement Run, List<JsonElement> Differences)>();
        foreach (var provider in providers)
        {
            var run = await FollowAsync(await BeginAsync(provider, from, to, cancel), cancel);
            var differences = await client
                .ListAsync(ServiceNames.Customer, $"/reconciliations/{run.Text("id")}/differences", cancel)
                .ToListAsync(cancel);
            runs.Add((run, differences));
            Show(run, differences);
        }
        if (output.IsJson) Output.Json(writer => Write(writer, runs));
        return runs.All(result => Agrees(result.Run)) ? Exit.Ok : Exit.Failed;
    }

    // Reconciliations with one provider run one at a time, so a scheduled one is awaited first.
    async Task<string> BeginAsync(string provider, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancel)
    {
        var body = new JsonObject { ["provider"] = provider };
        if (from is { } first) body["from"] = Rfc3339(first);
        if (to is { } end) body["to"] = Rfc3339(end);
        for (var isAnnounced = false; ; isAnnounced = true)
        {
            var reply = await client.PostAsync(
                ServiceNames.Customer, "/reconciliations", body, cancel, ApiClient.NewKey("reconcile"));
            if (reply.Code != "reconciliation_running") return reply.OrThrow().Body.Text("id");
            if (!isAnnounced) output.Mark(null, $"Another reconciliation with {provider} is running; waiting for its end.");
            await Task.Delay(Interval, cancel);
        }
    }

    async Task<JsonElement> FollowAsync(string id, CancellationToken cancel)
    {
        var shown = "";
        while (true)
        {
            var run = (await client.GetAsync(ServiceNames.Customer, $"/reconciliations/{id}", cancel)).OrThrow().Body;
            if (run.TextOrNull("finishedAt") is not null) return run;
            var line = Describe(run);
            if (line != shown) output.Mark(null, shown = line);
            await Task.Delay(Interval, cancel);
        }
    }

    void Show(JsonElement run, List<JsonElement> differences)
    {
        foreach (var difference in differences)
        {
            output.Mark(
                false, $"{difference.Text("kind")}  order {difference.Text("orderId")}  {difference.TextOrNull("reference")}");
            output.Line($"      {difference.Text("message")}");
            output.Line($"      {difference.Text("repair")}");
        }
        // customer-service stores only the first differences of a run.
        if (run.Whole("differences") is { } total && total > differences.Count)
            output.Line($"      … and {total - differences.Count} more");
        output.Mark(Agrees(run), Describe(run));
    }

    static bool Agrees(JsonElement run) => run.Text("state") == ReconciliationStates.Agrees;

    static string Describe(JsonElement run)
    {
        var range = $"{run.Text("provider")}, {run.Text("from")} to {run.Text("to")}: ";
        var counts = $"{run.Text("listed")} charges listed, {run.Text("compared")} orders compared, "
            + $"{run.Text("inProgress")} still in progress";
        if (run.Text("unrelated") != "0") counts += $", {run.Text("unrelated")} unrelated charges";
        return range + run.Text("state") switch
        {
            ReconciliationStates.Agrees => $"agrees ({counts})",
            ReconciliationStates.Differs => $"{run.Text("differences")} differences ({counts})",
            ReconciliationStates.Failed => $"could not be compared: {run.TextOrNull("message")}",
            var state => $"{state}, {counts}" + (run.TextOrNull("message") is { } why ? $"; {why}" : ""),
        };
    }

    static void Write(Utf8JsonWriter json, List<(JsonElement Run, List<JsonElement> Differences)> runs)
    {
        json.WriteStartObject();
        json.WriteBoolean("agrees", runs.All(result => Agrees(result.Run)));
        json.WriteStartArray("reconciliations");
        foreach (var (run, differences) in runs)
        {
            json.WriteStartObject();
            json.WritePropertyName("run");
            run.WriteTo(json);
            json.WriteStartArray("differences");
            foreach (var difference in differences) difference.WriteTo(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static string Rfc3339(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
