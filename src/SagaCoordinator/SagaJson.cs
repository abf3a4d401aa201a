using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>A saga in a list.</summary>
/// <param name="OrderId">The order whose process this is.</param>
/// <param name="State">One of <see cref="SagaStates.All"/>.</param>
/// <param name="Step">Where it stands, or where it turned back; null when all is done.</param>
/// <param name="WaitingFor">A service, <c>customer</c> or <c>operator</c>; null when it has ended.</param>
/// <param name="Code">Of the incident, the doubt or the refusal.</param>
/// <param name="Attempts">How often the step was asked.</param>
/// <param name="NextActionAt">When its timer has something to do next; null when it has not.</param>
/// <param name="CustomerId">The order's.</param>
/// <param name="Currency">The order's.</param>
/// <param name="Total">Minor units; null until the order is priced.</param>
/// <param name="StartedAt">When the coordinator first heard of the order.</param>
/// <param name="UpdatedAt">When it last moved.</param>
/// <param name="EndedAt">Null while it has not.</param>
public sealed record SagaItem(
    Guid OrderId, string State, string? Step, string? WaitingFor, string? Code, int? Attempts,
    DateTimeOffset? NextActionAt, string CustomerId, string Currency, long? Total, DateTimeOffset StartedAt,
    DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt)
{
    public static SagaItem Of(SagaView saga)
    {
        var (state, facts) = (saga.Record.State, saga.Record.Facts);
        var headline = Headline.Of(state);
        return new(
            saga.Record.OrderId, SagaNames.Of(state.Status), headline.Step, headline.WaitingFor,
            headline.Code, Headline.TheOneThatMatters(state)?.Leg.Attempts, state.NextActionAt,
            facts.Order.CustomerId, facts.Order.Currency, facts.TotalMinor, state.StartedAt!.Value,
            saga.UpdatedAt, state.EndedAt);
    }
}

/// <summary>One saga: how it stands, in a sentence and in detail.</summary>
/// <param name="Summary">What it waits for and why, since when, and what happens next.</param>
/// <param name="Definition">The process and the version that it is pinned to.</param>
/// <param name="Outcome">
/// How it ended: <c>completed, rejected, expired, cancelled</c>; null while it has not.
/// </param>
/// <param name="Confirmed">The pivot is passed: the order was told that it will be carried out.</param>
/// <param name="Reason">Why it turned back; null while it goes forward.</param>
/// <param name="CancelReason">Why somebody wants it undone; null when nobody does.</param>
/// <param name="Payment">Where the payment stands.</param>
/// <param name="Timeline">Everything that was asked, in the order in which it was first asked.</param>
/// <param name="Note">Of an incident: who minds it and what they found out.</param>
public sealed record SagaBody(
    Guid OrderId, string Summary, DefinitionId Definition, string State, string? Outcome, string? Step,
    string? WaitingFor, string? Code, bool Confirmed, ReasonBody? Reason, string? CancelReason,
    DateTimeOffset? NextActionAt, string CustomerId, string Currency, long? Total, PaymentBody Payment,
    long Version, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt,
    IReadOnlyList<TimelineEntry> Timeline, IncidentNote? Note)
{
    public static SagaBody Of(SagaView saga, DateTimeOffset now, SignsOfLife signs, IncidentNote? note)
    {
        var (state, facts) = (saga.Record.State, saga.Record.Facts);
        var headline = Headline.Of(state);
        return new(
            saga.Record.OrderId, Explain.Sentence(state, now, signs),
            new(OrderSaga.Version(state.DefinitionVersion).Name, state.DefinitionVersion),
            SagaNames.Of(state.Status), state.Ending is { } ending ? SagaNames.Of(ending) : null,
            headline.Step, headline.WaitingFor, headline.Code, state.Pivoted,
            state.Reason is { } reason ? ReasonBody.Of(reason) : null, state.CancelReason, state.NextActionAt,
            facts.Order.CustomerId, facts.Order.Currency, facts.TotalMinor, PaymentBody.Of(saga.Record.Payment),
            state.Version, state.StartedAt!.Value, saga.UpdatedAt, state.EndedAt, TimelineEntry.Of(state), note);
    }
}

