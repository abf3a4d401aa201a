using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// When an attempt that is not settled is taken up again, and whether it is then repeated or looked up. Pure.
/// </summary>
public static class DoubtRules
{
    public static PaymentDecision Postpone(
        PaymentFile file, GatewayCall call, GatewayResult.Unavailable away, DateTimeOffset now,
        GatewayLimits limits)
    {
        // An earlier request under this key may still be on its way: this answer is not about that one.
        if (call.Code == ReasonCodes.InDoubt)
            return new(file.With(call with { State = CallStates.InDoubt, DueAt = now + Pause(call, away.After, limits) }));
        var undoWanted = IsUndoWanted(file, call);
        return undoWanted || call.Attempts >= limits.GatewayMaxAttempts
            ? CallRules.GiveUp(file, call, ReasonCodes.ProviderUnavailable, "The gateway is not available.", now, limits)
            : new(file.With(call with
            {
                State = CallStates.Retry, Code = ReasonCodes.ProviderUnavailable, Message = away.Why,
                DueAt = now + Pause(call, away.After, limits),
            }));
    }

    /// <summary>
    /// It was not asked. What certainly did not happen waits for its turn, however long that takes; what may have happened
    /// is looked up then.
    /// </summary>
    public static PaymentDecision HoldBack(
        PaymentFile file, GatewayCall call, GatewayResult.NotAsked notAsked, DateTimeOffset now, GatewayLimits limits)
    {
        var due = now + notAsked.After + notAsked.After * Spread(call);
        if (notAsked.LookUp) return new(file.With(call with { DueAt = due }));
        if (call.State != CallStates.Open) return new(file);
        var notSent = call with { Attempts = call.Attempts - 1, DueAt = due };
        if (call.Code == ReasonCodes.InDoubt) return new(file.With(notSent with { State = CallStates.InDoubt }));
        return IsUndoWanted(file, call)
            ? CallRules.GiveUp(file, notSent, ReasonCodes.ProviderUnavailable, notAsked.Why, now, limits)
            : new(file.With(notSent with
            {
                State = CallStates.Retry, Code = ReasonCodes.ProviderUnavailable, Message = notAsked.Why,
            }));
    }

    // Nothing is known at the gateway. The same key may go again, where keys make repetitions harmless; a new
    // key only where the old request can no longer arrive. To call it undone or given up takes more: a second
    // look, and one that misses nothing.
    public static PaymentDecision Repeat(
        PaymentFile file, GatewayCall call, GatewayResult.NeverHappened never, ProviderCapabilities capabilities,
        DateTimeOffset now, GatewayLimits limits)
    {
        var undoWanted = IsUndoWanted(file, call);
        var givesUp = undoWanted || call.Attempts >= limits.GatewayMaxAttempts;
        var maybeMissed = (undoWanted && call.Probes == 0) || now < call.StartedAt + capabilities.LookUpLag;
        if (!never.Final && ((givesUp && maybeMissed) || (!undoWanted && !capabilities.IdempotentKeys)))
            return LookUpLater(
                file, call, new("The gateway knows no such request, or not yet.") { IsAnswer = true }, capabilities, now);
        if (undoWanted)
            return CallRules.GiveUp(
                file, call, ReasonCodes.Cancelled, "Undone; the gateway knows nothing of it.", now, limits);
        if (givesUp)
            return CallRules.GiveUp(
                file, call, ReasonCodes.ProviderUnavailable, "The gateway took none of the requests.", now, limits);
        if (!capabilities.IdempotentKeys)
            return CallRules.Begin(
                file.With(CallRules.Finish(call, CallStates.Failed, now)), call.Operation, call.AmountMinor, now, limits,
                call.AskedBy, call.Reason);

        var again = call with
        {
            // The request before it may still arrive.
            State = CallStates.Open, Code = ReasonCodes.InDoubt, Attempts = call.Attempts + 1, DueAt = now + limits.Lease,
        };
        return new(file.With(again), Next: new GatewayTask(again, LookUp: false));
    }

    public static PaymentDecision Doubt(
        PaymentFile file, GatewayCall call, string why, DateTimeOffset now, GatewayLimits limits)
    {
        var doubtful = call with
        {
            State = CallStates.InDoubt, Code = ReasonCodes.InDoubt, Message = why, Probes = 0, LookUps = [],
            DueAt = now + limits.Lease,
        };
        return Tell(file.With(doubtful), doubtful) with { Next = new GatewayTask(doubtful, LookUp: true) };
    }

