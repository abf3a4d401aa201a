namespace Orderwright.Chaos.Payments;

public class PaymentsTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_misbehaving_gateway_charges_each_order_at_most_once_and_both_records_agree()
    {
        Machine.Require(Machine.LacksServers);
        Assert.Empty(await PaymentsRun.RunAsync(
            orders: 300, clients: 24, outage: TimeSpan.FromSeconds(20), rate: 5, output.WriteLine,
            TestContext.Current.CancellationToken));
    }
}
