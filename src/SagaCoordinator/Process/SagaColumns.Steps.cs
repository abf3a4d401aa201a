using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

// The column steps: the state of a saga and its payment, as JSON. Values of other columns (version, start, end) and absent
// values are omitted. Times are milliseconds since the saga started. Parts that every order has are arrays:
//   a leg     [phase, attempts, sent, answered, { the rest }]
//   payment   [authorized, captured, refunded, voided, version]; the last two are absent when false and 0
//   toUndo    positions of the steps in the definition
public static partial class SagaColumns
{
    static readonly LegPhase[] Phases = Enum.GetValues<LegPhase>();
    static readonly Announcement[] Kinds = Enum.GetValues<Announcement>();

    static void WriteSteps(Utf8JsonWriter json, SagaState state, PaymentTotals payment)
    {
        var start = state.StartedAt!.Value;
        json.WriteStartObject();
        if (state.Pivoted) json.WriteBoolean("pivoted"u8, true);
        if (state.IsBehind) json.WriteBoolean("behind"u8, true);
        if (state.Reason is { } reason) WriteReason(json, reason);
        WriteText(json, "cancelReason"u8, state.CancelReason);
        json.WriteStartObject("steps"u8);
        foreach (var step in state.Steps)
            if (step is not { Do: null, Undo: null })
                WriteStep(json, step, start);
        json.WriteEndObject();
        WritePayment(json, payment);
        if (!state.ToUndo.IsEmpty)
        {
            json.WriteStartArray("toUndo"u8);
            foreach (var step in state.ToUndo) json.WriteNumberValue(state.IndexOf(step));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    static (SagaState State, PaymentTotals Payment) ReadSteps(ReadOnlySpan<byte> json, SagaState blank)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var payment = PaymentTotals.None;
        var (pivoted, behind, reason, cancelReason) = (false, false, (SagaReason?)null, (string?)null);
        var (steps, toUndo) = (blank.Steps, blank.ToUndo);
        while (reader.NextProperty())
            if (reader.Is("pivoted"u8)) pivoted = reader.GetBoolean();
            else if (reader.Is("behind"u8)) behind = reader.GetBoolean();
            else if (reader.Is("reason"u8)) reason = ReadReason(ref reader);
            else if (reader.Is("cancelReason"u8)) cancelReason = reader.GetString();
            else if (reader.Is("steps"u8)) steps = ReadStepList(ref reader, blank);
            else if (reader.Is("payment"u8)) payment = ReadPayment(ref reader);
            else if (reader.Is("toUndo"u8)) toUndo = ReadToUndo(ref reader, blank);
            else reader.SkipValue();
        var state = blank with
        {
            Pivoted = pivoted, IsBehind = behind, Reason = reason, CancelReason = cancelReason, Steps = steps, ToUndo = toUndo,
        };
        return (state, payment);
    }

    static ImmutableArray<StepState> ReadStepList(ref Utf8JsonReader reader, SagaState blank)
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

    static ImmutableArray<string> ReadToUndo(ref Utf8JsonReader reader, SagaState blank)
    {
        var names = new List<string>(blank.Steps.Length);
        reader.Expect(JsonTokenType.StartArray);
        while (reader.NextElement())
        {
            var position = reader.GetInt32();
            if (position < 0 || position >= blank.Steps.Length)
                throw new JsonException($"The saga's definition has no step {position}.");
            names.Add(blank.Steps[position].Step);
        }
        return [.. names];
    }

    static void WriteStep(Utf8JsonWriter json, StepState step, DateTimeOffset start)
    {
        json.WriteStartObject(step.Step);
        WriteLeg(json, "do"u8, step.Do, start);
        WriteLeg(json, "undo"u8, step.Undo, start);
        json.WriteEndObject();
    }

    static StepState ReadStep(ref Utf8JsonReader reader, string name, DateTimeOffset start)
    {
        var (forward, back) = ((Leg?)null, (Leg?)null);
        while (reader.NextProperty())
            if (reader.Is("do"u8)) forward = ReadLeg(ref reader, start);
            else if (reader.Is("undo"u8)) back = ReadLeg(ref reader, start);
            else reader.SkipValue();
        return new StepState { Step = name, Do = forward, Undo = back };
    }

    static void WriteLeg(Utf8JsonWriter json, ReadOnlySpan<byte> name, Leg? leg, DateTimeOffset start)
    {
        if (leg is null) return;
        json.WriteStartArray(name);
        json.WriteStringValue(SagaNames.Of(leg.Phase));
        json.WriteNumberValue(leg.Attempts);
        WriteTimeValue(json, leg.FirstSentAt, start);
        WriteTimeValue(json, leg.AnsweredAt, start);
        if (HasRest(leg)) WriteRest(json, leg, start);
        json.WriteEndArray();
    }

    static bool HasRest(Leg leg) =>
        leg.Tries != leg.Attempts || leg.NextAskAt is not null || leg.Deadline is not null || leg.WaitingSince is not null
        || leg.InDoubtSince is not null || leg.Code is not null || leg.Message is not null || leg.Detail is not null
        || leg.Action is not null || leg.Resolution is not null;

    static void WriteRest(Utf8JsonWriter json, Leg leg, DateTimeOffset start)
    {
        json.WriteStartObject();
        if (leg.Tries != leg.Attempts) json.WriteNumber("tries"u8, leg.Tries);
        WriteTime(json, "next"u8, leg.NextAskAt, start);
        WriteTime(json, "until"u8, leg.Deadline, start);
        WriteTime(json, "waiting"u8, leg.WaitingSince, start);
        WriteTime(json, "doubt"u8, leg.InDoubtSince, start);
        WriteText(json, "code"u8, leg.Code);
        WriteText(json, "message"u8, leg.Message);
        WriteText(json, "detail"u8, leg.Detail);
        WriteText(json, "action"u8, leg.Action);
        WriteResolution(json, leg.Resolution);
        json.WriteEndObject();
    }

    static Leg ReadLeg(ref Utf8JsonReader reader, DateTimeOffset start)
    {
        reader.Expect(JsonTokenType.StartArray);
        reader.Next(JsonTokenType.String);
        var phase = ReadPhase(ref reader);
        var attempts = (int)NextNumber(ref reader);
        var sent = NextTime(ref reader, start);
        var answered = NextTime(ref reader, start);
        int? tries = null;
        DateTimeOffset? next = null, until = null, waiting = null, doubt = null;
        string? code = null, message = null, detail = null, action = null;
        SagaResolution? resolution = null;
        if (reader.NextElement())
        {
            reader.Expect(JsonTokenType.StartObject);
            while (reader.NextProperty())
                if (reader.Is("tries"u8)) tries = reader.GetInt32();
                else if (reader.Is("next"u8)) next = ReadTime(ref reader, start);
                else if (reader.Is("until"u8)) until = ReadTime(ref reader, start);
                else if (reader.Is("waiting"u8)) waiting = ReadTime(ref reader, start);
                else if (reader.Is("doubt"u8)) doubt = ReadTime(ref reader, start);
                else if (reader.Is("code"u8)) code = reader.GetString();
                else if (reader.Is("message"u8)) message = reader.GetString();
                else if (reader.Is("detail"u8)) detail = reader.GetString();
                else if (reader.Is("action"u8)) action = reader.GetString();
                else if (reader.Is("resolution"u8)) resolution = ReadResolution(ref reader);
                else reader.SkipValue();
            reader.Next(JsonTokenType.EndArray);
        }
        return new Leg
        {
            Phase = phase, Attempts = attempts, Tries = tries ?? attempts, FirstSentAt = sent,
            AnsweredAt = answered, NextAskAt = next, Deadline = until, WaitingSince = waiting,
            InDoubtSince = doubt, Code = code, Message = message, Detail = detail, Action = action,
            Resolution = resolution,
        };
    }

    static void WriteReason(Utf8JsonWriter json, SagaReason reason)
    {
        json.WriteStartObject("reason"u8);
        json.WriteString("kind"u8, SagaNames.Of(reason.Kind));
        json.WriteString("code"u8, reason.Code);
        json.WriteString("message"u8, reason.Message);
        WriteText(json, "step"u8, reason.Step);
        json.WriteEndObject();
    }

    static SagaReason ReadReason(ref Utf8JsonReader reader)
    {
        var (kind, code, message, step) = (Announcement.Rejected, "", "", (string?)null);
        while (reader.NextProperty())
            if (reader.Is("kind"u8)) kind = ReadKind(ref reader);
            else if (reader.Is("code"u8)) code = reader.GetString()!;
            else if (reader.Is("message"u8)) message = reader.GetString()!;
            else if (reader.Is("step"u8)) step = reader.GetString();
            else reader.SkipValue();
        return new SagaReason(kind, code, message, step);
    }

    static void WriteResolution(Utf8JsonWriter json, SagaResolution? resolution)
    {
        if (resolution is null) return;
        json.WriteStartObject("resolution"u8);
        json.WriteString("id"u8, resolution.Id);
        json.WriteBoolean("completed"u8, resolution.Completed);
        json.WriteString("by"u8, resolution.By);
        json.WriteString("reason"u8, resolution.Reason);
        WriteText(json, "reference"u8, resolution.Reference);
        json.WriteEndObject();
    }

    static SagaResolution ReadResolution(ref Utf8JsonReader reader)
    {
        var (id, completed, by, reason, reference) = (Guid.Empty, false, "", "", (string?)null);
        while (reader.NextProperty())
            if (reader.Is("id"u8)) id = reader.GetGuid();
            else if (reader.Is("completed"u8)) completed = reader.GetBoolean();
            else if (reader.Is("by"u8)) by = reader.GetString()!;
            else if (reader.Is("reason"u8)) reason = reader.GetString()!;
            else if (reader.Is("reference"u8)) reference = reader.GetString();
            else reader.SkipValue();
        return new SagaResolution(id, completed, by, reason, reference);
    }

    static void WritePayment(Utf8JsonWriter json, PaymentTotals payment)
    {
        if (payment == PaymentTotals.None) return;
        json.WriteStartArray("payment"u8);
        json.WriteNumberValue(payment.AuthorizedMinor);
        json.WriteNumberValue(payment.CapturedMinor);
        json.WriteNumberValue(payment.RefundedMinor);
        if (payment.Voided) json.WriteBooleanValue(true);
        if (payment.Version > 0) json.WriteNumberValue(payment.Version);
        json.WriteEndArray();
    }

    static PaymentTotals ReadPayment(ref Utf8JsonReader reader)
    {
        reader.Expect(JsonTokenType.StartArray);
        var (authorized, captured, refunded) = (NextNumber(ref reader), NextNumber(ref reader), NextNumber(ref reader));
        var (voided, version) = (false, 0L);
        while (reader.NextElement())
            if (reader.TokenType == JsonTokenType.Number) version = reader.GetInt64();
            else voided = reader.GetBoolean();
        return new PaymentTotals(authorized, captured, refunded, voided, version);
    }

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

    static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? value, DateTimeOffset start)
    {
        if (value is { } time) json.WriteNumber(name, Milliseconds(time, start));
    }

    static void WriteTimeValue(Utf8JsonWriter json, DateTimeOffset? value, DateTimeOffset start)
    {
        if (value is { } time) json.WriteNumberValue(Milliseconds(time, start));
        else json.WriteNullValue();
    }

    static DateTimeOffset ReadTime(ref Utf8JsonReader reader, DateTimeOffset start) =>
        start.AddTicks(reader.GetInt64() * TimeSpan.TicksPerMillisecond);

    static DateTimeOffset? NextTime(ref Utf8JsonReader reader, DateTimeOffset start)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Null ? null : ReadTime(ref reader, start);
    }

    static long NextNumber(ref Utf8JsonReader reader)
    {
        reader.Next(JsonTokenType.Number);
        return reader.GetInt64();
    }

    static long Milliseconds(DateTimeOffset time, DateTimeOffset start) =>
        (time - start).Ticks / TimeSpan.TicksPerMillisecond;
}
