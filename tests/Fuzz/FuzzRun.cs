using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SharpFuzz;

namespace Orderwright.Fuzz;

/// <summary>
/// <c>fuzz</c>: runs a target under afl-fuzz, on instrumented copies of the assemblies. Prints executions and findings each
/// minute, and replays the findings at the end: a crash, or an input that takes longer than a second again, makes the exit code
/// 1. On a busy machine afl-fuzz also reports inputs that only had to wait.
/// </summary>
static class FuzzRun
{
    const int TimeLimitMilliseconds = 1_000;

    static readonly TimeSpan ReportEvery = TimeSpan.FromMinutes(1);

    public static Command Command()
    {
        var target = new Argument<string>("target") { Description = "Reader to fuzz." };
        target.AcceptOnlyFromAmong([.. FuzzTarget.All.Select(each => each.Name)]);
        var minutes = new Option<int>("--minutes") { Description = "Duration.", DefaultValueFactory = _ => 60 };
        var data = new Option<string>("--data")
        {
            Description = "Directory for the queue and the findings; a run continues from the queue of an earlier one.",
            DefaultValueFactory = _ => "./data/fuzz",
        };
        var replay = new Option<bool>("--replay") { Description = "Only replay the findings of earlier runs." };
        var command = new Command("fuzz", "Search for input that breaks a reader.") { target, minutes, data, replay };
        command.SetAction(async (parsed, cancel) =>
        {
            var chosen = FuzzTarget.Named(parsed.GetValue(target)!);
            var folder = Path.Combine(Path.GetFullPath(parsed.GetValue(data)!), chosen.Name);
            var findings = Path.Combine(folder, "findings");
            if (!parsed.GetValue(replay)
                && !await RunAsync(chosen, TimeSpan.FromMinutes(parsed.GetValue(minutes)), folder, findings, cancel))
                return 1;
            return Replay(chosen, findings) ? 0 : 1;
        });
        return command;
    }

    static async Task<bool> RunAsync(
        FuzzTarget target, TimeSpan duration, string folder, string findings, CancellationToken cancel)
    {
        var program = Instrumented(target, Path.Combine(folder, "bin"));
        var start = new ProcessStartInfo("afl-fuzz")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])
            [
                "-i", Directory.Exists(findings) ? "-" : target.Corpus, "-o", findings,
                // The plus leaves out a seed that has to wait too long for a processor, where afl-fuzz would give up otherwise.
                "-t", TimeLimitMilliseconds.ToString(CultureInfo.InvariantCulture) + "+", "-m", "none",
                "-V", duration.TotalSeconds.ToString(CultureInfo.InvariantCulture), "-G",
                FuzzTarget.MaxLength.ToString(CultureInfo.InvariantCulture), "dotnet", program, "target", target.Name,
            ])
            start.ArgumentList.Add(argument);
        foreach (var name in (string[])
            [
                // The instrumentation is in the assemblies, not in the runtime that is started.
                "AFL_SKIP_BIN_CHECK", "AFL_NO_UI", "AFL_NO_AFFINITY", "AFL_SKIP_CPUFREQ",
                "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "AFL_IGNORE_SEED_PROBLEMS",
            ])
            start.Environment[name] = "1";
        // A method compiled twice would report its branches twice as often.
        start.Environment["DOTNET_TieredCompilation"] = "0";
        using var fuzzer = Process.Start(start)!;
        var output = fuzzer.StandardOutput.ReadToEndAsync(cancel);
        var errors = fuzzer.StandardError.ReadToEndAsync(cancel);
        try
        {
            using var timer = new Timer(_ => Console.WriteLine(Summary(target, findings)), null, ReportEvery, ReportEvery);
            await fuzzer.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            fuzzer.Kill();
            await fuzzer.WaitForExitAsync(CancellationToken.None);
        }
        Console.WriteLine(Summary(target, findings));
        if (Statistics(findings).Count > 0) return true;
        await Console.Error.WriteLineAsync($"afl-fuzz did not start:\n{await output}\n{await errors}");
        return false;
    }

    /// <summary>Checks the inputs of all findings again; true if none fails.</summary>
    static bool Replay(FuzzTarget target, string findings)
    {
        string[] files =
        [
            .. new[] { "crashes", "hangs" }.Select(kind => Path.Combine(findings, "default", kind)).Where(Directory.Exists)
                .SelectMany(kind => Directory.EnumerateFiles(kind, "id*")),
        ];
        var failures = 0;
        foreach (var file in files)
        {
            if (Fault(target, File.ReadAllBytes(file)) is not { } fault) continue;
            failures++;
            Console.WriteLine($"{file}: {fault}");
        }
        Console.WriteLine($"{target.Name}: {files.Length} findings replayed, {failures} confirmed");
        return failures == 0;
    }

    // The first attempt also compiles code, and each may have to wait for a processor.
    static string? Fault(FuzzTarget target, byte[] input)
    {
        const int Attempts = 3;
        var fastest = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                target.Check(input);
            }
            catch (Exception error)
            {
                return error.ToString();
            }
            var taken = Stopwatch.GetElapsedTime(started);
            if (taken < fastest) fastest = taken;
        }
        return fastest.TotalMilliseconds > TimeLimitMilliseconds ? $"takes {fastest.TotalSeconds:F1} s" : null;
    }

    // The copies live apart from the suite's own assemblies, which are not instrumented.
    static string Instrumented(FuzzTarget target, string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        foreach (var assembly in target.Assemblies)
            Fuzzer.Instrument(Path.Combine(folder, $"{assembly}.dll"), _ => true, Options.Value);
        return Path.Combine(folder, "Orderwright.Fuzz.dll");
    }

    static string Summary(FuzzTarget target, string findings)
    {
        var statistics = Statistics(findings);
        return $"{DateTimeOffset.UtcNow:u} {target.Name}: {Value("execs_done")} executions in {Value("run_time")} s, " +
            $"{Value("execs_per_sec")}/s, {Value("corpus_count")} inputs in the queue, coverage {Value("bitmap_cvg")}, " +
            $"{Value("saved_crashes")} crashes, {Value("saved_hangs")} hangs";

        string Value(string name) => statistics.GetValueOrDefault(name, "?");
    }

    /// <summary>The fuzzer's own statistics: lines such as <c>execs_done : 1234</c>.</summary>
    static Dictionary<string, string> Statistics(string findings)
    {
        var file = Path.Combine(findings, "default", "fuzzer_stats");
        if (!File.Exists(file)) return [];
        return File.ReadAllLines(file).Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0].Trim(), pair => pair[1].Trim());
    }
}
