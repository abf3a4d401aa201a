using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Gauges of webhook endpoints.</summary>
static class WebhookFigures
{
    static readonly FigureName Failing = new(
        "orderwright.webhooks.failing", "{endpoint}", "Active webhook endpoints that accept no events at present.");

    static readonly FigureName FailingFor = new(
        "orderwright.webhooks.failing.longest", "s", "Time for which the longest failing endpoint has accepted no events.");

    static readonly FigureName Disabled = new(
        "orderwright.webhooks.disabled", "{endpoint}",
        "Webhook endpoints that were disabled because their receiver was gone or unreachable.");

    static readonly FigureName Lag = new(
        "orderwright.webhooks.lag", "s", "Age of the oldest event that an active webhook endpoint has not been sent.");

    static readonly FigureName FeedLag = new(
        "orderwright.feed.lag", "s", "Age of the oldest stored event that readers of the feed do not see yet.");

    public static Figures Of(EventFeed feed, ServiceContext context) => new(
        ServiceNames.Order, [Failing, FailingFor, Disabled, Lag, FeedLag],
        async cancel =>
        {
            var now = context.Time.Now();
            var (failing, since, disabled) = (await context.Database.QueryAsync(
                context.Sql["webhook_health"], SqlArgs.None,
                row => (row.BigInt("failing"), row.TimeOrNull("since"), row.BigInt("disabled")), cancel))[0];
            var horizon = await feed.HorizonAsync(cancel);
            var sent = (await context.Database.QueryAsync(
                context.Sql["slowest_endpoint"], SqlArgs.None, row => row.BigIntOrNull("position"), cancel))[0];
            return
            [
                new(Failing, failing), new(FailingFor, since is { } at ? Math.Max(0, (now - at).TotalSeconds) : 0),
                new(Disabled, disabled), new(Lag, sent is { } position ? await AgeAfterAsync(position) : 0),
                new(FeedLag, await AgeAfterAsync(horizon)),
            ];

            async Task<double> AgeAfterAsync(long seq) =>
                (await context.Database.QueryAsync(
                    context.Sql["event_after"], SqlArgs.With("after", seq), row => row.Time("at"), cancel))
                is [var at] ? Math.Max(0, (now - at).TotalSeconds) : 0;
        },
        context.Time);
}
