using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The <c>steps</c> column: where a saga and its payment stand, as JSON, without what other columns say
/// (version, start, end) and without what is not there. Times are milliseconds since the saga started. What every order has is
/// an array: a leg is <c>[phase, attempts, sent, answered, { the rest }]</c>, a payment <c>[authorized, captured, refunded,
/// voided]</c>, what there is to undo the places of its steps in the definition. Rows from before 2026-11-28 have names for all
/// of that, and are read as well. Read and written by hand: it happens for every message, and the serializer took several
/// times as long.
/// </summary>
static class StoredSteps
{
    static readonly LegPhase[] Phases = Enum.GetValues<LegPhase>();
    static readonly Announcement[] Kinds = Enum.GetValues<Announcement>();

    /// <param name="json">Where to.</param>
    /// <param name="state">The saga.</param>
    /// <param name="payment">Its payment.</param>
    public static void Write(Utf8JsonWriter json, SagaState state, PaymentTotals payment)
    {
        var start = state.StartedAt!.Value;
        json.WriteStartObject();
        if (state.Pivoted) json.WriteBoolean("pivoted"u8, true);
        if (state.Reason is { } reason) Write(json, reason);
        json.WriteText("cancelReason"u8, state.CancelReason);
        json.WriteStartObject("steps"u8);
        foreach (var step in state.Steps)
            if (step is not { Do: null, Undo: null })
                Write(json, step, start);
        json.WriteEndObject();
        Write(json, payment);
        if (!state.ToUndo.IsEmpty)
        {
            json.WriteStartArray("toUndo"u8);
            foreach (var step in state.ToUndo) json.WriteNumberValue(state.IndexOf(step));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <param name="json">The column.</param>
    /// <param name="blank">The saga by its other columns, with nothing done yet.</param>
    public static (SagaState State, PaymentTotals Payment) Read(ReadOnlySpan<byte> json, SagaState blank)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var payment = PaymentTotals.None;
        var (pivoted, reason, cancelReason) = (false, (Reason?)null, (string?)null);
        var (steps, toUndo) = (blank.Steps, blank.ToUndo);
        while (reader.NextProperty())
            if (reader.Is("pivoted"u8)) pivoted = reader.GetBoolean();
            else if (reader.Is("reason"u8)) reason = ReadReason(ref reader);
            else if (reader.Is("cancelReason"u8)) cancelReason = reader.GetString();
            else if (reader.Is("steps"u8)) steps = ReadSteps(ref reader, blank);
            else if (reader.Is("payment"u8)) payment = ReadPayment(ref reader);
            else if (reader.Is("toUndo"u8)) toUndo = ReadToUndo(ref reader, blank);
            else reader.SkipValue();
        var state = blank with
        {
            Pivoted = pivoted, Reason = reason, CancelReason = cancelReason, Steps = steps, ToUndo = toUndo,
        };
        return (state, payment);
    }

    static void Write(Utf8JsonWriter json, Reason reason)
    {
        json.WriteStartObject("reason"u8);
        json.WriteString("kind"u8, SagaNames.Of(reason.Kind));
        json.WriteString("code"u8, reason.Code);
        json.WriteString("message"u8, reason.Message);
        json.WriteText("step"u8, reason.Step);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, StepState step, DateTimeOffset start)
    {
        json.WriteStartObject(step.Step);
        Write(json, "do"u8, step.Do, start);
        Write(json, "undo"u8, step.Undo, start);
        json.WriteTime("renew"u8, step.RenewAt, start);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, Leg? leg, DateTimeOffset start)
    {
        if (leg is null) return;
        json.WriteStartArray(name);
        json.WriteStringValue(SagaNames.Of(leg.Phase));
        json.WriteNumberValue(leg.Attempts);
        json.WriteTimeValue(leg.FirstSentAt, start);
        json.WriteTimeValue(leg.AnsweredAt, start);
        if (HasMore(leg)) WriteRest(json, leg, start);
        json.WriteEndArray();
    }

    static bool HasMore(Leg leg) =>
        leg.Tries != leg.Attempts || leg.NextAskAt is not null || leg.Deadline is not null || leg.WaitingSince is not null
        || leg.InDoubtSince is not null || leg.Code is not null || leg.Message is not null || leg.Detail is not null
        || leg.Action is not null || leg.Verdict is not null;

    static void WriteRest(Utf8JsonWriter json, Leg leg, DateTimeOffset start)
    {
        json.WriteStartObject();
        if (leg.Tries != leg.Attempts) json.WriteNumber("tries"u8, leg.Tries);
        json.WriteTime("next"u8, leg.NextAskAt, start);
        json.WriteTime("until"u8, leg.Deadline, start);
        json.WriteTime("waiting"u8, leg.WaitingSince, start);
        json.WriteTime("doubt"u8, leg.InDoubtSince, start);
        json.WriteText("code"u8, leg.Code);
        json.WriteText("message"u8, leg.Message);
        json.WriteText("detail"u8, leg.Detail);
        json.WriteText("action"u8, leg.Action);
        Write(json, leg.Verdict);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, Verdict? verdict)
    {
        if (verdict is null) return;
        json.WriteStartObject("verdict"u8);
        json.WriteString("id"u8, verdict.Id);
        json.WriteBoolean("completed"u8, verdict.Completed);
        json.WriteString("by"u8, verdict.By);
        json.WriteString("reason"u8, verdict.Reason);
        json.WriteText("reference"u8, verdict.Reference);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, PaymentTotals payment)
    {
        if (payment == PaymentTotals.None) return;
        json.WriteStartArray("payment"u8);
        json.WriteNumberValue(payment.AuthorizedMinor);
        json.WriteNumberValue(payment.CapturedMinor);
        json.WriteNumberValue(payment.RefundedMinor);
        if (payment.Voided) json.WriteBooleanValue(true);
        json.WriteEndArray();
    }

    static Reason ReadReason(ref Utf8JsonReader reader)
    {
        var (kind, code, message, step) = (Announcement.Rejected, "", "", (string?)null);
        while (reader.NextProperty())
            if (reader.Is("kind"u8)) kind = ReadKind(ref reader);
            else if (reader.Is("code"u8)) code = reader.GetString()!;
            else if (reader.Is("message"u8)) message = reader.GetString()!;
            else if (reader.Is("step"u8)) step = reader.GetString();
            else reader.SkipValue();
        return new Reason(kind, code, message, step);
    }

    static ImmutableArray<StepState> ReadSteps(ref Utf8JsonReader reader, SagaState blank)
    {
        StepState[] steps = [.. blank.Steps];
        while (reader.NextProperty())
        {
            var at = 0;
            while (!reader.ValueTextEquals(steps[at].Step))
                if (++at == steps.Length)
                    throw new JsonException($"The saga's definition has no step '{reader.GetString()}'.");
            reader.Read();
            steps[at] = ReadStep(ref reader, steps[at].Step, blank.StartedAt!.Value);
        }
        return ImmutableCollectionsMarshal.AsImmutableArray(steps);
    }

    static StepState ReadStep(ref Utf8JsonReader reader, string name, DateTimeOffset start)
    {
        var (forward, back, renewAt) = ((Leg?)null, (Leg?)null, (DateTimeOffset?)null);
        while (reader.NextProperty())
            if (reader.Is("do"u8)) forward = ReadLeg(ref reader, start);
            else if (reader.Is("undo"u8)) back = ReadLeg(ref reader, start);
            else if (reader.Is("renew"u8)) renewAt = reader.GetTime(start);
            else reader.SkipValue();
        return new StepState { Step = name, Do = forward, Undo = back, RenewAt = renewAt };
    }

    static Leg ReadLeg(ref Utf8JsonReader reader, DateTimeOffset start)
    {
        var (phase, attempts, tries) = (LegPhase.Asked, 0, (int?)null);
        DateTimeOffset? sent = null, answered = null, next = null, until = null, waiting = null, doubt = null;
        string? code = null, message = null, detail = null, action = null;
        Verdict? verdict = null;
        var isArray = reader.TokenType == JsonTokenType.StartArray;
        if (isArray)
        {
            reader.Read();
            phase = ReadPhase(ref reader);
            attempts = (int)reader.NextNumber();
            sent = reader.NextTime(start);
            answered = reader.NextTime(start);
            reader.Read();
        }
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.NextProperty())
                if (reader.Is("tries"u8)) tries = reader.GetInt32();
                else if (reader.Is("next"u8)) next = reader.GetTime(start);
                else if (reader.Is("until"u8)) until = reader.GetTime(start);
                else if (reader.Is("waiting"u8)) waiting = reader.GetTime(start);
                else if (reader.Is("doubt"u8)) doubt = reader.GetTime(start);
                else if (reader.Is("code"u8)) code = reader.GetString();
                else if (reader.Is("message"u8)) message = reader.GetString();
                else if (reader.Is("detail"u8)) detail = reader.GetString();
                else if (reader.Is("action"u8)) action = reader.GetString();
                else if (reader.Is("verdict"u8)) verdict = ReadVerdict(ref reader);
                else if (reader.Is("phase"u8)) phase = ReadPhase(ref reader);
                else if (reader.Is("asked"u8)) attempts = reader.GetInt32();
                else if (reader.Is("sent"u8)) sent = reader.GetTime(start);
                else if (reader.Is("answered"u8)) answered = reader.GetTime(start);
                else reader.SkipValue();
            if (isArray) reader.Read();
        }
        return new Leg
        {
            Phase = phase, Attempts = attempts, Tries = tries ?? attempts, FirstSentAt = sent,
            AnsweredAt = answered, NextAskAt = next, Deadline = until, WaitingSince = waiting,
            InDoubtSince = doubt, Code = code, Message = message, Detail = detail, Action = action,
            Verdict = verdict,
        };
    }

    static Verdict ReadVerdict(ref Utf8JsonReader reader)
    {
        var (id, completed, by, reason, reference) = (Guid.Empty, false, "", "", (string?)null);
        while (reader.NextProperty())
            if (reader.Is("id"u8)) id = reader.GetGuid();
            else if (reader.Is("completed"u8)) completed = reader.GetBoolean();
            else if (reader.Is("by"u8)) by = reader.GetString()!;
            else if (reader.Is("reason"u8)) reason = reader.GetString()!;
            else if (reader.Is("reference"u8)) reference = reader.GetString();
            else reader.SkipValue();
        return new Verdict(id, completed, by, reason, reference);
    }

    static PaymentTotals ReadPayment(ref Utf8JsonReader reader)
    {
        var (authorized, captured, refunded, voided) = (0L, 0L, 0L, false);
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            authorized = reader.NextNumber();
            captured = reader.NextNumber();
            refunded = reader.NextNumber();
            while (reader.NextElement()) voided = reader.GetBoolean();
        }
        else
            while (reader.NextProperty())
                if (reader.Is("authorized"u8)) authorized = reader.GetInt64();
                else if (reader.Is("captured"u8)) captured = reader.GetInt64();
                else if (reader.Is("refunded"u8)) refunded = reader.GetInt64();
                else if (reader.Is("voided"u8)) voided = reader.GetBoolean();
                else reader.SkipValue();
        return new PaymentTotals(authorized, captured, refunded, voided);
    }

    static ImmutableArray<string> ReadToUndo(ref Utf8JsonReader reader, SagaState blank)
    {
        var names = new List<string>(blank.Steps.Length);
        while (reader.NextElement())
            names.Add(reader.TokenType == JsonTokenType.Number ? StepAt(reader.GetInt32(), blank) : reader.GetString()!);
        return [.. names];
    }

    static string StepAt(int place, SagaState blank) => place >= 0 && place < blank.Steps.Length
        ? blank.Steps[place].Step
        : throw new JsonException($"The saga's definition has no step {place}.");

    static LegPhase ReadPhase(ref Utf8JsonReader reader)
    {
        foreach (var phase in Phases)
            if (reader.ValueTextEquals(SagaNames.Of(phase)))
                return phase;
        throw new JsonException($"There is no phase '{reader.GetString()}'.");
    }

    static Announcement ReadKind(ref Utf8JsonReader reader)
    {
        foreach (var kind in Kinds)
            if (reader.ValueTextEquals(SagaNames.Of(kind)))
                return kind;
        throw new JsonException($"No saga ends as '{reader.GetString()}'.");
    }
}
