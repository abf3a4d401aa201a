using System.Diagnostics;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Spans of a sampled order, derived from its saved row: a span per step and undo once its reply counts, a span per attempt when
/// the command is sent, and a span of the whole order at the end. A span that a crash loses is not made up for.
/// </summary>
static class SagaTrace
{
    public static bool IsRecorded(SagaRecord saga) =>
        Metrics.Tracing.HasListeners() && TraceContext.IsSampled(saga.Facts.TraceParent);

    public static void Record(SagaRecord saga, SagaState before, IEnumerable<OutgoingMessage> sent, DateTimeOffset now)
    {
        foreach (var message in sent.Where(message => message.Step is not null))
            Span(
                $"send {message.Step}", ActivityKind.Producer, now, now, null, ("orderwright.step", message.Step),
                ("orderwright.attempt", message.Attempt), ("messaging.message.type", MessageCatalog.TypeOf(message.Body)));
        for (var i = 0; i < saga.State.Steps.Length; i++)
        {
            var (step, old) = (saga.State.Steps[i], before.Steps[i]);
            Leg($"step {step.Step}", step.Step, old.Do, step.Do);
            Leg($"undo {step.Step}", step.Step, old.Undo, step.Undo);
        }
        if (saga.State is { EndedAt: { } ended, StartedAt: { } started } && before.EndedAt is null)
            Span(
                "order", ActivityKind.Internal, started, ended, null,
                ("orderwright.outcome", SagaNames.Of(saga.State.Status)), ("orderwright.code", saga.State.Reason?.Code));

        void Leg(string name, string step, Leg? was, Leg? leg)
        {
            if (leg is null || leg.Phase == was?.Phase || leg.Phase is LegPhase.Asked or LegPhase.Skipped) return;
            Span(
                name, ActivityKind.Internal, leg.FirstSentAt ?? now, now,
                leg.Phase is LegPhase.Completed or LegPhase.Waiting ? null : leg.Message ?? leg.Code ?? leg.Phase.ToString(),
                ("orderwright.step", step), ("orderwright.phase", leg.Phase.ToString()),
                ("orderwright.attempts", leg.Attempts), ("orderwright.code", leg.Code));
        }

        void Span(
            string name, ActivityKind kind, DateTimeOffset from, DateTimeOffset to, string? error,
            params ReadOnlySpan<(string Name, object? Value)> tags) =>
            OrderTraces.Record(
                saga.OrderId, saga.Facts.TraceParent, saga.Facts.TraceState, name, kind, from, to, error, tags);
    }
}
