using System.Buffers.Binary;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>A saga as it is stored.</summary>
/// <param name="OrderId">Its key.</param>
/// <param name="State">Where the process stands.</param>
/// <param name="Payment">Where the payment stands, as the last answer that counted said.</param>
/// <param name="Facts">The order.</param>
public sealed record SagaRecord(Guid OrderId, SagaState State, PaymentTotals Payment, OrderFacts Facts);

/// <summary>A saga as this instance knows it, and what its row says of it.</summary>
/// <param name="Saga">As it stands.</param>
/// <param name="RowVersion">The version in its row; an earlier one where what happened since was not saved.</param>
/// <param name="MayRunAhead">It wrote the row, which says that it may be behind: the next step need not be saved.</param>
/// <param name="FactsUnsaved">The order's facts changed since.</param>
public sealed record KnownSaga(SagaRecord Saga, long RowVersion, bool MayRunAhead, bool FactsUnsaved = false)
{
    public bool IsAhead => Saga.State.Version > RowVersion;

    /// <summary>
    /// One of which nothing is known but its row. Only who wrote a row may run ahead of it: whoever writes the next one would
    /// not know of another who did.
    /// </summary>
    public static KnownSaga AsStored(SagaRecord saga) => new(saga, saga.State.Version, MayRunAhead: false);
}

/// <summary>What becomes of a saga's row in the small table of timers.</summary>
public enum TimerChange
{
    Keep,
    Add,
    Move,
    Delete,
}

/// <summary>
/// One saga in one batch: takes what happened in order of arrival, and remembers what there is to save (once)
/// and to send. It touches nothing; if the batch is not committed, it never was.
/// </summary>
public sealed class SagaProgress
{
    /// <summary>
    /// A timer may lag behind its saga by so much. Within it, an answer that moves a saga on need not touch
    /// the timer, which fires too early then, decides nothing and moves on by itself.
    /// </summary>
    public static readonly TimeSpan TimerSlack = TimeSpan.FromSeconds(30);

    readonly SagaDefinition definition;
    readonly SagaState before;
    readonly bool rowMayBeBehind;
    readonly bool alone;
    readonly DateTimeOffset now;
    readonly List<(IMessageBody Body, string? Step, int Attempt, DateTimeOffset? Deadline)> commands = [];
    Announcement? told;
    OrderWaiting? waiting;

    SagaProgress(KnownSaga known, DateTimeOffset now, bool alone)
    {
        var saga = known.Saga;
        definition = OrderSaga.Version(saga.State.DefinitionVersion);
        before = State = saga.State;
        (OrderId, Payment, Facts) = (saga.OrderId, saga.Payment, saga.Facts);
        (VersionBefore, rowMayBeBehind, FactsChanged) = (known.RowVersion, known.MayRunAhead, known.FactsUnsaved);
        (this.now, this.alone) = (now, alone);
    }

    public Guid OrderId { get; }

    public SagaState State { get; private set; }

    public PaymentTotals Payment { get; private set; }

    public OrderFacts Facts { get; private set; }

    /// <summary>The order's facts are not as its row has them.</summary>
    public bool FactsChanged { get; private set; }

    /// <summary>As it is to be stored.</summary>
    public SagaRecord Record => new(OrderId, State, Payment, Facts);

    public bool Changed => !ReferenceEquals(State, before);

    /// <summary>
    /// An answer came to what was never asked, as far as is known here: another instance was further on, or this one before it
    /// was started again.
    /// </summary>
    public bool WasOvertaken { get; private set; }

    /// <summary>The version that its row has, as far as is known.</summary>
    public long VersionBefore { get; }

    /// <summary>
    /// Whether the row that is written now is to say that this instance may go on without saving. It must once the saga is
    /// unsure: what it does not know, no row of its says.
    /// </summary>
    public bool MayRunAhead => State.Unsure || (alone && IsGoingWell);

    /// <summary>
    /// It went a step forward, as it should, and its row allows for that: everything would be asked and answered again in the
    /// same way if it were forgotten now.
    /// </summary>
    public bool MaySaveLater => alone && rowMayBeBehind && IsGoingWell;

    /// <summary>As it is known from now on, once it is saved, or without that.</summary>
    public KnownSaga Known(bool saved) => saved
        ? new(Record, State.Version, MayRunAhead)
        : new(Record, VersionBefore, rowMayBeBehind, FactsChanged);

    /// <summary>One that was stored before.</summary>
    public static SagaProgress Of(SagaRecord saga, DateTimeOffset now) => Of(KnownSaga.AsStored(saga), now, alone: false);

    /// <param name="known">One that was stored before.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="alone">No other instance advances sagas, as far as is known; then steps may be saved later.</param>
    public static SagaProgress Of(KnownSaga known, DateTimeOffset now, bool alone) => new(known, now, alone);

    /// <summary>
    /// One that nobody has heard of; null when <paramref name="first"/> cannot be the first word about it.
    /// </summary>
    public static SagaProgress? Begin(Message first, DateTimeOffset now, bool alone = false)
    {
        var order = first.Body switch
        {
            OrderPlaced placed => placed,
            CancelRequested cancel => cancel.Order,
            _ => null,
        };
        if (order is null) return null;
        var state = SagaState.New(OrderSaga.Current, SeedOf(first.OrderId));
        var facts = new OrderFacts(order, first.TraceParent);
        var begun = new SagaRecord(first.OrderId, state, PaymentTotals.None, facts);
        return new(KnownSaga.AsStored(begun), now, alone) { FactsChanged = true };
    }

