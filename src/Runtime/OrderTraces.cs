using System.Collections.Concurrent;
using System.Diagnostics;
using Orderwright.Contracts;

namespace Orderwright.Runtime;

/// <summary>
/// Spans of orders. An order is a trace: the trace of the request that placed the order. Each message about the order carries
/// the context, so a service learns the context from the order's messages and keeps no row of its own. Nothing is kept, and no
/// span is made, unless the trace is sampled and a listener records spans.
/// </summary>
public static class OrderTraces
{
    // Contexts kept; a forgotten context returns with the order's next message.
    const int Most = 10_000;

    static readonly ConcurrentDictionary<Guid, (string Parent, string? State)> Contexts = new();
    static readonly ConcurrentQueue<Guid> Oldest = new();

    /// <summary>Keeps the context of a message about a sampled order.</summary>
    public static void Note(Message message)
    {
        if (!Metrics.Tracing.HasListeners() || !TraceContext.IsSampled(message.TraceParent)) return;
        if (!Contexts.TryAdd(message.OrderId, (message.TraceParent!, message.TraceState))) return;
        Oldest.Enqueue(message.OrderId);
        if (Oldest.Count > Most && Oldest.TryDequeue(out var oldest)) Contexts.TryRemove(oldest, out _);
    }

    /// <summary>Context of a sampled order; null for other orders, and for an order not heard of lately.</summary>
    public static string? Find(Guid orderId) => Contexts.TryGetValue(orderId, out var context) ? context.Parent : null;

    /// <summary>Begins a span of a sampled order; null for other orders.</summary>
    public static Activity? Begin(Guid orderId, string name, ActivityKind kind)
    {
        if (!Contexts.TryGetValue(orderId, out var context)) return null;
        var span = ContextOf(context.Parent, context.State) is { } parent
            ? Metrics.Tracing.StartActivity(name, kind, parent)
            : null;
        span?.SetTag("orderwright.order.id", orderId.ToString("D"));
        return span;
    }

    /// <summary>Records a span afterwards, from the times of a row. The span links to the batch that is in progress.</summary>
    /// <param name="orderId">Order.</param>
    /// <param name="traceParent">Context of the order.</param>
    /// <param name="traceState">State of the context.</param>
    /// <param name="name">Name, such as <c>step reserve-stock</c>.</param>
    /// <param name="kind">Kind.</param>
    /// <param name="from">Start.</param>
    /// <param name="to">End.</param>
    /// <param name="error">Description of a failure; null for success.</param>
    /// <param name="tags">Tags beyond the order's id.</param>
    public static void Record(
        Guid orderId, string? traceParent, string? traceState, string name, ActivityKind kind, DateTimeOffset from,
        DateTimeOffset to, string? error, params ReadOnlySpan<(string Name, object? Value)> tags)
    {
        if (!Metrics.Tracing.HasListeners() || ContextOf(traceParent, traceState) is not { } parent) return;
        var batch = Activity.Current;
        ActivityLink[] links = batch is { IdFormat: ActivityIdFormat.W3C } ? [new(batch.Context)] : [];
        using var span = Metrics.Tracing.StartActivity(name, kind, parent, links: links, startTime: from);
        if (span is null) return;
        span.SetTag("orderwright.order.id", orderId.ToString("D"));
        foreach (var (tag, value) in tags)
            if (value is not null) span.SetTag(tag, value);
        if (error is not null) span.SetStatus(ActivityStatusCode.Error, error);
        span.SetEndTime(to.UtcDateTime);
    }

    static ActivityContext? ContextOf(string? traceParent, string? traceState) =>
        TraceContext.IsSampled(traceParent) && ActivityContext.TryParse(traceParent, traceState, out var context)
            ? context
            : null;
}
