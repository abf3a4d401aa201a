using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The <c>steps</c> column: a saga's state as JSON, times in milliseconds since 1970, without what other
/// columns say (version, start, end) and without what is not there. Read and written by hand: it happens for
/// every message, and the serializer took several times as long.
/// </summary>
static class StoredSteps
{
    static readonly LegPhase[] Phases = Enum.GetValues<LegPhase>();
    static readonly Announcement[] Kinds = Enum.GetValues<Announcement>();

    public static void Write(Utf8JsonWriter json, SagaState state)
    {
        json.WriteStartObject();
        if (state.Pivoted) json.WriteBoolean("pivoted"u8, true);
        if (state.Reason is { } reason) Write(json, reason);
        json.WriteText("cancelReason"u8, state.CancelReason);
        json.WriteStartObject("steps"u8);
        foreach (var step in state.Steps)
            if (step is not { Do: null, Undo: null })
                Write(json, step);
        json.WriteEndObject();
        if (!state.ToUndo.IsEmpty)
        {
            json.WriteStartArray("toUndo"u8);
            foreach (var step in state.ToUndo) json.WriteStringValue(step);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <param name="json">The column.</param>
    /// <param name="blank">The saga by its other columns, with nothing done yet.</param>
    public static SagaState Read(ReadOnlySpan<byte> json, SagaState blank)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var (pivoted, reason, cancelReason) = (false, (Reason?)null, (string?)null);
        var (steps, toUndo) = (blank.Steps, blank.ToUndo);
        while (reader.NextProperty())
            if (reader.Is("pivoted"u8)) pivoted = reader.GetBoolean();
            else if (reader.Is("reason"u8)) reason = ReadReason(ref reader);
            else if (reader.Is("cancelReason"u8)) cancelReason = reader.GetString();
            else if (reader.Is("steps"u8)) steps = ReadSteps(ref reader, blank.Steps);
            else if (reader.Is("toUndo"u8)) toUndo = ReadNames(ref reader);
            else reader.SkipValue();
        return blank with
        {
            Pivoted = pivoted, Reason = reason, CancelReason = cancelReason, Steps = steps, ToUndo = toUndo,
        };
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

    static void Write(Utf8JsonWriter json, StepState step)
    {
        json.WriteStartObject(step.Step);
        Write(json, "do"u8, step.Do);
        Write(json, "undo"u8, step.Undo);
        json.WriteTime("renewAt"u8, step.RenewAt);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, Leg? leg)
    {
        if (leg is null) return;
        json.WriteStartObject(name);
        json.WriteString("phase"u8, SagaNames.Of(leg.Phase));
        if (leg.Attempts > 0) json.WriteNumber("attempts"u8, leg.Attempts);
        if (leg.Tries > 0) json.WriteNumber("tries"u8, leg.Tries);
        json.WriteTime("firstSentAt"u8, leg.FirstSentAt);
        json.WriteTime("answeredAt"u8, leg.AnsweredAt);
        json.WriteTime("nextAskAt"u8, leg.NextAskAt);
        json.WriteTime("deadline"u8, leg.Deadline);
        json.WriteTime("waitingSince"u8, leg.WaitingSince);
        json.WriteTime("inDoubtSince"u8, leg.InDoubtSince);
        json.WriteText("code"u8, leg.Code);
        json.WriteText("message"u8, leg.Message);
        json.WriteText("detail"u8, leg.Detail);
        json.WriteText("action"u8, leg.Action);
        json.WriteEndObject();
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

    static ImmutableArray<StepState> ReadSteps(ref Utf8JsonReader reader, ImmutableArray<StepState> blank)
    {
        StepState[] steps = [.. blank];
        while (reader.NextProperty())
        {
            var at = 0;
            while (!reader.ValueTextEquals(steps[at].Step))
                if (++at == steps.Length)
                    throw new JsonException($"The saga's definition has no step '{reader.GetString()}'.");
            reader.Read();
            steps[at] = ReadStep(ref reader, steps[at].Step);
        }
        return ImmutableCollectionsMarshal.AsImmutableArray(steps);
    }

    static StepState ReadStep(ref Utf8JsonReader reader, string name)
    {
        var (forward, back, renewAt) = ((Leg?)null, (Leg?)null, (DateTimeOffset?)null);
        while (reader.NextProperty())
            if (reader.Is("do"u8)) forward = ReadLeg(ref reader);
            else if (reader.Is("undo"u8)) back = ReadLeg(ref reader);
            else if (reader.Is("renewAt"u8)) renewAt = reader.GetTime();
            else reader.SkipValue();
        return new StepState { Step = name, Do = forward, Undo = back, RenewAt = renewAt };
    }

    static Leg ReadLeg(ref Utf8JsonReader reader)
    {
        var (phase, attempts, tries) = (LegPhase.Asked, 0, 0);
        DateTimeOffset? firstSentAt = null, answeredAt = null, nextAskAt = null, deadline = null;
        DateTimeOffset? waitingSince = null, inDoubtSince = null;
        string? code = null, message = null, detail = null, action = null;
        while (reader.NextProperty())
            if (reader.Is("phase"u8)) phase = ReadPhase(ref reader);
            else if (reader.Is("attempts"u8)) attempts = reader.GetInt32();
            else if (reader.Is("tries"u8)) tries = reader.GetInt32();
            else if (reader.Is("firstSentAt"u8)) firstSentAt = reader.GetTime();
            else if (reader.Is("answeredAt"u8)) answeredAt = reader.GetTime();
            else if (reader.Is("nextAskAt"u8)) nextAskAt = reader.GetTime();
            else if (reader.Is("deadline"u8)) deadline = reader.GetTime();
            else if (reader.Is("waitingSince"u8)) waitingSince = reader.GetTime();
            else if (reader.Is("inDoubtSince"u8)) inDoubtSince = reader.GetTime();
            else if (reader.Is("code"u8)) code = reader.GetString();
            else if (reader.Is("message"u8)) message = reader.GetString();
            else if (reader.Is("detail"u8)) detail = reader.GetString();
            else if (reader.Is("action"u8)) action = reader.GetString();
            else reader.SkipValue();
        return new Leg
        {
            Phase = phase, Attempts = attempts, Tries = tries, FirstSentAt = firstSentAt, AnsweredAt = answeredAt,
            NextAskAt = nextAskAt, Deadline = deadline, WaitingSince = waitingSince, InDoubtSince = inDoubtSince,
            Code = code, Message = message, Detail = detail, Action = action,
        };
    }

    static ImmutableArray<string> ReadNames(ref Utf8JsonReader reader)
    {
        var names = new List<string>();
        while (reader.NextElement()) names.Add(reader.GetString()!);
        return [.. names];
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
}
