using System.Buffers.Binary;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Gateways;

/// <summary>
/// When an attempt that is not settled is taken up again, and whether it is then repeated or looked up. Pure.
/// </summary>
static class DoubtRules
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
            return LookUpLater(file, call, capabilities, now);
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
            State = CallStates.Open, Attempts = call.Attempts + 1, DueAt = now + limits.Lease,
        };
        return new(file.With(again), Next: new GatewayTask(again, LookUp: false));
    }

    public static PaymentDecision Doubt(
        PaymentFile file, GatewayCall call, string why, DateTimeOffset now, GatewayLimits limits)
    {
        var doubtful = call with
        {
            State = CallStates.InDoubt, Code = ReasonCodes.InDoubt, Message = why, Probes = 0,
            DueAt = now + limits.Lease,
        };
        var payment = file.Payment!;
        var step = payment.UndoStep ?? call.Operation switch
        {
            GatewayOperations.Authorize => StepNames.AuthorizePayment,
            GatewayOperations.Capture => StepNames.CapturePayment,
            _ => null,
        };
        return new(
            file.With(doubtful), step is null ? null : PaymentRules.InDoubt(payment, payment.UndoStep is not null),
            step, new GatewayTask(doubtful, LookUp: true));
    }

    // Where the gateway cannot be asked, only a webhook or a person ends the doubt.
    public static PaymentDecision LookUpLater(
        PaymentFile file, GatewayCall call, ProviderCapabilities capabilities, DateTimeOffset now) =>
        new(file.With(call with
        {
            State = CallStates.InDoubt,
            Probes = call.Probes + 1,
            DueAt = capabilities.LookUpByKey ? now + GatewayLimits.LookUpPause(call.Probes) : null,
        }));

    // Doubles up to a limit, and is spread by the order's own id, so that the orders of one outage do not
    // come back as one.
    static TimeSpan Pause(GatewayCall call, TimeSpan? asked, GatewayLimits limits)
    {
        var doubled = limits.GatewayBackoff * Math.Pow(2, Math.Min(call.Attempts - 1, 20));
        var capped = doubled < GatewayLimits.LongestBackoff ? doubled : GatewayLimits.LongestBackoff;
        var spread = capped * (0.5 + 0.5 * Spread(call));
        return !(asked > spread) ? spread : asked > ClockSetBack.LongestPause ? ClockSetBack.LongestPause : asked.Value;
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
