using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Orderwright.Contracts;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>A variant of a comparison: a load on a stack.</summary>
/// <param name="Name">Name in reports.</param>
/// <param name="Stack">The stack, possibly shared by several variants.</param>
/// <param name="Load">The load; <see cref="Session"/> sets its number of orders.</param>
/// <param name="Reads">Concurrent reads.</param>
sealed record Variant(string Name, Stack Stack, PlaceCommand Load, ReadCommand? Reads = null);

/// <summary>Shared by all cases: the load clients, and the measurement of a load.</summary>
sealed class Session(BenchOptions options, TextWriter progress) : IDisposable
{
    /// <summary>Enough for a p99.9, however high the rate.</summary>
    const int MostAtARate = 10_000;

    /// <summary>Orders of a run in which every order waits, as a multiple of the orders in flight.</summary>
    const int RoundsInFlight = 3;

    readonly HttpClient http = new();
    readonly Lazy<LoadClient> reader = new();
    readonly LoadClient client = new();
    int stacks;
    int seed;

    public BenchOptions Options => options;

    /// <summary>Settings reported by the last server that was opened.</summary>
    public IReadOnlyDictionary<string, string> Postgres { get; private set; } = new Dictionary<string, string>();

    /// <summary>Directory for a stack yet to be opened.</summary>
    public string NewDirectory(string name) => Path.Combine(options.Data, $"{++stacks}-{name}");

    /// <summary>Starts a stack with a filled shop.</summary>
    public async Task<Stack> OpenAsync(StackKind kind, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        var stack = await Stack.StartAsync(kind, NewDirectory(kind.Name), cancel);
        try
        {
            await new Shop(http, stack).FillAsync(cancel);
            if (stack.Postgres is not null) Postgres = await stack.DescribePostgresAsync(cancel);
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
        Say($"  {kind.Name} is up and filled after {watch.Elapsed.TotalSeconds:F1} s: {string.Join(
            ", ", stack.Processes.Select(process => $"{process.Name} {process.Id}"))}");
        return stack;
    }

    /// <summary>A load of as many orders as the stack takes.</summary>
    public Variant Saturate(Stack stack, string name) => new(name, stack, new PlaceCommand
    {
        Urls = stack.UrlsOf(ServiceNames.Order),
        Connections = options.Connections,
        WaitEvery = options.WaitEvery,
    });

    /// <summary>A load of orders at fixed moments, each measured to its end.</summary>
    public static Variant AtRate(Stack stack, string name, double rate) => new(name, stack, new PlaceCommand
    {
        Urls = stack.UrlsOf(ServiceNames.Order),
        Connections = 256,
        Rate = rate,
    });

    /// <summary>
    /// Warms all variants up, then measures them alternately (A B B A …), so that drift over time affects all alike.
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

    /// <summary>Warms up; the last part determines how many orders make a run of the wanted length.</summary>
    public async Task<Variant> WarmUpAsync(Variant variant, CancellationToken cancel)
    {
        var load = variant.Load with { Rate = 0, Orders = options.FewestOrders };
        var watch = Stopwatch.StartNew();
        for (var placed = 0; placed < options.WarmUpOrders && watch.Elapsed < options.LongestWarmUp;)
        {
            var result = await PlaceAsync(variant.Stack, load, cancel);
            placed += result.Requests;
            var ofARun = (int)(result.Requests / result.Seconds * options.Length.TotalSeconds);
            load = load with { Orders = Math.Max(options.FewestOrders, ofARun) };
        }
        var rate = variant.Load.Rate;
        var orders = rate > 0 ? Math.Min((int)(rate * options.OpenLength.TotalSeconds), MostAtARate)
            : load.WaitEvery == 1 ? Math.Max(load.Orders, RoundsInFlight * load.Connections)
            : load.Orders;
        return variant with { Load = variant.Load with { Orders = orders } };
    }

