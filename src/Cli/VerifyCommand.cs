using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Cli;

/// <summary>
/// <c>verify</c>: names the databases it reads, recomputes every invariant from the tables, and prints each violation with a
/// repair. Exit code 0 if every row was judged and all holds, 1 for violations, 6 if none was found and rows were not judged.
/// </summary>
static class VerifyCommand
{
    public static Command Create()
    {
        var (data, postgres) = (CommonOptions.Data(), CommonOptions.Postgres());
        var gateway = new Option<string?>("--gateway")
        {
            Description = "Data directory of ./orderwright gateway, to compare its records as well.",
        };
        var settle = new Option<int>("--settle")
        {
            Description = "Seconds to wait for orders in flight before verifying.",
            DefaultValueFactory = _ => 0,
        };
        var json = CommonOptions.Json();
        var command = new Command(
            "verify",
            "Recompute every invariant from the tables of all four services. Exit code 0: everything was judged, and all "
            + "holds; 1: violations, each with a repair; 6: no violation, and rows that were not judged.")
        {
            data, postgres, gateway, settle, json,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            new Output(parsed.GetValue(json)), parsed.GetValue(data)!, parsed.GetValue(postgres), parsed.GetValue(gateway),
            parsed.GetValue(settle),
            isDefault: parsed.GetResult(data) is not { Implicit: false } && parsed.GetValue(postgres) is null, cancel));
        return command;
    }

    static async Task<int> RunAsync(
        Output output, string data, string? postgres, string? gateway, int settle, bool isDefault, CancellationToken cancel)
    {
        var opened = ServiceDatabases.Open(data, postgres, gateway);
        try
        {
            var verifier = new Verifier(
                opened.ToDictionary(database => database.Service, database => database.Database), TimeProvider.System);
            var read = await verifier.IdentifyAsync(cancel);
            foreach (var database in opened) output.Line(Line(database, read));
            await CompareWithServerAsync(output, verifier, read, isDefault, cancel);
            if (settle > 0 && !await verifier.SettleAsync(
                TimeSpan.FromSeconds(settle), open => output.Line($"{open} orders are in flight …"), cancel))
                output.Mark(null, $"Orders are still in flight after {settle} s; verifying them in their present state.");
            var report = await verifier.RunAsync(cancel);
            if (output.IsJson) Output.Json(writer => Write(writer, report, opened, read));
            else Show(output, report);
            return report.Verdict switch
            {
                Verdict.Holds => Exit.Ok,
                Verdict.Broken => Exit.Failed,
                _ => Exit.NotJudged,
            };
        }
        catch (DatabaseUnavailableException error)
        {
            throw new ToolException(Exit.Unreachable, $"A database is unavailable: {error.Message}");
        }
        finally
        {
            foreach (var (_, database, _) in opened) await database.DisposeAsync();
        }
    }

    static string Line(OpenedDatabase opened, IReadOnlyList<DatabaseRead> read) =>
        $"Reading {opened.Service}: {opened.Place}"
        + (read.First(database => database.Service == opened.Service).Since is { } since
            ? string.Create(CultureInfo.InvariantCulture, $", created {since:yyyy-MM-dd HH:mm} UTC") : "");

    // With the default directory, the caller means the server named by the setting; named databases are judged in any case.
    static async Task CompareWithServerAsync(
        Output output, Verifier verifier, IReadOnlyList<DatabaseRead> read, bool isDefault, CancellationToken cancel)
    {
        if (!Server.IsNamed) return;
        string? difference;
        try
        {
            difference = await ServiceDatabases.DifferenceFromServerAsync(verifier, read, cancel);
        }
        catch (ApiException error)
        {
            difference = $"does not reply: {error.Message}";
        }
        if (difference is null) return;
        var text = $"The server at {Server.Address} {difference}.";
        if (isDefault)
            throw new ToolException(
                Exit.Refused, $"{text} Name the databases to verify with --data or --postgres, or unset ORDERWRIGHT_URL.");
        output.Mark(null, text);
    }

    static void Show(Output output, VerificationReport report)
    {
        foreach (var check in report.Checks)
        {
            var counts = string.Join(
                ", ", check.Looked.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value:N0} {pair.Key}")));
            var state = check.Outcome switch
            {
                CheckOutcome.Holds => "holds",
                CheckOutcome.CheckedByTests => "checked by tests",
                _ => $"BROKEN, {check.Broken} findings",
            };
            output.Mark(
                check.Outcome switch { CheckOutcome.Holds => true, CheckOutcome.Broken => false, _ => null },
                $"{check.Name}  {check.Summary}: {state}{(counts.Length > 0 ? $" ({counts})" : "")}");
            foreach (var finding in check.Findings)
            {
                output.Line($"      {finding.Subject} {finding.What}");
                output.Line($"        {finding.Repair}");
            }
            if (check.Broken > check.Findings.Count) output.Line($"      … and {check.Broken - check.Findings.Count} more");
        }
        foreach (var (subject, count, why) in report.NotJudged)
            output.Mark(null, string.Create(CultureInfo.InvariantCulture, $"not judged: {count:N0} {subject}, {why}"));
        foreach (var (subject, count, why) in report.Elsewhere)
            output.Mark(null, string.Create(CultureInfo.InvariantCulture, $"judged elsewhere: {count:N0} {subject}, {why}"));
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Orders:N0} orders, {report.InFlight:N0} of them in flight; {report.Passes} passes, " +
            $"{report.Duration.TotalSeconds:F1} s"));
        output.Mark(
            report.Verdict switch { Verdict.Holds => true, Verdict.Broken => false, _ => null },
            report.Verdict switch
            {
                Verdict.Holds => "All invariants hold.",
                Verdict.Broken => "Some invariants are violated.",
                _ => "No violation was found, and not everything was judged.",
            });
    }

    static void Write(
        Utf8JsonWriter json, VerificationReport report, IReadOnlyList<OpenedDatabase> opened, IReadOnlyList<DatabaseRead> read)
    {
        json.WriteStartObject();
        json.WriteBoolean("holds", report.Holds);
        json.WriteString("verdict", report.Verdict switch
        {
            Verdict.Holds => "holds",
            Verdict.Broken => "broken",
            _ => "not_judged",
        });
        json.WriteStartArray("read");
        foreach (var (service, _, place) in opened)
        {
            json.WriteStartObject();
            json.WriteString("service", service);
            json.WriteString("database", place);
            if (read.First(database => database.Service == service).Since is { } since) json.WriteString("createdAt", since);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("orders", report.Orders);
        json.WriteNumber("inFlight", report.InFlight);
        json.WriteNumber("passes", report.Passes);
        json.WriteNumber("seconds", Math.Round(report.Duration.TotalSeconds, 3));
        json.WriteStartArray("checks");
        foreach (var check in report.Checks) Write(json, check);
        json.WriteEndArray();
        Write(json, "notJudged", report.NotJudged);
        Write(json, "judgedElsewhere", report.Elsewhere);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, CheckResult check)
    {
        json.WriteStartObject();
        json.WriteString("name", check.Name);
        json.WriteString("says", check.Summary);
        json.WriteString("outcome", check.Outcome switch
        {
            CheckOutcome.Holds => "holds",
            CheckOutcome.CheckedByTests => "checked_by_tests",
            _ => "broken",
        });
        json.WriteStartObject("looked");
        foreach (var (kind, count) in check.Looked) json.WriteNumber(kind, count);
        json.WriteEndObject();
        json.WriteNumber("broken", check.Broken);
        json.WriteStartArray("findings");
        foreach (var finding in check.Findings)
        {
            json.WriteStartObject();
            json.WriteString("subject", finding.Subject);
            json.WriteString("what", finding.What);
            json.WriteString("repair", finding.Repair);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, string name, IReadOnlyList<Unjudged> rows)
    {
        json.WriteStartArray(name);
        foreach (var (subject, count, why) in rows)
        {
            json.WriteStartObject();
            json.WriteString("subject", subject);
            json.WriteNumber("count", count);
            json.WriteString("why", why);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
