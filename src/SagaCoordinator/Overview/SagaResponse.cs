using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Contracts.Json;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>Saga in a list.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="State">A name of <see cref="SagaStates.All"/>.</param>
/// <param name="Step">The current step, or the step that caused the rollback; null once all is done.</param>
/// <param name="WaitingFor">A service, <c>customer</c> or <c>operator</c>; null once the saga has ended.</param>
/// <param name="Code">Code of the incident, the doubt or the refusal.</param>
/// <param name="Attempts">Number of attempts of the current step.</param>
/// <param name="NextActionAt">Time of the next action; null for none.</param>
/// <param name="CustomerId">Customer of the order.</param>
/// <param name="Currency">Currency of the order.</param>
/// <param name="Total">Minor units; null until the order is priced.</param>
/// <param name="StartedAt">Time of receipt by the coordinator.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
/// <param name="EndedAt">Null until the saga has ended.</param>
public sealed record SagaItem(
    Guid OrderId, [OneOf(typeof(SagaStates))] string State, string? Step, string? WaitingFor, string? Code, int? Attempts,
    DateTimeOffset? NextActionAt, string CustomerId, string Currency, long? Total, DateTimeOffset StartedAt,
    DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt)
{
    public static SagaItem Of(SagaRecord saga)
    {
        var (orderId, state, _, facts, updatedAt) = saga;
        var (step, waitingFor, code) = SagaHeadline.Of(state);
        return new(
            orderId, SagaNames.Of(state.Status), step, waitingFor, code, SagaHeadline.MostUrgent(state)?.Leg.Attempts,
            state.NextActionAt, facts.Order.CustomerId, facts.Order.Currency, facts.TotalMinor, state.StartedAt!.Value,
            updatedAt, state.EndedAt);
    }
}

/// <summary>Complete saga of an order.</summary>
/// <param name="Summary">The awaited party, the reason, the start of the wait, and the next action, in one sentence.</param>
/// <param name="Definition">The process, and the version of the saga.</param>
/// <param name="Outcome"><c>completed, rejected, expired, cancelled</c>; null until the saga has ended.</param>
/// <param name="Confirmed">The pivot is done: the order was confirmed.</param>
/// <param name="Reason">Cause of the rollback; null while the saga runs forward.</param>
/// <param name="CancelReason">Reason of the cancellation request; null without one.</param>
/// <param name="Payment">Totals of the payment.</param>
/// <param name="Timeline">All steps and undos, in the order of their first attempts.</param>
/// <param name="Note">Owner and note of an incident.</param>
public sealed record SagaResponse(
    Guid OrderId, string Summary, DefinitionId Definition, [OneOf(typeof(SagaStates))] string State,
    [OneOf("completed", "rejected", "expired", "cancelled")] string? Outcome, string? Step, string? WaitingFor, string? Code,
    bool Confirmed, ReasonResponse? Reason,
    [OneOf(typeof(CancelReasons))] string? CancelReason,
    DateTimeOffset? NextActionAt, string CustomerId, string Currency, long? Total, PaymentTotalsResponse Payment,
    long Version, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt,
    IReadOnlyList<TimelineEntry> Timeline, IncidentNote? Note)
{
    public static SagaResponse Of(SagaRecord saga, DateTimeOffset now, Heartbeats heartbeats, IncidentNote? note)
    {
        var (orderId, state, payment, facts, updatedAt) = saga;
        var (step, waitingFor, code) = SagaHeadline.Of(state);
        return new(
            orderId, SagaSummary.Of(state, now, heartbeats),
            new(state.Definition.Name, state.Definition.Version),
            SagaNames.Of(state.Status), state.Ending is { } outcome ? SagaNames.Of(outcome) : null,
            step, waitingFor, code, state.Pivoted, state.Reason is { } reason ? ReasonResponse.Of(reason) : null,
            state.CancelReason, state.NextActionAt, facts.Order.CustomerId, facts.Order.Currency, facts.TotalMinor,
            PaymentTotalsResponse.Of(payment), state.Version, state.StartedAt!.Value, updatedAt, state.EndedAt,
            TimelineEntry.Of(state), note);
    }
}

public sealed record DefinitionId(string Name, int Version);

/// <summary>Cause of a rollback.</summary>
/// <param name="Kind"><c>rejected, expired, cancelled</c>.</param>
/// <param name="Code">Stable.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Step">The step that caused the rollback; null if the cause came from outside.</param>
public sealed record ReasonResponse([OneOf("rejected", "expired", "cancelled")] string Kind, string Code, string Message,
    string? Step)
{
    public static ReasonResponse Of(SagaReason reason) =>
        new(SagaNames.Of(reason.Kind), reason.Code, reason.Message, reason.Step);
}

/// <summary>Totals of a payment in minor units, and the payment status derived from the totals.</summary>
public sealed record PaymentTotalsResponse(
    [OneOf(typeof(PaymentStatuses))] string Status, long Authorized, long Captured, long Refunded, bool Voided)
{
    public static PaymentTotalsResponse Of(PaymentTotals totals) =>
        new(totals.Status, totals.AuthorizedMinor, totals.CapturedMinor, totals.RefundedMinor, totals.Voided);
}

/// <summary>Direction of a step: forward, or the undo.</summary>
/// <param name="Step">Name of the step.</param>
/// <param name="Undo">True for the undo.</param>
/// <param name="Participant">Service in charge of the step.</param>
/// <param name="Phase"><c>asked, waiting, indoubt, stuck, completed, rejected, skipped, given_up</c>.</param>
/// <param name="Attempts">Number of attempts.</param>
/// <param name="FirstSentAt">Time of the first attempt; null for a skipped step.</param>
/// <param name="AnsweredAt">Time of the last valid reply.</param>
/// <param name="NextAskAt">Time of the next attempt, unless a reply arrives before.</param>
/// <param name="Deadline">End of the attempts.</param>
/// <param name="Code">Code of the refusal, the doubt or the incident.</param>
/// <param name="Message">The same for people.</param>
/// <param name="Action">Action required of an outside party, while the step waits.</param>
/// <param name="Detail">JSON object of an outside participant.</param>
public sealed record TimelineEntry(
    string Step, bool Undo, string Participant, [OneOf(typeof(StepStates))] string Phase, int Attempts,
    DateTimeOffset? FirstSentAt,
    DateTimeOffset? AnsweredAt, DateTimeOffset? NextAskAt, DateTimeOffset? Deadline, string? Code,
    string? Message, string? Action,
    [property: JsonConverter(typeof(RawJsonConverter))] string? Detail)
{
    public static IReadOnlyList<TimelineEntry> Of(SagaState state)
    {
        var definition = state.Definition;
        return
        [
            .. state.History().Select(entry => new TimelineEntry(
                entry.Step, entry.Undo, definition.Find(entry.Step)!.Participant, SagaNames.Of(entry.Leg.Phase),
                entry.Leg.Attempts, entry.Leg.FirstSentAt, entry.Leg.AnsweredAt, entry.Leg.NextAskAt, entry.Leg.Deadline,
                entry.Leg.Code, entry.Leg.Message, entry.Leg.Action, OrderMessages.ReportedBy(entry.Leg))),
        ];
    }
}
