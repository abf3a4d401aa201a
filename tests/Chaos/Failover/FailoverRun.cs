using System.CommandLine;

namespace Orderwright.Chaos.Failover;

/// <summary>
/// <c>failover</c>: order-service on a PostgreSQL primary with a synchronous standby. The standby stalls, faults strike, the
/// primary dies, and the standby is promoted. Every order acknowledged to a client must exist there, and the service, which
/// knows both servers, must accept orders again within seconds.
/// </summary>
static class FailoverRun
{
    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds.", DefaultValueFactory = _ => 20 };
        var seed = new Option<int?>("--seed") { Description = "Seed of all random choices." };
        var stall = new Option<double>("--stall")
        {
            Description = "Longest stall of the standby, in seconds.",
            DefaultValueFactory = _ => 70,
        };
        var command = new Command(
            "failover", "Stall a synchronous standby, kill the primary, promote the standby: no acknowledged order is lost.")
        {
            rounds, seed, stall,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var (acknowledged, lost, recoveries) = await RunAsync(
                parsed.GetValue(rounds), parsed.GetValue(seed) ?? Environment.TickCount & 0xffff,
                TimeSpan.FromSeconds(parsed.GetValue(stall)), Console.WriteLine, cancel);
            Console.WriteLine(
                lost == 0 ? $"✓ All {acknowledged:N0} acknowledged orders survived." : $"✗ {lost:N0} orders are lost.");
            if (recoveries.Count > 0)
                Console.WriteLine(
                    "First order after a promotion: median "
                    + $"{recoveries.Order().ElementAt(recoveries.Count / 2).TotalSeconds:0.0} s, "
                    + $"worst {recoveries.Max().TotalSeconds:0.0} s.");
            return lost == 0 ? 0 : 1;
        });
        return command;
    }

    /// <summary>
    /// Returns the numbers of acknowledged and of lost orders, and per round the time from the promotion to the next order.
    /// </summary>
    public static async Task<(int Acknowledged, int Lost, IReadOnlyList<TimeSpan> Recoveries)> RunAsync(
        int rounds, int seed, TimeSpan longestStall, Action<string> print, CancellationToken cancel)
    {
        var dice = new Random(seed);
        var (acknowledged, lost) = (0, 0);
        var recoveries = new List<TimeSpan>();
        print($"seed {seed}");
        for (var round = 1; round <= rounds && !cancel.IsCancellationRequested; round++)
        {
            // Every other round outlasts the time limits of a service.
            var stall = round % 2 == 1 ? longestStall : longestStall * dice.NextDouble();
            var fault = StallFault.All[(round - 1) % StallFault.All.Count];
            var directory = Path.Combine("/tmp", $"orderwright-failover-{Environment.ProcessId}-{round}");
            try
            {
                await using var pair = await StandbyPair.StartAsync(directory, cancel);
                var result = await pair.RunAsync(fault, stall, dice, cancel);
                acknowledged += result.Acknowledged;
                lost += result.Lost;
                recoveries.Add(result.Recovery);
                print(
                    $"round {round}: stalled {stall.TotalSeconds:0.0} s, {fault.Name}: {result.Acknowledged:N0} acknowledged " +
                    $"({result.Replayed:N0} by a repeated key, {result.DuringStall:N0} during the stall), " +
                    $"{result.Refused:N0} refused, {result.Lost:N0} lost, the next order " +
                    $"{result.Recovery.TotalSeconds:0.0} s after the promotion");
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }
        return (acknowledged, lost, recoveries);
    }
}

/// <summary>Fault during the stall of a standby.</summary>
sealed record StallFault(string Name, Func<StandbyPair, Task> StrikeAsync)
{
    public static IReadOnlyList<StallFault> All { get; } =
    [
        new("the primary restarts, and shows rows that the standby lacks", pair => pair.RestartPrimaryAsync()),
        new("an administrator cancels the waiting commits", pair => pair.CancelWaitsAsync()),
        new("no further fault", _ => Task.CompletedTask),
        new("the service is killed", pair => pair.KillServiceAsync()),
    ];
}
