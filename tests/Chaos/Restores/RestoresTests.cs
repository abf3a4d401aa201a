using Orderwright.Contracts;

namespace Orderwright.Chaos.Restores;

public class RestoresTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_coordinator_restored_under_load_on_PostgreSQL_is_healed_and_no_order_is_lost()
    {
        Machine.Require(Machine.LacksServers);
        var results = await RestoresRun.RunAsync(
            [ServiceNames.Coordinator], [TimeSpan.FromSeconds(3)], rate: 20, before: 50, seed: Environment.TickCount & 0xffff,
            data: null, output.WriteLine, TestContext.Current.CancellationToken);
        Assert.All(results, result => Assert.True(result.Holds, $"{result}"));
    }
}
