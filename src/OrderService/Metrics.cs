using System.Diagnostics;
using System.Diagnostics.Metrics;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>Instruments of order-service.</summary>
static class Metrics
{
    static readonly Meter Meter = new(Runtime.Metrics.SourceName);

    static readonly Counter<long> Deliveries = Meter.CreateCounter<long>(
        "orderwright.webhooks.attempts", "{attempt}",
        "Attempts to deliver an event to a webhook endpoint; the tag outcome is delivered or failed.");

    static readonly Counter<long> Announcements = Meter.CreateCounter<long>(
        "orderwright.events.announced", "{event}", "Events published to the exchange for external consumers.");

    static readonly Counter<long> Orders = Meter.CreateCounter<long>(
        "orderwright.orders", "{order}",
        "Orders by outcome: placed, and confirmed, rejected, expired or cancelled, with the reason code.");

    static readonly Histogram<double> Decisions = Meter.CreateHistogram<double>(
        "orderwright.order.decision", "s", "Time from placing an order to its decision.");

    /// <summary>Shows every outcome from the start.</summary>
    public static void Begin()
    {
        foreach (var outcome in new[]
        {
            OrderEventTypes.Placed, OrderEventTypes.Confirmed, OrderEventTypes.Rejected, OrderEventTypes.Expired,
            OrderEventTypes.Cancelled,
        })
            Orders.Add(0, Outcome(outcome, null));
        foreach (var code in ReasonCodes.OfRejections) Orders.Add(0, Outcome(OrderEventTypes.Rejected, code));
        EmptySeries.Show(Decisions);
        Announcements.Add(0);
        foreach (var outcome in new[] { "delivered", "failed" })
            Deliveries.Add(0, new KeyValuePair<string, object?>("outcome", outcome));
    }

    public static void Placed(int orders) => Orders.Add(orders, Outcome(OrderEventTypes.Placed, null));

    /// <summary>Counts the events of a batch that decide an order.</summary>
    public static void Decided(IEnumerable<OrderEvent> events)
    {
        foreach (var group in events.Where(IsDecision).GroupBy(e => (e.Type, e.Data.Code)))
        {
            Orders.Add(group.Count(), Outcome(group.Key.Type, group.Key.Code));
            if (group.Key.Type == OrderEventTypes.Cancelled) continue;
            foreach (var e in group) Decisions.Record(Math.Max(0, (e.At - Ids.TimeOf(e.OrderId)).TotalSeconds));
        }
    }

    public static void Delivered(int delivered, int failed)
    {
        if (delivered > 0) Deliveries.Add(delivered, new KeyValuePair<string, object?>("outcome", "delivered"));
        if (failed > 0) Deliveries.Add(failed, new KeyValuePair<string, object?>("outcome", "failed"));
    }

    public static void Announced(int events) => Announcements.Add(events);

    static TagList Outcome(string outcome, string? code) => new() { { "outcome", outcome }, { "code", code ?? "" } };

    static bool IsDecision(OrderEvent e) =>
        e.Type is OrderEventTypes.Confirmed or OrderEventTypes.Rejected or OrderEventTypes.Expired or OrderEventTypes.Cancelled;
}
