using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Orderwright.Simulation;

var seed = new Option<long?>("--seed") { Description = "Replays one run and tells it." };
var without = new Option<string?>("--without") { Description = "With --seed: leaves these items of its plan out, such as 3,7." };
var order = new Option<int?>("--order") { Description = "With --seed: tells only of this order, by its number in the plan." };
var seeds = new Option<string>("--seeds")
{
    Description = "Runs these, such as 1..100000.",
    DefaultValueFactory = _ => "1..2000",
};
var minutes = new Option<double?>("--minutes") { Description = "Begins no further run after so many minutes." };
var command = new RootCommand(
    "Runs the four services in one thread, on a virtual clock, broker and gateway, under faults that a seed decides; then all " +
    "must be well within a minute. A seed that fails is made shorter and can be replayed.")
{
    seed, without, order, seeds, minutes,
};
command.SetAction(async parsed => parsed.GetValue(seed) is { } one
    ? Replay(one, parsed.GetValue(without), parsed.GetValue(order))
    : await RunManyAsync(parsed.GetValue(seeds)!, parsed.GetValue(minutes)));
var said = command.Parse(args);
var exit = await said.InvokeAsync();
return said.Errors.Count > 0 ? 2 : exit;

static int Replay(long seed, string? without, int? order)
{
    HashSet<int> numbers;
    try
    {
        numbers = [.. (without ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
    }
    catch (FormatException)
    {
        Console.Error.WriteLine("--without takes numbers of the plan's items: 3,7.");
        return 2;
    }
    using var arena = Arena.Open();
    var world = new World(Plan.Of(seed).Without(numbers), arena, isTraced: true);
    var outcome = world.Run();
    Story.Tell(world, outcome, order, Console.Out);
    return outcome.Findings.Count == 0 ? 0 : 1;
}

static async Task<int> RunManyAsync(string range, double? minutes)
{
    if (range.Split("..") is not [var first, var last]
        || !long.TryParse(first, CultureInfo.InvariantCulture, out var from)
        || !long.TryParse(last, CultureInfo.InvariantCulture, out var to) || from > to)
    {
        Console.Error.WriteLine("--seeds takes a range: 1..2000.");
        return 2;
    }
    var watch = Stopwatch.StartNew();
    var lastTold = TimeSpan.Zero;
    var told = new HashSet<long>();
    var most = minutes is { } limit ? TimeSpan.FromMinutes(limit) : TimeSpan.MaxValue;
    var tally = await Sweep.RunAsync(from, to, most, onRun: tally =>
    {
        foreach (var (failed, outcome) in tally.Failed.Where(failed => told.Add(failed.Key)))
        {
            Console.WriteLine($"seed {failed}:");
            Story.Verdict(outcome, Console.Out);
        }
        if (watch.Elapsed - lastTold < TimeSpan.FromSeconds(5)) return;
        lastTold = watch.Elapsed;
        Console.WriteLine($"{Speed(tally, watch.Elapsed)}, {tally.Failed.Count} failed");
    });
    Console.WriteLine($"{Speed(tally, watch.Elapsed)} on {Environment.ProcessorCount} processors");
    Console.WriteLine($"orders: {Counts(tally.Ends)}");
    Console.WriteLine($"faults: {Counts(tally.Struck)}");
    if (tally.Failed.Count == 0)
    {
        Console.WriteLine("✓ all holds");
        return 0;
    }
    Console.WriteLine($"✗ {tally.Failed.Count} of {tally.Runs} runs failed; the first of them, made shorter:");
    Console.WriteLine($"  {ReplayOf(tally.Failed.First().Key)}");
    return 1;
}

static string ReplayOf(long seed)
{
    using var arena = Arena.Open();
    var without = Shortening.Of(Plan.Of(seed), plan => new World(plan, arena).Run().Findings.Count > 0);
    return without.Count == 0
        ? $"./orderwright sim --seed {seed}"
        : $"./orderwright sim --seed {seed} --without {string.Join(',', without.Order())}";
}

static string Counts(IReadOnlyDictionary<string, long> counts) =>
    string.Join(", ", counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value:N0} {pair.Key}")));

static string Speed(Tally tally, TimeSpan took) => string.Create(
    CultureInfo.InvariantCulture,
    $"{tally.Runs:N0} runs in {took.TotalSeconds:F0} s, {tally.Runs / took.TotalSeconds:F0}/s");
