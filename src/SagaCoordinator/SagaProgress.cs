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
    readonly DateTimeOffset now;
    readonly List<(IMessageBody Body, string? Step, int Attempt, DateTimeOffset? Deadline)> commands = [];
    Announcement? told;
    OrderWaiting? waiting;

    SagaProgress(SagaRecord saga, DateTimeOffset now)
    {
        definition = OrderSaga.Version(saga.State.DefinitionVersion);
        before = State = saga.State;
        (OrderId, Payment, Facts) = (saga.OrderId, saga.Payment, saga.Facts);
        this.now = now;
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

    /// <summary>The version of the row that this builds on.</summary>
    public long VersionBefore => before.Version;

    /// <summary>One that was stored before.</summary>
    public static SagaProgress Of(SagaRecord saga, DateTimeOffset now) => new(saga, now);

    /// <summary>
    /// One that nobody has heard of; null when <paramref name="first"/> cannot be the first word about it.
    /// </summary>
    public static SagaProgress? Begin(Message first, DateTimeOffset now)
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
        return new(begun, now) { FactsChanged = true };
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
