using Orderwright.Load;

namespace Orderwright.Bench.Cases;

/// <summary>
/// What the rows alone cost: the very rows that whole orders left in the four databases, written once more by one client in
/// batches of 500 with one transaction per database and batch, no service, no message, no update. Then the services' share
/// of that.
/// </summary>
static class Floor
{
    const int Batch = 500;
    const string Prefix = "floor";

    public static async Task<Measured> RunAsync(Session session, CancellationToken cancel)
    {
        await using var house = await session.OpenAsync(new HouseKind("distributed"), cancel);
        var tables = await OrderTables.FindAsync(
            house, () => session.PlaceAsync(house, session.Options.FloorOrders, cancel), cancel);
        session.Say($"  an order leaves rows in {string.Join(", ", tables.Select(table => table.Name))}");
        await house.StopServicesAsync();
        await using var writers = await FloorWriter.OpenAsync(house, tables, Prefix, Batch, cancel);
        await house.StartServicesAsync(cancel);

        var whole = await session.WarmUpAsync(session.Saturate(house, "whole orders"), cancel);
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
        var verified = await session.VerifyAsync(house, cancel);
        await house.VerifyAsync(cancel, Prefix);
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
            var wal = await Session.WalAsync(house, cancel);
            (string, int)[] processes = [("postgres", house.Postgres!.ProcessId), ("writer", Environment.ProcessId)];
            var (seconds, cpu, others) = await Session.MeterAsync(processes, () => writers.WriteAsync(atOnce, cancel));
            return new Run(
                new LoadResult(writers.Orders, 0, 0, 0, 0, seconds, new Dictionary<string, double>()), cpu, others,
                await Session.WalAsync(house, cancel) - wal);
        }
    }

    // What whole orders cost more, by name; the statements behind PostgreSQL's part are in case (a).
    static IEnumerable<Figure> BeyondTheFloor(Series whole, Series floor) => whole.CpuBy.Select(pair => new Figure(
        $"beyond the floor: {pair.Key}", Spread.Of([pair.Value - floor.CpuBy.GetValueOrDefault(pair.Key)]),
        "CPU-s per 1,000 orders"));
}
