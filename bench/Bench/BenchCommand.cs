using System.CommandLine;
using System.Text.Json;
using Orderwright.Bench.Cases;
using Orderwright.LocalServers;

namespace Orderwright.Bench;

/// <summary><c>./orderwright bench</c>: measures, verifies what it measured, and says it.</summary>
static class BenchCommand
{
    static readonly Option<string[]> Letters = new("--case")
    {
        Description = $"Only these, by letter: {string.Join("; ", Case.All.Select(one => $"{one.Letter}: {one.Title}"))}.",
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(','))],
        AllowMultipleArgumentsPerToken = true,
    };

    static readonly Option<bool> Quick = new("--quick")
    {
        Description = "Half a second where it would be six, once: shows that all works; its figures mean nothing.",
    };

    static readonly Option<int?> Repeat = new("--repeat") { Description = "Runs of each side of a comparison. Default 5." };
    static readonly Option<double?> Seconds = new("--seconds")
    {
        Description = "About how long a saturated run takes. Default 6.",
    };

    static readonly Option<int?> Connections = new("--connections")
    {
        Description = "Requests on their way at once in a saturated run. Default 512.",
    };

    static readonly Option<int?> WaitEvery = new("--wait-every")
    {
        Description = "Every how manyth order of a saturated run is answered with its decision. Default 100.",
    };

    static readonly Option<int?> Finished = new("--finished")
    {
        Description = "Orders in the tables in case f. Default 1,000,000.",
    };

    static readonly Option<FileInfo?> Json = new("--json") { Description = "Writes every run into this file." };
    static readonly Option<DirectoryInfo?> Into = new("--report")
    {
        Description = "Where RESULTS.md and its plots go. Default: bench for a run of all cases, else artifacts/bench.",
    };

    public static RootCommand Create()
    {
        Letters.Validators.Add(result =>
        {
            foreach (var letter in result.GetValueOrDefault<string[]>().Except(Case.All.Select(one => one.Letter)))
                result.AddError($"There is no case '{letter}'.");
        });
        var command = new RootCommand("Measure Orderwright on private servers; bench/README.md says how.")
        {
            Letters, Quick, Repeat, Seconds, Connections, WaitEvery, Finished, Json, Into,
        };
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var options = OptionsOf(parsed);
        var letters = parsed.GetValue(Letters) is { Length: > 0 } some ? some : null;
        var all = letters is null && !parsed.GetValue(Quick);
        try
        {
            var results = new List<CaseResult>();
            using var session = new Session(options, Console.Out);
            foreach (var one in Case.All.Where(one => letters?.Contains(one.Letter) ?? true))
            {
                Console.WriteLine($"({one.Letter}) {one.Title}");
                var measured = await one.RunAsync(session, cancel);
                results.Add(new CaseResult(one.Letter, one.Title, measured));
                foreach (var figure in measured.Figures) Console.WriteLine($"  {Markdown.Line(figure)}");
                Directory.Delete(options.Data, recursive: true);
            }
            var report = new Report(await Setup.ReadAsync(options, session.Postgres, cancel), results);
            if (parsed.GetValue(Json) is { } file)
                await File.WriteAllTextAsync(file.FullName, JsonSerializer.Serialize(report, ReportJson.Options), cancel);
            var folder = parsed.GetValue(Into)?.FullName ?? Path.Combine(Programs.Home, all ? "bench" : "artifacts/bench");
            Markdown.Write(report, folder);
            Directory.Delete(options.Data, recursive: true);
            Console.WriteLine($"Written to {Path.Combine(folder, "RESULTS.md")}");
            return 0;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            if (Directory.Exists(options.Data)) Directory.Delete(options.Data, recursive: true);
            await Console.Error.WriteLineAsync("Stopped.");
            return 1;
        }
        catch (Exception error) when (error is InvalidOperationException or MissingServerException or IOException)
        {
            await Console.Error.WriteLineAsync($"{error.Message}\nLogs and databases are kept in {options.Data}.");
            return 1;
        }
    }

    static BenchOptions OptionsOf(ParseResult parsed)
    {
        var data = Path.Combine(Path.GetTempPath(), $"orderwright-bench-{Environment.ProcessId}");
        var options = parsed.GetValue(Quick) ? BenchOptions.Quick(data) : new BenchOptions { Data = data };
        return options with
        {
            Repeat = parsed.GetValue(Repeat) ?? options.Repeat,
            Length = parsed.GetValue(Seconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : options.Length,
            Connections = parsed.GetValue(Connections) ?? options.Connections,
            WaitEvery = parsed.GetValue(WaitEvery) ?? options.WaitEvery,
            Finished = parsed.GetValue(Finished) ?? options.Finished,
        };
    }
}
