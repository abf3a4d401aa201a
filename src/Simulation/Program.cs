using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Orderwright.Simulation;

var seed = new Option<long?>("--seed") { Description = "Replay one seed and print its course." };
var without = new Option<string?>("--without") { Description = "With --seed: numbers of plan items to leave out, such as 3,7." };
var order = new Option<int?>("--order") { Description = "With --seed: number of the only order to print." };
var seeds = new Option<string>("--seeds")
{
    Description = "Range of seeds to run, such as 1..100000.",
    DefaultValueFactory = _ => "1..2000",
};
var minutes = new Option<double?>("--minutes") { Description = "Stop starting runs after this many minutes." };
var restores = new Option<bool>("--restore") { Description = "Restore a database to an earlier moment in every run." };
var process = new Option<string?>("--process")
{
    Description = "Process file: the steps of others are carried out by a stand-in that is late, silent and repeats itself.",
};
var command = new RootCommand(
    "Run the four services in one thread, on a virtual clock, broker and gateway, under faults drawn from a seed. Every " +
    "invariant must hold within a minute after the last fault. A failing seed is shortened and can be replayed.")
{
    seed, without, order, seeds, minutes, restores, process,
};
command.SetAction(async result => result.GetValue(seed) is { } single
    ? Replay(single, result.GetValue(without), result.GetValue(order), result.GetValue(restores), result.GetValue(process))
    : await RunManyAsync(result.GetValue(seeds)!, result.GetValue(minutes), result.GetValue(restores), result.GetValue(process)));
var parsed = command.Parse(args);
var exit = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? 2 : exit;

static int Replay(long seed, string? without, int? order, bool restores, string? process)
{
    HashSet<int> numbers;
    try
    {
        numbers = [.. (without ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
    }
    catch (FormatException)
    {
        Console.Error.WriteLine("--without takes numbers of plan items: 3,7.");
        return 2;
    }
    using var arena = Arena.Open();
    var world = new World(Plan.Of(seed, restores).Without(numbers), arena, isTraced: true, process: process);
    var outcome = world.Run();
    RunReport.Write(world, outcome, order, Console.Out);
    return outcome.Findings.Count == 0 ? 0 : 1;
}

static async Task<int> RunManyAsync(string range, double? minutes, bool restores, string? process)
{
    if (range.Split("..") is not [var first, var last]
        || !long.TryParse(first, CultureInfo.InvariantCulture, out var from)
        || !long.TryParse(last, CultureInfo.InvariantCulture, out var to) || from > to)
    {
        Console.Error.WriteLine("--seeds takes a range: 1..2000.");
        return 2;
    }
    var watch = Stopwatch.StartNew();
    var lastPrinted = TimeSpan.Zero;
    var printed = new HashSet<long>();
    using var stop = new CancellationTokenSource();
    if (minutes is { } limit) stop.CancelAfter(TimeSpan.FromMinutes(limit));
    var tally = await Sweep.RunAsync(from, to, stop: stop.Token, restores: restores, process: process, onRun: tally =>
    {
        foreach (var (failed, outcome) in tally.Failed.Where(failed => printed.Add(failed.Key)))
        {
            Console.WriteLine($"seed {failed}:");
            RunReport.WriteVerdict(outcome, Console.Out);
        }
        if (watch.Elapsed - lastPrinted < TimeSpan.FromSeconds(5)) return;
        lastPrinted = watch.Elapsed;
        Console.WriteLine($"{Speed(tally, watch.Elapsed)}, {tally.Failed.Count} failed");
    });
    Console.WriteLine($"{Speed(tally, watch.Elapsed)} on {Environment.ProcessorCount} processors");
    Console.WriteLine($"orders: {Counts(tally.OrderCounts)}");
    Console.WriteLine($"faults: {Counts(tally.FaultCounts)}");
    if (tally.Failed.Count == 0)
    {
        Console.WriteLine("✓ every invariant holds");
        return 0;
    }
    Console.WriteLine($"✗ {tally.Failed.Count} of {tally.Runs} runs failed; the first of them, shortened:");
    Console.WriteLine($"  {ReplayOf(tally.Failed.First().Key, restores, process)}");
    return 1;
}

static string ReplayOf(long seed, bool restores, string? process)
{
    using var arena = Arena.Open();
    var without = Shortening.Of(
        Plan.Of(seed, restores), plan => new World(plan, arena, process: process).Run().Findings.Count > 0);
    var options = (restores ? " --restore" : "") + (process is null ? "" : $" --process {process}");
    var replay = $"./orderwright sim --seed {seed}{options}";
    return without.Count == 0 ? replay : $"{replay} --without {string.Join(',', without.Order())}";
}

static string Counts(IReadOnlyDictionary<string, long> counts) =>
    string.Join(", ", counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value:N0} {pair.Key}")));

static string Speed(Tally tally, TimeSpan took) => string.Create(
    CultureInfo.InvariantCulture,
    $"{tally.Runs:N0} runs in {took.TotalSeconds:F0} s, {tally.Runs / took.TotalSeconds:F0}/s");
