using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;
using Orderwright.StepService.Kit;

namespace Orderwright.Cli;

/// <summary>
/// <c>participant</c>: tests whether a service that carries out steps keeps the rules of <c>docs/how-to/add-a-step.md</c>.
/// </summary>
static class ParticipantCommand
{
    public static Command Create() => new("participant", "Test a service that carries out steps of the process.") { Test() };

    static Command Test()
    {
        var url = new Argument<string>("url") { Description = "Address of the service, without the step." };
        var step = new Option<string>("--step") { Description = "Name of the step.", Required = true };
        var secret = new Option<string>("--secret")
        {
            Description = "File with the secret of the step: whsec_ and base64.", Required = true,
        };
        var order = new Option<string?>("--order")
        {
            Description = "File with the order of the calls, as JSON in the shape of their property order. Default: an order of "
                + "one line for 10.00 EUR.",
        };
        var noUndo = new Option<bool>("--no-undo") { Description = "The step has no undo." };
        var restart = new Option<string?>("--restart")
        {
            Description = "Command that restarts the service; the rule about restarts is left out without it.",
        };
        var within = CommonOptions.Number(
            "--within", 30, 1, 3_600, "Seconds for which a call is repeated until its reply is final.");
        var json = CommonOptions.Json();
        var command = new Command(
            "test",
            "Call a service as the coordinator does, with repeated, late, lost and forged calls, and tell which rules hold.")
        {
            url, step, secret, order, noUndo, restart, within, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var endpoint = parsed.GetValue(url)!.TrimEnd('/');
            if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                throw new ToolException(Exit.Usage, $"{endpoint} is not an address such as https://fraud.internal/orderwright.");
            var participant = new ParticipantUnderTest(
                endpoint, parsed.GetValue(step)!, await SecretsAsync(parsed.GetValue(secret)!, cancel), !parsed.GetValue(noUndo),
                TimeSpan.FromSeconds(Math.Min(10, parsed.GetValue(within))), TimeSpan.FromSeconds(parsed.GetValue(within)),
                parsed.GetValue(order) is { } file ? await OrderAsync(file, cancel) : null,
                parsed.GetValue(restart) is { } line ? stop => RestartAsync(line, stop) : null);
            return await RunAsync(participant, new Output(parsed.GetValue(json)), cancel);
        });
        return command;
    }

    static async Task<int> RunAsync(ParticipantUnderTest participant, Output output, CancellationToken cancel)
    {
        var ids = new IdSource();
        var results = new List<RuleResult>();
        var rules = new ParticipantRules(participant, () => ids.Next(TimeProvider.System.GetUtcNow()), TimeProvider.System);
        await foreach (var result in rules.RunAsync(cancel))
        {
            results.Add(result);
            output.Mark(
                result.Verdict switch { RuleVerdict.Holds => true, RuleVerdict.Broken => false, _ => null },
                $"{result.Name}: {result.Rule}{(result.Why is { } why ? $" {why}" : "")}");
        }
        if (output.IsJson) Output.Json(writer => Write(writer, results));
        var (broken, open) = (
            results.Count(result => result.Verdict == RuleVerdict.Broken),
            results.Count(result => result.Verdict == RuleVerdict.NotJudged));
        output.Line($"{results.Count - broken - open} rules hold; broken: {broken}; not judged: {open}.");
        if (participant.Restart is null) output.Line("A restart was not tested; name a command with --restart.");
        return broken > 0 ? Exit.Failed : open > 0 ? Exit.NotJudged : Exit.Ok;
    }

    static void Write(Utf8JsonWriter writer, IReadOnlyList<RuleResult> results)
    {
        writer.WriteStartArray();
        foreach (var result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("name", result.Name);
            writer.WriteString("rule", result.Rule);
            writer.WriteString("verdict", result.Verdict switch
            {
                RuleVerdict.Holds => "holds", RuleVerdict.Broken => "broken", _ => "not_judged",
            });
            writer.WriteString("why", result.Why);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    static async Task<IReadOnlyList<string>> SecretsAsync(string file, CancellationToken cancel)
    {
        var secrets = (await ReadAsync(file, cancel)).Split(['\r', '\n'], StringSplitOptions.TrimEntries)
            .Where(line => line.Length > 0).ToList();
        return secrets.Count > 0 && secrets.TrueForAll(WebhookSignature.IsSecret) ? secrets
            : throw new ToolException(
                Exit.Usage, $"{file} must hold secrets, one a line: whsec_ and the base64 of 24 to 64 bytes.");
    }

    static async Task<JsonObject> OrderAsync(string file, CancellationToken cancel)
    {
        try
        {
            return JsonNode.Parse(await ReadAsync(file, cancel)) as JsonObject
                ?? throw new ToolException(Exit.Usage, $"{file} is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new ToolException(Exit.Usage, $"{file} is not JSON: {error.Message}");
        }
    }

    static async Task<string> ReadAsync(string file, CancellationToken cancel)
    {
        try
        {
            return await File.ReadAllTextAsync(file, cancel);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(Exit.Usage, $"{file} cannot be read: {error.Message}");
        }
    }

    static async Task RestartAsync(string line, CancellationToken cancel)
    {
        // Standard output belongs to the report.
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd.exe", ["/c", $"({line}) 1>&2"])
            : new ProcessStartInfo("/bin/sh", ["-c", $"{{ {line}\n}} >&2"]);
        using var shell = Process.Start(start) ?? throw new ToolException(Exit.Failed, $"{line} did not start.");
        await shell.WaitForExitAsync(cancel);
        if (shell.ExitCode != 0) throw new ToolException(Exit.Failed, $"{line} ended with {shell.ExitCode}.");
    }
}
