using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.OrderService.Decisions;
using Orderwright.OrderService.Events;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.OrderService;

/// <summary>Parts of order-service. The simulation calls the APIs without a web server.</summary>
/// <param name="Api">Placing, reading, cancelling and updating orders.</param>
/// <param name="Fulfilments">Reporting shipped goods.</param>
public sealed record OrderParts(OrderApi Api, FulfilmentApi Fulfilments) : HttpParts;

/// <summary>order-service: orders, their statuses, their events.</summary>
public sealed class OrderModule : IServiceModule
{
    static readonly TimeSpan SlotPatience = TimeSpan.FromSeconds(1);

    public string Name => ServiceNames.Order;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public OrderParts Build(ServiceContext context)
    {
        var options = context.Options;
        var store = new OrderStore(context.Sql);
        var fulfilments = new FulfilmentStore(context.Sql);
        var capture = CaptureSettings.Read(context.Configuration);
        var recent = new RowCache<Order>(options.MaxOrdersInFlight);
        var inFlight = new OrdersInFlight(
            options.MaxOrdersInFlight, options.MaxWaitingRequests, SlotPatience, context.Time);
        var waiters = new DecisionWaiters(options.MaxWaitingRequests);
        var feed = new EventFeed(
            context.Database, context.Sql, options, context.Time, context.Logs.CreateLogger<EventFeed>());
        var audit = new Audit(Name, context.Database, context.RuntimeSql);
        var watch = new WatchDecisions(
            store, waiters, context.Database, context.Time, context.Logs.CreateLogger<WatchDecisions>());
        var placing = new CommandGroup<PlaceOrder>(
            "place-orders", new PlaceOrders(store, recent, feed).HandleAsync, context);

        var cancelling = new CommandGroup<CancelOrder>(
            "cancel-orders", new CancelOrders(store, feed, audit).HandleAsync, context);
        var updating = new CommandGroup<UpdateStatus>(
            "update-statuses", new UpdateStatuses(store, fulfilments, feed, audit).HandleAsync, context);
        var shipping = new CommandGroup<ShipOrder>(
            "ship-orders", new ShipOrders(store, fulfilments, feed, audit).HandleAsync, context);
        var resend = new ResendFulfilments(store, fulfilments, context);
        var find = new FindOrders(context.Database, context.Sql);
        var orders = new OrderApi(find, placing, cancelling, updating, inFlight, waiters, capture, context);
        var events = new OrderEventsApi(find, feed, context.Time);
        var shipped = new FulfilmentApi(find, fulfilments, shipping, context.Database, context.Time);

        return new OrderParts(orders, shipped)
        {
            Handlers =
            [
                new SettleOrders(store, recent, inFlight, waiters, feed, context.Logs.CreateLogger<SettleOrders>()),
                new ApplyPaymentUpdates(store, fulfilments, recent, feed),
                new RecordWaiting(store, recent, feed),
                new EraseCustomers(store),
                new TellOrders(store),
                resend,
            ],
            Jobs =
            [
                RepairClockSkew.Job(context.Runner.Clock, (context.Sql["bring_forward"], RepairClockSkew.LongestPause)),
                new ResendUnsettledOrders(store, inFlight, context).Job, resend.Job,
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