    /// <summary>
    /// A look-up did not tell. Where the gateway cannot be asked at all, a webhook has some time, and then only a person
    /// ends the doubt.
    /// </summary>
    public static PaymentDecision LookUpLater(
        PaymentFile file, GatewayCall call, GatewayResult.Unknown said, ProviderCapabilities capabilities, DateTimeOffset now)
    {
        var lookUps = LookUp.Add(call.LookUps, said.Why, said.IsAnswer, now);
        var looked = call with { State = CallStates.InDoubt, Probes = call.Probes + 1, LookUps = lookUps };
        if (!capabilities.LookUpByKey)
            looked = looked with { DueAt = call.Probes == 0 ? now + GatewayLimits.WaitForWebhook : null };
        else
            looked = looked with { DueAt = NextLook(lookUps, call.StartedAt + capabilities.LookUpLag, now) };
        var after = file.With(looked);
        return IsForAPerson(looked) && !IsForAPerson(call) ? Tell(after, looked) : new(after);
    }

    /// <summary>It was looked up for as long as that makes sense.</summary>
    public static bool IsForAPerson(GatewayCall call) =>
        call is { State: CallStates.InDoubt, LookUps: [var first, ..] }
        && (call.DueAt is null || call.LookUps[^1].Last - first.First >= GatewayLimits.LookUpFor);

    /// <summary>What was asked, under which key, when, and what each look-up said.</summary>
    public static string Evidence(Payment payment, GatewayCall call)
    {
        var amount = Money.Format(call.AmountMinor, payment.Currency!);
        var text = new StringBuilder(
            $"{payment.Provider} was asked to {call.Operation} {amount} under {call.Key}, first at {Clock(call.StartedAt)}, "
            + $"{Times(call.Attempts)}, and said nothing that settles it ({call.Message?.TrimEnd('.')}).");
        foreach (var look in call.LookUps)
            text.Append(CultureInfo.InvariantCulture, $" Looked up {Times(look.Times)}, {Clock(look.First)}")
                .Append(look.Times == 1 ? "" : $" to {Clock(look.Last)}").Append(": ").Append(look.Said);
        return text.ToString();
    }

    // A gateway that answers is asked along the pauses; one that does not is asked until it does. One whose look-ups lag
    // is asked when they can no longer miss anything.
    static DateTimeOffset NextLook(IReadOnlyList<LookUp> lookUps, DateTimeOffset misses, DateTimeOffset now)
    {
        if (!lookUps[^1].IsAnswer)
            return now + (lookUps is [{ Times: 1 }] ? GatewayLimits.LookUpPauses[0] : GatewayLimits.UnansweredPause);
        var answers = lookUps.Where(look => look.IsAnswer).Sum(look => look.Times);
        var next = now + GatewayLimits.LookUpPauses[Math.Min(answers, GatewayLimits.LookUpPauses.Count) - 1];
        return misses > now && misses < next ? misses : next;
    }

    static PaymentDecision Tell(PaymentFile file, GatewayCall call)
    {
        var payment = file.Payment!;
        var undo = payment.UndoStep is not null;
        var step = payment.UndoStep ?? call switch
        {
            { AskedBy: not null } => null,
            { Operation: GatewayOperations.Authorize } => StepNames.AuthorizePayment,
            { Operation: GatewayOperations.Capture } => StepNames.CapturePayment,
            _ => null,
        };
        return new(file, step is null ? null : PaymentRules.InDoubt(payment, call, undo), step);
    }

    static string Clock(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    static string Times(int times) => times == 1 ? "once" : $"{times} times";

    // Doubles up to a limit, and is spread by the order's own id, so that the orders of one outage do not
    // come back as one.
    static TimeSpan Pause(GatewayCall call, TimeSpan? asked, GatewayLimits limits)
    {
        var doubled = limits.GatewayBackoff * Math.Pow(2, Math.Min(call.Attempts - 1, 20));
        var capped = doubled < GatewayLimits.LongestBackoff ? doubled : GatewayLimits.LongestBackoff;
        var spread = capped * (0.5 + 0.5 * Spread(call));
        return !(asked > spread) ? spread : asked > RepairClockSkew.LongestPause ? RepairClockSkew.LongestPause : asked.Value;
    }

    // 0 to 1 by the order's own id: those that wait for the same thing do not come back as one.
    static double Spread(GatewayCall call)
    {
        Span<byte> id = stackalloc byte[16];
        call.OrderId.TryWriteBytes(id);
        return BinaryPrimitives.ReadUInt32LittleEndian(id[12..]) / (double)uint.MaxValue;
    }

    // What is asked for to undo something has to be done in any case.
    static bool IsUndoWanted(PaymentFile file, GatewayCall call) => file.Payment!.UndoStep is not null
        && call.Operation is GatewayOperations.Authorize or GatewayOperations.Capture;
}
