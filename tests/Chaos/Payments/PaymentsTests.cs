namespace Orderwright.Chaos.Payments;

public class PaymentsTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Whatever_a_gateway_does_each_order_is_charged_once_or_not_at_all_and_both_records_agree()
    {
        Machine.Require(Machine.LacksServers);
        Assert.Empty(await PaymentsRun.RunAsync(
            orders: 300, clients: 24, outage: TimeSpan.FromSeconds(20), rate: 5, output.WriteLine,
            TestContext.Current.CancellationToken));
    }
}
