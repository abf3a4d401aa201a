using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Cli;

/// <summary><c>verify</c>: recomputes every invariant from the tables, and prints violations.</summary>
static class VerifyCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data")
        {
            Description = "Data directory of dev (SQLite files) or of up (run.json); ./data also finds ./data/up.",
            DefaultValueFactory = _ => "./data",
        };
        var postgres = new Option<string?>("--postgres")
        {
            Description =
                "PostgreSQL server with the databases orderwright_order, _customer, _stock and _coordinator, as "
                + "postgres://user:password@host:port.",
        };
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
        var command = new Command("verify", "Recompute every invariant from the tables of all four services.")
        {
            data, postgres, gateway, settle, json,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            new Output(parsed.GetValue(json)), parsed.GetValue(data)!, parsed.GetValue(postgres), parsed.GetValue(gateway),
            parsed.GetValue(settle), cancel));
        return command;
    }

    static async Task<int> RunAsync(
        Output output, string data, string? postgres, string? gateway, int settle, CancellationToken cancel)
    {
        var databases = ServiceDatabases.Open(data, postgres, gateway);
        try
        {
            var verifier = new Verifier(databases, TimeProvider.System);
            if (settle > 0 && !await verifier.SettleAsync(
                TimeSpan.FromSeconds(settle), open => output.Line($"{open} orders are in flight …"), cancel))
                output.Mark(null, $"Orders are still in flight after {settle} s; verifying them in their present state.");
            var report = await verifier.RunAsync(cancel);
            Show(output, report);
            return report.Holds ? Exit.Ok : Exit.Failed;
        }
        catch (DatabaseUnavailableException error)
        {
            throw new ToolException(Exit.Unreachable, $"A database is unavailable: {error.Message}");
        }
        finally
        {
            foreach (var database in databases.Values) await database.DisposeAsync();
        }
    }

    static void Show(Output output, VerificationReport report)
    {
        if (output.IsJson)
        {
            Output.Json(writer => Write(writer, report));
            return;
        }
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
            foreach (var finding in check.Findings) output.Line($"      {finding.Subject} {finding.What}");
            if (check.Broken > check.Findings.Count) output.Line($"      … and {check.Broken - check.Findings.Count} more");
        }
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Orders:N0} orders, {report.InFlight:N0} of them in flight; {report.Passes} passes, " +
            $"{report.Duration.TotalSeconds:F1} s"));
        output.Mark(report.Holds, report.Holds ? "All invariants hold." : "Some invariants are violated.");
    }

    static void Write(Utf8JsonWriter json, VerificationReport report)
    {
        json.WriteStartObject();
        json.WriteBoolean("holds", report.Holds);
        json.WriteNumber("orders", report.Orders);
        json.WriteNumber("inFlight", report.InFlight);
        json.WriteNumber("passes", report.Passes);
        json.WriteNumber("seconds", Math.Round(report.Duration.TotalSeconds, 3));
        json.WriteStartArray("checks");
        foreach (var check in report.Checks)
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
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