    /// <summary>Kills the coordinator under a load and starts it again; returns the result of the load.</summary>
    /// <param name="variant">The load, which has to last longer than <paramref name="after"/>.</param>
    /// <param name="after">Time from the start of the load to the kill.</param>
    /// <param name="cancel">Ends the work.</param>
    public async Task<LoadResult> CrashAsync(Variant variant, TimeSpan after, CancellationToken cancel)
    {
        var load = PlaceAsync(variant.Stack, variant.Load with { MayGetStuck = true }, cancel);
        await Task.Delay(after, cancel);
        if (load.IsCompleted) throw new InvalidOperationException($"{variant.Name} ended before the coordinator was killed.");
        await variant.Stack.CrashAsync(ServiceNames.Coordinator, cancel);
        return await load;
    }

    /// <summary>Runs and measures a load.</summary>
    public async Task<Run> RunAsync(Variant variant, CancellationToken cancel)
    {
        await client.PrepareAsync(variant.Load with { Seed = ++seed }, cancel);
        if (variant.Reads is { } reads) await reader.Value.PrepareAsync(reads, cancel);
        await UntilQuietAsync(cancel);
        var wal = await WalAsync(variant.Stack, cancel);
        List<(string, int)> processes = [.. variant.Stack.Processes, ("load client", client.Id)];
        if (variant.Reads is not null) processes.Add(("read client", reader.Value.Id));
        var ((load, read), cpu, others) = await MeterAsync<(LoadResult, LoadResult?)>(processes, async () =>
        {
            var reading = variant.Reads is null ? null : reader.Value.RunAsync(cancel);
            var placed = await client.RunAsync(cancel);
            if (reading is null) return (placed, null);
            await reader.Value.StopAsync(cancel);
            return (placed, await reading);
        });
        variant.Stack.Acknowledged += load.Requests;
        return new Run(load, cpu, others, await WalAsync(variant.Stack, cancel) - wal, read);
    }

    /// <summary>Places orders and waits for their end, without measuring.</summary>
    public Task PlaceAsync(Stack stack, int orders, CancellationToken cancel) =>
        PlaceAsync(stack, Saturate(stack, "").Load with { Orders = orders }, cancel);

    /// <summary>Repeats a measured load, counting statements and batches.</summary>
    public Task<Profile> ProfileAsync(Variant variant, Series measured, CancellationToken cancel)
    {
        var orders = Math.Max(options.FewestOrders, (int)(measured.OrdersPerSecond.Median * options.Length.TotalSeconds));
        return new Profiler(variant.Stack, http).RunAsync(
            async () => (await PlaceAsync(variant.Stack, variant.Load with { Orders = orders }, cancel)).Requests, cancel);
    }

    /// <summary>Verifies every invariant, the condition of any result.</summary>
    /// <returns>Number of orders on which every invariant holds.</returns>
    public async Task<long> VerifyAsync(Stack stack, CancellationToken cancel)
    {
        if (stack.Kind.Peer is not null) return await PeerCheck.RunAsync(stack, cancel);
        var report = await stack.VerifyAsync(cancel);
        Say($"  {stack.Kind.Name} verifies: {report.Orders:N0} orders, {report.Duration.TotalSeconds:F1} s");
        return report.Orders;
    }

    public void Say(FormattableString text) => progress.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <summary>CPU seconds used during <paramref name="work"/>, by process, and by others.</summary>
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

    /// <summary>Waits until the last load's leftovers, such as vacuuming, are done, which belong to no load.</summary>
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

    /// <summary>Position of PostgreSQL's log in bytes; null without a server.</summary>
    public static async Task<long?> WalAsync(Stack stack, CancellationToken cancel)
    {
        if (stack.Postgres is null) return null;
        await using var connection = new NpgsqlConnection(stack.Postgres.ConnectionString());
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand("SELECT (pg_current_wal_lsn() - '0/0')::bigint", connection);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>A run in a line, for the terminal.</summary>
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

    async Task<LoadResult> PlaceAsync(Stack stack, PlaceCommand load, CancellationToken cancel)
    {
        await client.PrepareAsync(load with { Seed = ++seed }, cancel);
        var result = await client.RunAsync(cancel);
        stack.Acknowledged += result.Requests;
        return result;
    }
}
