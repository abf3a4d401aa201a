using System.CommandLine;
using System.Text.Json;
using Orderwright.Bench.Cases;
using Orderwright.LocalServers;

namespace Orderwright.Bench;

/// <summary><c>./orderwright bench</c>: measures, verifies the measured orders, and reports.</summary>
static class BenchCommand
{
    static readonly Option<string[]> Letters = new("--case")
    {
        Description = $"Cases to run, by letter: {string.Join("; ", Case.All.Select(each => $"{each.Letter}: {each.Title}"))}.",
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(','))],
        AllowMultipleArgumentsPerToken = true,
    };

    static readonly Option<bool> Quick = new("--quick")
    {
        Description = "Run each case briefly, to check that everything works. The figures mean nothing.",
    };

    static readonly Option<int?> Repeat = new("--repeat") { Description = "Runs per variant. Default 5." };
    static readonly Option<double?> Seconds = new("--seconds")
    {
        Description = "Approximate length of a saturated run. Default 6.",
    };

    static readonly Option<int?> Connections = new("--connections")
    {
        Description = "Concurrent requests of a saturated run. Default 512.",
    };

    static readonly Option<int?> WaitEvery = new("--wait-every")
    {
        Description = "Sample one in N orders of a saturated run for latency. Default 100.",
    };

    static readonly Option<int?> Finished = new("--finished")
    {
        Description = "Finished orders in the tables for case f. Default 1,000,000.",
    };

    static readonly Option<FileInfo?> Json = new("--json") { Description = "File for the results of every run." };
    static readonly Option<DirectoryInfo?> Into = new("--report")
    {
        Description = "Directory for RESULTS.md and plots. Default: bench when all cases run, otherwise artifacts/bench.",
    };

    public static RootCommand Create()
    {
        Letters.Validators.Add(result =>
        {
            foreach (var letter in result.GetValueOrDefault<string[]>().Except(Case.All.Select(each => each.Letter)))
                result.AddError($"There is no case '{letter}'.");
        });
        var command = new RootCommand("Measure Orderwright on private servers; see bench/README.md.")
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
            foreach (var current in Case.All.Where(each => letters?.Contains(each.Letter) ?? true))
            {
                Console.WriteLine($"({current.Letter}) {current.Title}");
                var measured = await current.RunAsync(session, cancel);
                results.Add(new CaseResult(current.Letter, current.Title, measured));
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
