using Orderwright.Contracts;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>
/// Checks that all services agree on an order despite network faults: paid and allocated, or neither, or an incident with a
/// cause. A failure prints the seed, which replays the run.
/// </summary>
public sealed class LossyNetworkTests
{
    const int Runs = 3_000;

    [Fact]
    public void All_services_agree_in_the_end()
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
            var end = shop.State.Status == SagaStatus.Failed ? "incident" : shop.Outcome!.GetType().Name;
            ends[end] = ends.GetValueOrDefault(end) + 1;
        }
        // Each outcome occurs often enough to be tested.
        Assert.All(
            new[] { "OrderConfirmed", "OrderRejected", "OrderCancelled", "OrderExpired", "incident" },
            end => Assert.True(ends.GetValueOrDefault(end) >= Runs / 200, $"{end}: {ends.GetValueOrDefault(end)}"));
    }

    static void Check(ModelShop shop)
    {
        switch (shop.State.Status)
        {
            case SagaStatus.Completed:
                Assert.Equal(1_000, Assert.IsType<OrderConfirmed>(shop.Outcome).Payment.CapturedMinor);
                Assert.Equal((Goods.Allocated, Funds.Taken), (shop.Goods, shop.Funds));
                break;
            case SagaStatus.Compensated:
                Assert.True(shop.Outcome is OrderRejected or OrderCancelled or OrderExpired, $"outcome {shop.Outcome}");
                Assert.True(shop.Goods is Goods.Untouched or Goods.GivenBack or Goods.Refused, $"goods {shop.Goods}");
                Assert.True(shop.Funds is Funds.Untouched or Funds.GivenBack or Funds.Declined, $"funds {shop.Funds}");
                break;
            case SagaStatus.Failed:
                Assert.Contains(shop.State.Outstanding, asked => asked.Leg is { Phase: LegPhase.Stuck, Code: not null });
                break;
            default:
                Assert.Fail($"still {shop.State.Status}");
                break;
        }
    }
}
