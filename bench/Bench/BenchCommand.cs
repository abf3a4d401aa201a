using System.CommandLine;

namespace Orderwright.Bench;

/// <summary><c>./orderwright bench</c>: measures, verifies what it measured, and says it.</summary>
static class BenchCommand
{
    public static RootCommand Create()
    {
        var cases = new Option<string>("--case")
        {
            Description = "a: distributed, saturated; c: embedded, saturated.",
            DefaultValueFactory = _ => "a,c",
        };
        var repeat = new Option<int>("--repeat") { Description = "Runs of each side.", DefaultValueFactory = _ => 5 };
        var orders = new Option<int>("--orders") { Description = "Of a saturated run.", DefaultValueFactory = _ => 60_000 };
        var warmUp = new Option<int>("--warm-up")
        {
            Description = "Orders before the first run that counts.", DefaultValueFactory = _ => 40_000,
        };
        var connections = new Option<int>("--connections")
        {
            Description = "Requests on their way at once.", DefaultValueFactory = _ => 512,
        };
        var waitEvery = new Option<int>("--wait-every")
        {
            Description = "Every how manyth order asks for its decision (Prefer: wait), and so gives a latency.",
            DefaultValueFactory = _ => 100,
        };
        var command = new RootCommand("Measure Orderwright on private servers.")
        {
            cases, repeat, orders, warmUp, connections, waitEvery,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(cases)!.Split(','),
            new BenchOptions(
                Path.Combine(Path.GetTempPath(), $"orderwright-bench-{Environment.ProcessId}"), parsed.GetValue(repeat),
                parsed.GetValue(orders), parsed.GetValue(warmUp), parsed.GetValue(connections), parsed.GetValue(waitEvery)),
            cancel));
        return command;
    }

    static async Task<int> RunAsync(IReadOnlyList<string> cases, BenchOptions options, CancellationToken cancel)
    {
        using var session = new Session { Options = options, Progress = Console.Out };
        try
        {
            foreach (var name in cases)
            {
                var kind = name == "c" ? new HouseKind("embedded", Embedded: true) : new HouseKind("distributed");
                await using var house = await session.OpenAsync(kind, cancel);
                var series = await session.CompareAsync(
                    [session.Place(house, kind.Name, options.Orders, options.Connections)], options.WarmUp, cancel);
                foreach (var one in series)
                    session.Say($"  median {one.Of(run => run.OrdersPerSecond).Median:N0} orders/s; CPU-s per 1,000 by process: " +
                        string.Join(", ", one.CpuBy.Select(pair => $"{pair.Key} {pair.Value:F3}")));
            }
            return 0;
        }
        finally
        {
            if (Directory.Exists(options.Data)) Directory.Delete(options.Data, recursive: true);
        }
    }
}