    public void Take(Message message)
    {
        switch (message.Body)
        {
            case OrderPlaced:
                Decide(new SagaEvent.Started());
                waiting = OrderMessages.WaitingOf(State);
                break;
            case CancelRequested cancel:
                Decide(new SagaEvent.CancelRequested(cancel.Reason));
                break;
            case StepAnswered answer when message.Step is { } step:
                WasOvertaken |= State.Unsure && !answer.Undo && State.Steps.Any(one => one.Step == step && one.Do is null);
                var reply = OrderMessages.ReplyOf(step, answer, Facts);
                Decide(new SagaEvent.Answered(step, answer.Undo, reply), answer);
                if (answer.Outcome == StepOutcome.Waiting && OrderMessages.WaitingOf(State) is { } awaited
                    && awaited != OrderMessages.WaitingOf(before))
                    waiting = awaited;
                break;
        }
    }

    /// <summary>What an operator wants.</summary>
    public void Take(SagaEvent wanted) => Decide(wanted);

    public void LookAtTheClock(bool askNow) => Decide(new SagaEvent.TimerDue(askNow));

    /// <summary>What <see cref="Send"/> sends.</summary>
    public IReadOnlyList<(IMessageBody Body, string? Step, int Attempt, DateTimeOffset? Deadline)> Outgoing =>
        told is { } announcement
            ? [.. commands, (OrderMessages.OutcomeOf(announcement, State, Facts, Payment), null, 1, null)]
            : commands;

    /// <summary>Sends what was decided. Of several outcomes only the last one matters.</summary>
    public void Send(Work work)
    {
        foreach (var (body, step, attempt, deadline) in commands)
            work.Send(OrderId, body, step, attempt, deadline, Facts.TraceParent);
        if (waiting is not null && waiting == OrderMessages.WaitingOf(State))
            work.Send(OrderId, waiting, traceParent: Facts.TraceParent);
        if (told is not { } announcement) return;
        var outcome = OrderMessages.OutcomeOf(announcement, State, Facts, Payment);
        work.Send(OrderId, outcome, traceParent: Facts.TraceParent);
    }

    /// <summary>
    /// What the handlers of messages do with the timer; the timer's own job always sets it.
    /// </summary>
    public TimerChange TimerChange =>
        State.EndedAt is not null ? before.Status.IsOpen() ? TimerChange.Delete : TimerChange.Keep
        : State.NextActionAt is not { } next ? TimerChange.Keep
        : !before.Status.IsOpen() ? TimerChange.Add
        : before.NextActionAt is null || before.NextActionAt > now + TimerSlack && next < before.NextActionAt
            ? TimerChange.Move
        : TimerChange.Keep;

    // Forward, before the pivot, and nothing had to be asked twice.
    bool IsGoingWell
    {
        get
        {
            if (State is not { Status: SagaStatus.Running, Reason: null, CancelReason: null, Pivoted: false }) return false;
            foreach (var step in State.Steps)
                if (step.Undo is not null
                    || step.Do is not (null or { Phase: LegPhase.Completed } or { Phase: LegPhase.Asked, Attempts: 1 }))
                    return false;
            return true;
        }
    }

    void Decide(SagaEvent happened, StepAnswered? answer = null)
    {
        var (state, effects) = Saga.Decide(definition, State, happened, now);
        if (answer is not null && !ReferenceEquals(state, State)) Learn(answer);
        State = state;
        foreach (var effect in effects)
            switch (effect)
            {
                case SagaEffect.Ask ask:
                    Ask(ask);
                    break;
                case SagaEffect.Renew renew:
                    commands.Add((OrderMessages.RenewalOf(renew, now), renew.Step, 1, null));
                    break;
                case SagaEffect.Announce announce:
                    told = announce.What;
                    break;
            }
    }

    // Only from an answer that counted: a late one may know less than what came after it.
    void Learn(StepAnswered answer)
    {
        Payment = answer.Payment ?? Payment;
        if (answer.Priced is null) return;
        var facts = Facts.With(answer.Priced);
        FactsChanged |= !ReferenceEquals(facts, Facts);
        Facts = facts;
    }

    void Ask(SagaEffect.Ask ask)
    {
        if (OrderMessages.CommandOf(ask, Facts, State, now) is { } command)
            commands.Add((command, ask.Step, ask.Attempt, ask.Deadline));
        else
            Decide(new SagaEvent.Answered(ask.Step, ask.Undo, OrderMessages.TotalOutOfRange));
    }

    /// <summary>Where a saga's jitter comes from: the last eight bytes of a UUIDv7 are random.</summary>
    public static long SeedOf(Guid orderId)
    {
        Span<byte> bytes = stackalloc byte[16];
        orderId.TryWriteBytes(bytes);
        return BinaryPrimitives.ReadInt64BigEndian(bytes[8..]);
    }
}

public static class SagaStatusExtensions
{
    /// <summary>Under way, or an open incident: its timer has a row.</summary>
    public static bool IsOpen(this SagaStatus status) =>
        status is SagaStatus.Running or SagaStatus.Waiting or SagaStatus.Compensating or SagaStatus.Failed;
}
