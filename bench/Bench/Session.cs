using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Orderwright.Contracts;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>What is measured against what: a house and the load on it.</summary>
sealed record Variant(string Name, House House, PlaceCommand Load);

/// <summary>What all cases share: where things are kept, the load client, and how a load is measured.</summary>
sealed class Session : IDisposable
{
    readonly HttpClient http = new();
    readonly LoadClient client = new();
    int houses;
    int seed;

    public required BenchOptions Options { get; init; }

    public required TextWriter Progress { get; init; }

    /// <summary>A running house with a filled shop.</summary>
    public async Task<House> OpenAsync(HouseKind kind, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        var house = await House.StartAsync(kind, Path.Combine(Options.Data, $"{++houses}-{kind.Name}"), cancel);
        await new Shop(http, house).FillAsync(cancel);
        Say($"  {kind.Name} is up and filled after {watch.Elapsed.TotalSeconds:F1} s: " +
            string.Join(", ", house.Processes.Select(process => $"{process.Name} {process.Id}")));
        return house;
    }

    /// <summary>A load on a house, with fresh orders.</summary>
    public Variant Place(House house, string name, int orders, int connections) => new(name, house, new PlaceCommand(
        [.. house.UrlsOf(ServiceNames.Order).Select(url => url.AbsoluteUri)], orders, connections, WaitEvery: Options.WaitEvery));

    /// <summary>
    /// Warms all up, then measures them in turn, forth and back (A B B A …), so that what changes with time hits all alike.
    /// Each house is verified at the end: without that there is no result.
    /// </summary>
    public async Task<IReadOnlyList<Series>> CompareAsync(
        IReadOnlyList<Variant> variants, int warmUp, CancellationToken cancel)
    {
        foreach (var variant in variants.Where(_ => warmUp > 0))
            await RunAsync(variant with { Load = variant.Load with { Orders = warmUp, Rate = 0 } }, cancel);
        var runs = variants.ToDictionary(variant => variant, _ => new List<Run>());
        for (var round = 0; round < Options.Repeat; round++)
            foreach (var variant in round % 2 == 0 ? variants : variants.Reverse())
            {
                var run = await RunAsync(variant, cancel);
                runs[variant].Add(run);
                Say($"  {variant.Name}, {round + 1} of {Options.Repeat}: {run.OrdersPerSecond:N0} orders/s, " +
                    $"{run.CpuPer1000:F3} CPU-s per 1,000{Percentiles(run)}, others {run.OthersCpu:P0}");
            }
        foreach (var house in variants.Select(variant => variant.House).Distinct()) await VerifyAsync(house, cancel);
        return [.. variants.Select(variant => new Series(variant.Name, runs[variant]))];
    }

    public async Task VerifyAsync(House house, CancellationToken cancel)
    {
        var report = await house.VerifyAsync(cancel);
        Say($"  {house.Kind.Name} verifies: {report.Orders:N0} orders, {report.Duration.TotalSeconds:F1} s");
    }

    public void Say(FormattableString text) => Say(text.ToString(CultureInfo.InvariantCulture));

    public void Say(string text) => Progress.WriteLine(text);

    public void Dispose()
    {
        client.Dispose();
        http.Dispose();
    }

    async Task<Run> RunAsync(Variant variant, CancellationToken cancel)
    {
        await client.PrepareAsync(variant.Load with { Seed = ++seed }, cancel);
        await UntilQuietAsync(cancel);
        var wal = await WalAsync(variant.House, cancel);
        (string, int)[] processes = [.. variant.House.Processes, ("load client", client.Id)];
        var (cpu, machine, watch) = (ProcessorTime.Of(processes), ProcessorTime.OfMachine(), Stopwatch.StartNew());
        var load = await client.RunAsync(cancel);
        var (cpuAfter, machineAfter, elapsed) = (ProcessorTime.Of(processes), ProcessorTime.OfMachine(), watch.Elapsed);
        var used = cpuAfter.ToDictionary(pair => pair.Key, pair => pair.Value - cpu[pair.Key]);
        var others = machineAfter.Busy - machine.Busy - used.Values.Sum() + machineAfter.Stolen - machine.Stolen;
        return new Run(
            load, used, Math.Max(0, others) / elapsed.TotalSeconds / Environment.ProcessorCount,
            await WalAsync(variant.House, cancel) - wal);
    }

    // What the last load left to do, such as vacuuming, belongs to no load.
    static async Task UntilQuietAsync(CancellationToken cancel)
    {
        var window = TimeSpan.FromMilliseconds(250);
        for (var looks = 0; looks < 20; looks++)
        {
            var before = ProcessorTime.OfMachine().Busy;
            await Task.Delay(window, cancel);
            if (ProcessorTime.OfMachine().Busy - before < 0.1 * window.TotalSeconds * Environment.ProcessorCount) return;
        }
    }

    static async Task<long?> WalAsync(House house, CancellationToken cancel)
    {
        if (house.Postgres is null) return null;
        await using var connection = new NpgsqlConnection(house.Postgres.ConnectionString());
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand("SELECT (pg_current_wal_lsn() - '0/0')::bigint", connection);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    static string Percentiles(Run run) => run.Load.Milliseconds.TryGetValue("p50", out var median)
        ? string.Create(CultureInfo.InvariantCulture, $", p50 {median:F1} ms, p99 {run.Load.Milliseconds["p99"]:F1} ms")
        : "";
}
