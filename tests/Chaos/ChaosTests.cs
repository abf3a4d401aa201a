namespace Orderwright.Chaos;

public class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Whatever_breaks_under_load_for_two_minutes_nothing_is_lost_or_doubled_or_left_over()
    {
        Machine.Require(Machine.LacksServers);
        var lines = new List<string>();
        void Say(string line)
        {
            lines.Add(line);
            output.WriteLine(line);
        }
        // Starting the servers, the last recovery and the checks make it two minutes.
        var report = await ChaosRun.RunAsync(
            TimeSpan.FromSeconds(95), Environment.TickCount & 0xffff, rate: 40, data: null, only: null, Say,
            TestContext.Current.CancellationToken);
        report.Print(Say);
        Assert.True(report.Holds, string.Join('\n', lines));
        Assert.True(report.Accepted > 1_000 && report.Faults >= 3, string.Join('\n', lines));
    }
}
