namespace Orderwright.Chaos.Bounds;

public class BoundsTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Without_database_broker_or_gateway_requests_are_refused_in_time_and_recovery_needs_no_help()
    {
        Machine.Require(Machine.LacksServers);
        Assert.Empty(await BoundsRun.RunAsync(
            TimeSpan.FromSeconds(6), clients: 24, only: null, output.WriteLine, TestContext.Current.CancellationToken));
    }
}
