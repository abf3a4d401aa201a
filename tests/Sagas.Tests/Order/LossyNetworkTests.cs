using Orderwright.Contracts;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>
/// Whatever the network does to the messages of an order, in the end everybody agrees: paid and allocated, or
/// neither, or an incident that says why not. A failure prints the seed, and the seed replays the run.
/// </summary>
public sealed class LossyNetworkTests
{
    const int Runs = 3_000;

    [Fact]
    public void Everybody_agrees_in_the_end()
    {
        var ends = new Dictionary<string, int>();
        for (var seed = 1; seed <= Runs; seed++)
        {
            var shop = new ModelShop(seed);
            try
            {
                shop.Run();
                Check(shop);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}: {error.Message} ({shop.Describe()})", error);
            }
            var end = shop.State.Status == SagaStatus.Failed ? "incident" : shop.Told!.GetType().Name;
            ends[end] = ends.GetValueOrDefault(end) + 1;
        }
        // Each way out is taken often enough for the runs to mean something.
        Assert.All(
            new[] { "OrderConfirmed", "OrderRejected", "OrderCancelled", "OrderExpired", "incident" },
            end => Assert.True(ends.GetValueOrDefault(end) >= Runs / 200, $"{end}: {ends.GetValueOrDefault(end)}"));
    }

    static void Check(ModelShop shop)
    {
        switch (shop.State.Status)
        {
            case SagaStatus.Completed:
                Assert.Equal(1_000, Assert.IsType<OrderConfirmed>(shop.Told).Payment.CapturedMinor);
                Assert.Equal((Goods.Allocated, Funds.Taken), (shop.Goods, shop.Funds));
                break;
            case SagaStatus.Compensated:
                Assert.True(shop.Told is OrderRejected or OrderCancelled or OrderExpired, $"told {shop.Told}");
                Assert.True(shop.Goods is Goods.Untouched or Goods.GivenBack or Goods.Refused, $"goods {shop.Goods}");
                Assert.True(shop.Funds is Funds.Untouched or Funds.GivenBack or Funds.Declined, $"funds {shop.Funds}");
                break;
            case SagaStatus.Failed:
                Assert.Contains(shop.State.Outstanding, asked => asked.Leg is { Phase: LegPhase.Stuck, Code: not null });
                break;
            default:
                Assert.Fail($"it is still {shop.State.Status}");
                break;
        }
    }
}
