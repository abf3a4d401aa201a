namespace Orderwright.Chaos;

public class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Two_minutes_of_faults_under_load_lose_duplicate_and_leave_open_nothing()
    {
        Machine.Require(Machine.LacksServers);
        var lines = new List<string>();
        void Print(string line)
        {
            lines.Add(line);
            output.WriteLine(line);
        }
        // Starting the servers, the last recovery and the checks bring the total to two minutes.
        var report = await ChaosRun.RunAsync(
            TimeSpan.FromSeconds(95), Environment.TickCount & 0xffff, rate: 40, data: null, only: null, Print,
            TestContext.Current.CancellationToken);
        report.Print(Print);
        Assert.True(report.Holds, string.Join('\n', lines));
        Assert.True(report.Messages.Count >= 8, string.Join('\n', lines));
        Assert.True(report.Accepted > 1_000 && report.Faults >= 3, string.Join('\n', lines));
    }
}
