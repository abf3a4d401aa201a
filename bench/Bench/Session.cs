using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Orderwright.Contracts;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>One side of a comparison: a load on a house.</summary>
/// <param name="Name">For reports.</param>
/// <param name="House">Several sides may share one.</param>
/// <param name="Load">Its orders are counted by <see cref="Session"/>.</param>
/// <param name="Reads">What is read beside it.</param>
sealed record Variant(string Name, House House, PlaceCommand Load, ReadCommand? Reads = null);

/// <summary>What all cases share: the load clients, and how a load is measured.</summary>
sealed class Session(BenchOptions options, TextWriter progress) : IDisposable
{
    /// <summary>Enough for a p99.9, however high the rate.</summary>
    const int MostAtARate = 10_000;

    readonly HttpClient http = new();
    readonly Lazy<LoadClient> reader = new();
    readonly LoadClient client = new();
    int houses;
    int seed;

    public BenchOptions Options => options;

    /// <summary>What the last server that was opened says of itself.</summary>
    public IReadOnlyDictionary<string, string> Postgres { get; private set; } = new Dictionary<string, string>();

    /// <summary>A directory for a house that is still to be opened.</summary>
    public string NewDirectory(string name) => Path.Combine(options.Data, $"{++houses}-{name}");

    /// <summary>A running house with a filled shop.</summary>
    public async Task<House> OpenAsync(HouseKind kind, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        var house = await House.StartAsync(kind, NewDirectory(kind.Name), cancel);
        try
        {
            await new Shop(http, house).FillAsync(cancel);
            if (house.Postgres is not null) Postgres = await house.DescribePostgresAsync(cancel);
        }
        catch
        {
            await house.DisposeAsync();
            throw;
        }
        Say($"  {kind.Name} is up and filled after {watch.Elapsed.TotalSeconds:F1} s: {string.Join(
            ", ", house.Processes.Select(process => $"{process.Name} {process.Id}"))}");
        return house;
    }

    /// <summary>As many orders as the house takes.</summary>
    public Variant Saturate(House house, string name) => new(name, house, new PlaceCommand
    {
        Urls = house.UrlsOf(ServiceNames.Order),
        Connections = options.Connections,
        WaitEvery = options.WaitEvery,
    });

    /// <summary>Orders at fixed moments, each measured to its end.</summary>
    public static Variant AtRate(House house, string name, double rate) => new(name, house, new PlaceCommand
    {
        Urls = house.UrlsOf(ServiceNames.Order),
        Connections = 256,
        Rate = rate,
    });

    /// <summary>
    /// Warms all up, then measures them in turn, forth and back (A B B A …), so that what changes with time hits all alike.
    /// </summary>
    public async Task<IReadOnlyList<Series>> CompareAsync(IReadOnlyList<Variant> variants, int repeat, CancellationToken cancel)
    {
        var sized = new List<Variant>();
        foreach (var variant in variants) sized.Add(await WarmUpAsync(variant, cancel));
        var runs = variants.ToDictionary(variant => variant.Name, _ => new List<Run>());
        for (var round = 0; round < repeat; round++)
            foreach (var variant in round % 2 == 0 ? sized : sized.AsEnumerable().Reverse())
            {
                var run = await RunAsync(variant, cancel);
                runs[variant.Name].Add(run);
                Say($"  {variant.Name}, {round + 1} of {repeat}: {Describe(run)}");
            }
        return [.. variants.Select(variant => new Series(variant.Name, runs[variant.Name], variant.Load.Rate))];
    }

    /// <summary>Warms up; the last part of it tells how many orders a run of the wanted length has.</summary>
    public async Task<Variant> WarmUpAsync(Variant variant, CancellationToken cancel)
    {
        var load = variant.Load with { Rate = 0, Orders = options.FewestOrders };
        var watch = Stopwatch.StartNew();
        for (var placed = 0; placed < options.WarmUpOrders && watch.Elapsed < options.LongestWarmUp;)
        {
            var result = await PlaceAsync(variant.House, load, cancel);
            placed += result.Requests;
            var ofARun = (int)(result.Requests / result.Seconds * options.Length.TotalSeconds);
            load = load with { Orders = Math.Max(options.FewestOrders, ofARun) };
        }
        var rate = variant.Load.Rate;
        var orders = rate > 0 ? Math.Min((int)(rate * options.OpenLength.TotalSeconds), MostAtARate) : load.Orders;
        return variant with { Load = variant.Load with { Orders = orders } };
    }

    /// <summary>One load, measured.</summary>
    public async Task<Run> RunAsync(Variant variant, CancellationToken cancel)
    {
        await client.PrepareAsync(variant.Load with { Seed = ++seed }, cancel);
        if (variant.Reads is { } reads) await reader.Value.PrepareAsync(reads, cancel);
        await UntilQuietAsync(cancel);
        var wal = await WalAsync(variant.House, cancel);
        List<(string, int)> processes = [.. variant.House.Processes, ("load client", client.Id)];
        if (variant.Reads is not null) processes.Add(("read client", reader.Value.Id));
        var ((load, read), cpu, others) = await MeterAsync<(LoadResult, LoadResult?)>(processes, async () =>
        {
            var reading = variant.Reads is null ? null : reader.Value.RunAsync(cancel);
            var placed = await client.RunAsync(cancel);
            if (reading is null) return (placed, null);
            await reader.Value.StopAsync(cancel);
            return (placed, await reading);
        });
        variant.House.Acknowledged += load.Requests;
        return new Run(load, cpu, others, await WalAsync(variant.House, cancel) - wal, read);
    }

    /// <summary>Places orders until they are at their end, without measuring anything.</summary>
    public Task PlaceAsync(House house, int orders, CancellationToken cancel) =>
        PlaceAsync(house, Saturate(house, "").Load with { Orders = orders }, cancel);

    /// <summary>One more run of what was measured, in which statements and batches are counted.</summary>
    public Task<Profile> ProfileAsync(Variant variant, Series measured, CancellationToken cancel)
    {
        var orders = Math.Max(options.FewestOrders, (int)(measured.OrdersPerSecond.Median * options.Length.TotalSeconds));
        return new Profiler(variant.House, http).RunAsync(
            async () => (await PlaceAsync(variant.House, variant.Load with { Orders = orders }, cancel)).Requests, cancel);
    }

    /// <summary>Without this there is no result.</summary>
    /// <returns>Orders on which every invariant holds.</returns>
    public async Task<long> VerifyAsync(House house, CancellationToken cancel)
    {
        var report = await house.VerifyAsync(cancel);
        Say($"  {house.Kind.Name} verifies: {report.Orders:N0} orders, {report.Duration.TotalSeconds:F1} s");
        return report.Orders;
    }

    public void Say(FormattableString text) => progress.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <summary>Seconds of CPU that <paramref name="work"/> used, by process, and what the others used meanwhile.</summary>
    public static async Task<(TResult Result, IReadOnlyDictionary<string, double> Cpu, double Others)> MeterAsync<TResult>(
        IReadOnlyList<(string Name, int Id)> processes, Func<Task<TResult>> work)
    {
        var (cpu, machine, watch) = (ProcessorTime.Of(processes), ProcessorTime.OfMachine(), Stopwatch.StartNew());
        var result = await work();
        var (cpuAfter, machineAfter, elapsed) = (ProcessorTime.Of(processes), ProcessorTime.OfMachine(), watch.Elapsed);
        var used = cpuAfter.ToDictionary(pair => pair.Key, pair => pair.Value - cpu[pair.Key]);
        var others = machineAfter - machine - used.Values.Sum();
        return (result, used, Math.Max(0, others) / elapsed.TotalSeconds / Environment.ProcessorCount);
    }

    /// <summary>What the last load left to do, such as vacuuming, belongs to no load.</summary>
    public static async Task UntilQuietAsync(CancellationToken cancel)
    {
        var window = TimeSpan.FromMilliseconds(250);
        for (var looks = 0; looks < 20; looks++)
        {
            var before = ProcessorTime.OfMachine();
            await Task.Delay(window, cancel);
            if (ProcessorTime.OfMachine() - before < 0.1 * window.TotalSeconds * Environment.ProcessorCount) return;
        }
    }

    /// <summary>Where PostgreSQL's log has got to, in bytes; null without one.</summary>
    public static async Task<long?> WalAsync(House house, CancellationToken cancel)
    {
        if (house.Postgres is null) return null;
        await using var connection = new NpgsqlConnection(house.Postgres.ConnectionString());
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand("SELECT (pg_current_wal_lsn() - '0/0')::bigint", connection);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>In one line, for the terminal.</summary>
    public static string Describe(Run run)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{run.OrdersPerSecond:N0} orders/s, {run.CpuPer1000:F3} CPU-s per 1,000, {run.Cores:F2} cores");
        if (run.Load.Milliseconds.TryGetValue("p50", out var median))
            text += string.Create(
                CultureInfo.InvariantCulture, $", p50 {median:F1} ms, p99 {run.Load.Milliseconds["p99"]:F1} ms");
        if (run.Reads is { } reads)
            text += string.Create(
                CultureInfo.InvariantCulture,
                $"; {reads.Requests / reads.Seconds:N0} reads/s, p99 {reads.Milliseconds["p99"]:F1} ms");
        if (run.Load.Refused > 0) text += string.Create(CultureInfo.InvariantCulture, $"; {run.Load.Refused:N0} refused");
        return text + string.Create(CultureInfo.InvariantCulture, $"; others {run.OthersCpu:P0}");
    }

    public void Dispose()
    {
        client.Dispose();
        if (reader.IsValueCreated) reader.Value.Dispose();
        http.Dispose();
    }

    async Task<LoadResult> PlaceAsync(House house, PlaceCommand load, CancellationToken cancel)
    {
        await client.PrepareAsync(load with { Seed = ++seed }, cancel);
        var result = await client.RunAsync(cancel);
        house.Acknowledged += result.Requests;
        return result;
    }
}
