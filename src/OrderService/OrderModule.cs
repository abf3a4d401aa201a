using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Decisions;
using Orderwright.OrderService.Events;
using Orderwright.OrderService.Fulfilments;
using Orderwright.OrderService.Healing;
using Orderwright.OrderService.Webhooks;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>Parts of order-service. The simulation calls the APIs without a web server.</summary>
/// <param name="Api">Placing, reading, cancelling and updating orders.</param>
/// <param name="Fulfilments">Reporting shipped goods.</param>
/// <param name="Healing">Repairs of orders.</param>
public sealed record OrderParts(
    OrderApi Api, FulfilmentApi Fulfilments, CommandGroup<HealOrdersRequest> Healing) : HttpParts;

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
            context.Database, context.Sql, options, context.Time, context.Logs.CreateLogger<EventFeed>(), context.Runner.Fence);
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
        var (webhookSettings, networks) = WebhookSettings.Read(context.Configuration);
        var endpoints = new WebhookStore(context.Sql);
        var receivers = new SignedCaller(
            new(webhookSettings.WebhookTimeout, webhookSettings.WebhookMaxInFlight), networks, context.Time);
        var deliver = new DeliverWebhooks(endpoints, receivers, feed, webhookSettings, context);
        var changing = new CommandGroup<WebhookChange>(
            "change-webhooks", new ChangeWebhooks(endpoints, webhookSettings, audit, deliver.Wake).HandleAsync, context);
        var webhooks = new WebhookApi(endpoints, changing, receivers, networks, feed, context);
        BackgroundLoop[] announcing =
            EventExchangeSettings.Read(context.Configuration, context.Events is not null)
                ? [new AnnounceEvents(feed, context.Events!, context).Loop]
                : [];
        var shipped = new FulfilmentApi(find, fulfilments, shipping, context.Database, context.Time);

        var healing = new CommandGroup<HealOrdersRequest>(
            "heal-orders", new HealOrders(store, fulfilments, recent, feed, audit).HandleAsync, context, Passage.Repairs);

        return new OrderParts(orders, shipped, healing)
        {
            OnFenced = feed.BeginEpochAsync,
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
                RepairClockSkew.Job(
                    context.Runner.Clock, (context.Sql["bring_forward"], ResendUnsettledOrders.LongestPause, false),
                    (context.Sql["bring_rounds_near"], RepairClockSkew.LongestPause, false),
                    (context.Sql["bring_deliveries_near"], WebhookRules.LongestPause, false)),
                new ResendUnsettledOrders(store, inFlight, context).Job, resend.Job, deliver.Job,
            ],
            Loops =
            [
                .. placing.Loops, .. cancelling.Loops, .. updating.Loops, .. shipping.Loops, .. healing.Loops, feed.Loop,
                watch.Loop, .. changing.Loops, deliver.Loop, .. announcing,
            ],
            Figures = WebhookFigures.Of(feed, context),
            BeginCounters = Metrics.Begin,
            Routes = routes =>
            {
                orders.Map(routes);
                events.Map(routes);
                shipped.Map(routes);
                webhooks.Map(routes);
                new HealApi(healing).Map(routes);
            },
        };
    }
}
