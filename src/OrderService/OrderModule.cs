using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;
using Orderwright.Runtime.Http;
using Orderwright.Runtime.Operators;

namespace Orderwright.OrderService;

/// <summary>order-service: orders, their statuses, their events.</summary>
public sealed class OrderModule : IServiceModule
{
    static readonly TimeSpan PatienceForAPlace = TimeSpan.FromSeconds(1);

    public string Name => ServiceNames.Order;

    public ServiceParts Build(ServiceContext context) => Build(context, out _, out _);

    /// <summary>With the APIs themselves, for who calls them without a web server: the simulation.</summary>
    public ServiceParts Build(ServiceContext context, out OrderApi api, out FulfilmentApi fulfilling)
    {
        var options = context.Options;
        var store = new OrderStore(context.Sql);
        var fulfilments = new FulfilmentStore(context.Sql);
        var capture = CaptureSettings.Read(context.Configuration);
        var recent = new Recent<Order>(options.MaxOrdersInFlight);
        var inFlight = new OrdersInFlight(
            options.MaxOrdersInFlight, options.MaxWaitingRequests, PatienceForAPlace, context.Time);
        var waiters = new DecisionWaiters(options.MaxWaitingRequests);
        var feed = new EventFeed(context.Database, context.Sql, context.Time, context.Logs.CreateLogger<EventFeed>());
        var audit = new Audit(Name, context.Database, context.RuntimeSql);
        var watch = new WatchDecisions(
            store, waiters, context.Database, context.Time, context.Logs.CreateLogger<WatchDecisions>());
        var placing = new CommandGroup<PlaceOrder>(
            "place-orders", new PlaceOrders(store, recent, feed).HandleAsync, context);

        var cancelling = new CommandGroup<CancelOrder>(
            "cancel-orders", new CancelOrders(store, feed, audit).HandleAsync, context);
        var updating = new CommandGroup<UpdateStatus>(
            "update-statuses", new UpdateStatuses(store, fulfilments, feed).HandleAsync, context);
        var shipping = new CommandGroup<ShipOrder>(
            "ship-orders", new ShipOrders(store, fulfilments, feed).HandleAsync, context);
        var follow = new FollowFulfilments(store, fulfilments, context);
        var find = new FindOrders(context.Database, context.Sql);
        var orders = api = new OrderApi(find, placing, cancelling, updating, inFlight, waiters, capture, context);
        var events = new OrderEventsApi(find, feed, context.Time);
        var shipped = fulfilling = new FulfilmentApi(find, fulfilments, shipping, context.Database, context.Time);

        return new ServiceParts
        {
            Handlers =
            [
                new SettleOrders(store, recent, inFlight, waiters, feed, context.Logs.CreateLogger<SettleOrders>()),
                new NotePayments(store, fulfilments, recent, feed),
                new NoteWaiting(store, recent, feed),
                follow,
            ],
            Jobs =
            [
                MindTheClock.Job(context.Runner.Clock, (context.Sql["bring_forward"], MindTheClock.LongestPause)),
                new AskCoordinator(store, inFlight, context).Job, follow.Job,
            ],
            Loops =
            [
                .. placing.Loops, .. cancelling.Loops, .. updating.Loops, .. shipping.Loops, feed.Loop, watch.Loop,
            ],
            Routes = routes =>
            {
                orders.Map(routes);
                events.Map(routes);
                shipped.Map(routes);
            },
        };
    }
}
