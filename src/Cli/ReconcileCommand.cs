using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary>
/// <c>reconcile</c>: has customer-service compare our record with the gateways' own lists, follows it, and says what differs
/// and what to do about each. 0: all agree; 1: something differs, or a list could not be read.
/// </summary>
sealed class ReconcileCommand(Api api, Output output)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    public static Command Create()
    {
        var provider = new Option<string?>("--provider") { Description = "Only this gateway; else all that have a list." };
        var from = TimeOption("--from", "Charges made from here on: 2026-01-31 or 2026-01-31T09:30:00Z. Default: 3 days ago.");
        var to = TimeOption("--to", "Charges made before this. Default: now.");
        var json = Output.JsonOption();
        var command = new Command("reconcile", "Compare our record with the payment gateways' own lists.")
        {
            provider, from, to, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            using var api = await Api.ConnectAsync(cancel);
            return await new ReconcileCommand(api, new Output(parsed.GetValue(json))).RunAsync(
                parsed.GetValue(provider), parsed.GetValue(from), parsed.GetValue(to), cancel);
        });
        return command;
    }

    static Option<DateTimeOffset?> TimeOption(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = said =>
        {
            if (DateTimeOffset.TryParse(
                said.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                return time.ToUniversalTime();
            said.AddError($"{name} is \"{said.Tokens[0].Value}\"; it has to be 2026-01-31 or 2026-01-31T09:30:00Z.");
            return null;
        },
    };

    async Task<int> RunAsync(string? only, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancel)
    {
        var known = (await api.GetAsync(ServiceNames.Customer, "/payment-providers", cancel)).OrThrow().Body.Items().ToList();
        if (only is null && !known.Any(one => one.Text("hasList") == "true"))
            throw new ToolException(Exit.Refused, "No payment gateway here has a list to compare with.");
        var runs = new List<(JsonElement Run, List<JsonElement> Differences)>();
        foreach (var provider in only is not null
            ? [only]
            : known.Where(one => one.Text("hasList") == "true").Select(one => one.Text("name")).ToArray())
        {
            var run = await FollowAsync(await BeginAsync(provider, from, to, cancel), cancel);
            var differences = await DifferencesAsync(run.Text("id"), cancel);
            runs.Add((run, differences));
            Show(run, differences);
        }
        if (output.IsJson) Output.Json(writer => Write(writer, runs));
        return runs.All(one => one.Run.Text("state") == "agrees") ? Exit.Ok : Exit.Failed;
    }

    // One at a time: the schedule's own, or a colleague's, is waited for.
    async Task<string> BeginAsync(string provider, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancel)
    {
        var body = JsonBody.Of(writer =>
        {
            writer.WriteString("provider", provider);
            if (from is { } first) writer.WriteString("from", Rfc3339(first));
            if (to is { } end) writer.WriteString("to", Rfc3339(end));
        });
        for (var told = false; ; told = true)
        {
            var answer = await api.SendAsync(
                HttpMethod.Post, ServiceNames.Customer, "/reconciliations", body, cancel, key: $"reconcile-{Guid.NewGuid():N}");
            if (answer.Code != "reconciliation_running") return answer.OrThrow().Body.Text("id");
            if (!told) output.Mark(null, $"Another reconciliation with {provider} is under way; this one comes after it.");
            await Task.Delay(Interval, cancel);
        }
    }

    async Task<JsonElement> FollowAsync(string id, CancellationToken cancel)
    {
        var shown = "";
        while (true)
        {
            var run = (await api.GetAsync(ServiceNames.Customer, $"/reconciliations/{id}", cancel)).OrThrow().Body;
            if (run.TextOrNull("finishedAt") is not null) return run;
            var line = Describe(run);
            if (line != shown) output.Mark(null, shown = line);
            await Task.Delay(Interval, cancel);
        }
    }

    async Task<List<JsonElement>> DifferencesAsync(string id, CancellationToken cancel)
    {
        var all = new List<JsonElement>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await api.GetAsync(
                ServiceNames.Customer,
                $"/reconciliations/{id}/differences?limit=200{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}", cancel))
                .OrThrow().Body;
            all.AddRange(page.Items());
            cursor = page.TextOrNull("nextCursor");
        }
        return all;
    }

    void Show(JsonElement run, List<JsonElement> differences)
    {
        foreach (var one in differences)
        {
            output.Mark(false, $"{one.Text("kind")}  order {one.Text("orderId")}  {one.TextOrNull("reference")}");
            output.Line($"      {one.Text("message")}");
            output.Line($"      {one.Text("repair")}");
        }
        if (long.Parse(run.Text("differences"), CultureInfo.InvariantCulture) is var all && all > differences.Count)
            output.Line($"      … and {all - differences.Count} more");
        output.Mark(run.Text("state") == "agrees", Describe(run));
    }

    static string Describe(JsonElement run)
    {
        var between = $"{run.Text("provider")}, {run.Text("from")} to {run.Text("to")}: ";
        var counts = $"{run.Text("listed")} charges listed, {run.Text("compared")} orders compared, "
            + $"{run.Text("underWay")} still on their way";
        if (run.Text("unrelated") != "0") counts += $", {run.Text("unrelated")} charges of others";
        return between + run.Text("state") switch
        {
            "agrees" => $"agrees ({counts})",
            "differs" => $"{run.Text("differences")} differences ({counts})",
            "failed" => $"could not be compared: {run.TextOrNull("message")}",
            var state => $"{state}, {counts}" + (run.TextOrNull("message") is { } why ? $"; {why}" : ""),
        };
    }

    static void Write(Utf8JsonWriter json, List<(JsonElement Run, List<JsonElement> Differences)> runs)
    {
        json.WriteStartObject();
        json.WriteBoolean("agrees", runs.All(one => one.Run.Text("state") == "agrees"));
        json.WriteStartArray("reconciliations");
        foreach (var (run, differences) in runs)
        {
            json.WriteStartObject();
            json.WritePropertyName("run");
            run.WriteTo(json);
            json.WriteStartArray("differences");
            foreach (var one in differences) one.WriteTo(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static string Rfc3339(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
