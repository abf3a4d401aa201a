using System.Diagnostics;
using Orderwright.Contracts;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Reads the trace context of requests as W3C demands: .NET's own propagators take a version other than 00 for an id of .NET's
/// older format, and the trace gets an id of zeros.
/// </summary>
sealed class W3CPropagator : DistributedContextPropagator
{
    readonly DistributedContextPropagator inner = CreateW3CPropagator();

    public override IReadOnlyCollection<string> Fields => inner.Fields;

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) =>
        inner.Inject(activity, carrier, setter);

    public override void ExtractTraceIdAndState(
        object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState)
    {
        traceId = traceState = null;
        if (getter is null) return;
        getter(carrier, "traceparent", out var parent, out _);
        traceId = TraceContext.Read(parent?.Trim());
        if (traceId is null) return;
        // Several headers are one list (section 3.3.1).
        getter(carrier, "tracestate", out var state, out var states);
        traceState = TraceContext.ReadState(states is null ? state : string.Join(',', states));
    }

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(
        object? carrier, PropagatorGetterCallback? getter) => inner.ExtractBaggage(carrier, getter);
}
