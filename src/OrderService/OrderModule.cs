using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Http;

namespace Orderwright.OrderService;

/// <summary>order-service: orders, their statuses, their events.</summary>
public sealed class OrderModule : IServiceModule
{
    static readonly TimeSpan PatienceForAPlace = TimeSpan.FromSeconds(1);

    public string Name => ServiceNames.Order;

    public ServiceParts Build(ServiceContext context)
    {
        var options = context.Options;
        var store = new OrderStore(context.Sql);
        var inFlight = new OrdersInFlight(
            options.MaxOrdersInFlight, options.MaxWaitingRequests, PatienceForAPlace, context.Time);
        var waiters = new DecisionWaiters(options.MaxWaitingRequests);
        var feed = new EventFeed(context.Database, context.Sql, context.Time, context.Logs.CreateLogger<EventFeed>());
        var watch = new WatchDecisions(
            store, waiters, context.Database, context.Time, context.Logs.CreateLogger<WatchDecisions>());
        var placing = new CommandGroup<PlaceOrder>("place-orders", new PlaceOrders(store).HandleAsync, context);

        return new ServiceParts
        {
            Handlers =
            [
                new SettleOrders(store, inFlight, waiters, feed, context.Logs.CreateLogger<SettleOrders>()),
            ],
            Jobs = [new AskCoordinator(store, inFlight, context).Job],
            Loops = [.. placing.Loops, feed.Loop, watch.Loop],
        };
    }
}
