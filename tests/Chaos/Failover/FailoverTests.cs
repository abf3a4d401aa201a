namespace Orderwright.Chaos.Failover;

/// <summary>Two failovers; <c>./orderwright failover</c> runs twenty.</summary>
public class FailoverTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Every_order_acknowledged_survives_the_loss_of_a_primary_whose_standby_had_stalled()
    {
        Machine.Require(Machine.LacksPostgres);
        var lines = new List<string>();
        var (acknowledged, lost, recoveries) = await FailoverRun.RunAsync(
            rounds: 2, Environment.TickCount & 0xffff, TimeSpan.FromSeconds(36), Print, TestContext.Current.CancellationToken);
        Assert.True(lost == 0 && acknowledged > 50, string.Join('\n', lines));
        Assert.True(recoveries.All(recovery => recovery < TimeSpan.FromSeconds(60)), string.Join('\n', lines));

        void Print(string line)
        {
            lines.Add(line);
            output.WriteLine(line);
        }
    }
}