/// <summary>A saga as it was read, with when its row was last written.</summary>
public sealed record SagaView(SagaRecord Record, DateTimeOffset UpdatedAt)
{
    /// <summary>From the columns of <c>sagas</c>, <c>sagas_by_id</c> and the like.</summary>
    public static SagaView Read(IRow row) => new(StoredSaga.Read(row), row.Time(7));
}

public sealed record DefinitionId(string Name, int Version);

/// <param name="Kind">As what it ends: <c>rejected, expired, cancelled</c>.</param>
/// <param name="Code">Stable.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Step">Where it happened; null when it came from outside.</param>
public sealed record ReasonBody(string Kind, string Code, string Message, string? Step)
{
    public static ReasonBody Of(Reason reason) =>
        new(SagaNames.Of(reason.Kind), reason.Code, reason.Message, reason.Step);
}

/// <summary>Minor units, and the payment status that follows from them.</summary>
public sealed record PaymentBody(string Status, long Authorized, long Captured, long Refunded, bool Voided)
{
    public static PaymentBody Of(PaymentTotals position) => new(
        position.Status, position.AuthorizedMinor, position.CapturedMinor, position.RefundedMinor,
        position.Voided);
}

/// <summary>A step, or the undo of one.</summary>
/// <param name="Step">Its name.</param>
/// <param name="Undo">True for the undo.</param>
/// <param name="Participant">Who is asked.</param>
/// <param name="Phase"><c>asked, waiting, indoubt, stuck, completed, rejected, skipped, given_up</c>.</param>
/// <param name="Attempts">How often it was asked.</param>
/// <param name="FirstSentAt">When it was first asked; null when it was skipped without asking.</param>
/// <param name="AnsweredAt">When the last answer came that counted.</param>
/// <param name="NextAskAt">When it is asked again, if no answer comes.</param>
/// <param name="Deadline">When that ends.</param>
/// <param name="Code">Of the refusal, the doubt, the incident.</param>
/// <param name="Message">The same for people.</param>
/// <param name="Action">What somebody outside has to do, while it waits.</param>
public sealed record TimelineEntry(
    string Step, bool Undo, string Participant, string Phase, int Attempts, DateTimeOffset? FirstSentAt,
    DateTimeOffset? AnsweredAt, DateTimeOffset? NextAskAt, DateTimeOffset? Deadline, string? Code,
    string? Message, string? Action)
{
    public static IReadOnlyList<TimelineEntry> Of(SagaState state)
    {
        var definition = OrderSaga.Version(state.DefinitionVersion);
        return
        [
            .. state.Story().Select(one => new TimelineEntry(
                one.Step, one.Undo, definition.Find(one.Step)!.Participant, SagaNames.Of(one.Leg.Phase),
                one.Leg.Attempts, one.Leg.FirstSentAt, one.Leg.AnsweredAt, one.Leg.NextAskAt, one.Leg.Deadline,
                one.Leg.Code, one.Leg.Message, one.Leg.Action)),
        ];
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ResolveRequest))]
[JsonSerializable(typeof(OperatorActionBody))]
[JsonSerializable(typeof(BulkRequest))]
[JsonSerializable(typeof(BulkPreview))]
[JsonSerializable(typeof(BulkRun))]
[JsonSerializable(typeof(Page<BulkRun>))]
[JsonSerializable(typeof(Page<BulkOrder>))]
[JsonSerializable(typeof(IncidentNoteRequest))]
[JsonSerializable(typeof(IncidentNote))]
[JsonSerializable(typeof(OverviewBody))]
[JsonSerializable(typeof(Page<IncidentItem>))]
[JsonSerializable(typeof(Page<TimerItem>))]
[JsonSerializable(typeof(Page<SagaItem>))]
[JsonSerializable(typeof(SagaBody))]
[JsonSerializable(typeof(DefinitionBody))]
public sealed partial class SagaJson : JsonSerializerContext;
