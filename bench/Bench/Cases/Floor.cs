using Orderwright.Load;

namespace Orderwright.Bench.Cases;

/// <summary>
/// The cost of the rows alone: the rows that whole orders left in the four databases, written once more by a single client
/// in batches of 500 with one transaction per database and batch, without services, messages or updates. From it follows
/// the services' share.
/// </summary>
static class Floor
{
    const int Batch = 500;
    const string Prefix = "floor";

    public static async Task<Measured> RunAsync(Session session, CancellationToken cancel)
    {
        await using var stack = await session.OpenAsync(new StackKind("distributed"), cancel);
        var tables = await OrderTables.FindAsync(
            stack, () => session.PlaceAsync(stack, session.Options.FloorOrders, cancel), cancel);
        session.Say($"  an order leaves rows in {string.Join(", ", tables.Select(table => table.Name))}");
        await stack.StopServicesAsync();
        await using var writers = await FloorWriter.OpenAsync(stack, tables, Prefix, Batch, cancel);
        await stack.StartServicesAsync(cancel);

        var whole = await session.WarmUpAsync(session.Saturate(stack, "whole orders"), cancel);
        var (orders, inTurn, atOnce) = (new List<Run>(), new List<Run>(), new List<Run>());
        for (var round = 1; round <= session.Options.Repeat; round++)
        {
            await MeasureAsync("whole orders", orders, () => session.RunAsync(whole, cancel));
            await MeasureAsync("floor, one database after the other", inTurn, () => WriteAsync(atOnce: false));
            await MeasureAsync("floor, four databases at once", atOnce, () => WriteAsync(atOnce: true));

            async Task MeasureAsync(string name, List<Run> runs, Func<Task<Run>> run)
            {
                runs.Add(await run());
                session.Say($"  {name}, {round} of {session.Options.Repeat}: {Session.Describe(runs[^1])}");
            }
        }
        var verified = await session.VerifyAsync(stack, cancel);
        await stack.VerifyAsync(cancel, Prefix);
        var products = new Series("whole orders", orders);
        Series[] floors = [new("floor, one database after the other", inTurn), new("floor, four databases at once", atOnce)];
        var floor = floors.MaxBy(series => series.OrdersPerSecond.Median)!;
        return new(
            [products, .. floors],
            [
                new("the floor", floor.OrdersPerSecond, "orders/s"),
                new("the floor, CPU", floor.CpuPer1000, "CPU-s per 1,000 orders"),
                new("whole orders against the floor", products.Against(floor, s => s.OrdersPerSecond), "×", AtLeast: 0.35),
                .. BeyondTheFloor(products, floor),
            ],
            verified);

        async Task<Run> WriteAsync(bool atOnce)
        {
            await writers.EmptyAsync(cancel);
            await Session.UntilQuietAsync(cancel);
            var wal = await Session.WalAsync(stack, cancel);
            (string, int)[] processes = [("postgres", stack.Postgres!.ProcessId), ("writer", Environment.ProcessId)];
            var (seconds, cpu, others) = await Session.MeterAsync(processes, () => writers.WriteAsync(atOnce, cancel));
            return new Run(
                new LoadResult(writers.Orders, 0, 0, 0, 0, seconds, new Dictionary<string, double>()), cpu, others,
                await Session.WalAsync(stack, cancel) - wal);
        }
    }

    // The additional cost of whole orders, by process; case (a) lists PostgreSQL's statements.
    static IEnumerable<Figure> BeyondTheFloor(Series whole, Series floor) => whole.CpuBy.Select(pair => new Figure(
        $"beyond the floor: {pair.Key}", Spread.Of([pair.Value - floor.CpuBy.GetValueOrDefault(pair.Key)]),
        "CPU-s per 1,000 orders"));
}
