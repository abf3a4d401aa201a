using System.Buffers.Binary;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Change to a saga's row in the small table of timers.</summary>
public enum TimerChange
{
    Keep,
    Add,
    Move,
    Delete,
}

/// <summary>Message sent by a decision.</summary>
public readonly record struct OutgoingMessage(
    IMessageBody Body, string? Step = null, int Attempt = 1, DateTimeOffset? Deadline = null);

/// <summary>
/// Decision on one saga in a batch: takes events in order of arrival, and collects the row to save (once) and the messages to
/// send. Holds no shared state, so an uncommitted batch leaves no trace.
/// </summary>
public sealed class SagaProgress
{
    /// <summary>
    /// Tolerated lag of a timer behind the saga. Within this time, a reply that advances the saga leaves the timer alone:
    /// the timer then fires too early, decides nothing and moves on.
    /// </summary>
    public static readonly TimeSpan TimerSlack = TimeSpan.FromSeconds(30);

    readonly SagaDefinition definition;
    readonly SagaState before;
    readonly DateTimeOffset now;
    readonly List<OutgoingMessage> commands = [];
    Announcement? announced;
    OrderWaiting? waiting;

    SagaProgress(SagaRecord saga, DateTimeOffset now)
    {
        definition = OrderSaga.Version(saga.State.DefinitionVersion);
        (Record, before, this.now) = (saga, saga.State, now);
    }

    /// <summary>The saga as decided so far, as it will be stored.</summary>
    public SagaRecord Record { get; private set; }

    public Guid OrderId => Record.OrderId;

    public SagaState State => Record.State;

    /// <summary>True if the order's facts differ from the row.</summary>
    public bool FactsChanged { get; private set; }

    public bool Changed => !ReferenceEquals(State, before);

    /// <summary>Version of the row before the decision.</summary>
    public long VersionBefore => before.Version;

    /// <summary>Messages of the decision. If several outcomes were announced, only the last is sent.</summary>
    public IEnumerable<OutgoingMessage> Outgoing
    {
        get
        {
            foreach (var command in commands) yield return command;
            if (waiting is not null && waiting == OrderMessages.WaitingOf(State)) yield return new(waiting);
            if (announced is { } outcome) yield return new(OrderMessages.OutcomeOf(outcome, Record));
        }
    }

    /// <summary>Effect of messages on the timer. The timers' own job always sets the timer.</summary>
    public TimerChange TimerChange =>
        State.EndedAt is not null ? before.Status.IsOpen() ? TimerChange.Delete : TimerChange.Keep
        : State.NextActionAt is not { } next ? TimerChange.Keep
        : !before.Status.IsOpen() ? TimerChange.Add
        : before.NextActionAt is null || before.NextActionAt > now + TimerSlack && next < before.NextActionAt
            ? TimerChange.Move
        : TimerChange.Keep;

    /// <summary>Starts from a stored saga.</summary>
    public static SagaProgress Of(SagaRecord saga, DateTimeOffset now) => new(saga, now);

    /// <summary>Starts from a stored saga, and takes messages in order of arrival.</summary>
    public static SagaProgress Of(SagaRecord saga, IEnumerable<Message> messages, DateTimeOffset now)
    {
        var progress = new SagaProgress(saga, now);
        foreach (var message in messages) progress.Take(message);
        return progress;
    }

    /// <summary>
    /// Starts a new saga with the first message that carries the order, and takes the messages after it. Replies that arrive
    /// before the order are dropped. Null if no message carries the order.
    /// </summary>
    public static SagaProgress? Begin(IReadOnlyList<Message> messages, DateTimeOffset now)
    {
        for (var start = 0; start < messages.Count; start++)
        {
            var first = messages[start];
            if ((first.Body as OrderPlaced ?? (first.Body as CancelRequested)?.Order) is not { } order) continue;
            var state = SagaState.New(OrderSaga.Current, SeedOf(first.OrderId));
            var saga = new SagaRecord(first.OrderId, state, PaymentTotals.None, new(order, first.TraceParent), now);
            var progress = new SagaProgress(saga, now) { FactsChanged = true };
            for (var next = start; next < messages.Count; next++) progress.Take(messages[next]);
            return progress;
        }
        return null;
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
                Decide(new SagaEvent.CancelRequested(cancel.Reason, cancel.WasConfirmed));
                break;
            case StepAnswered answer when message.Step is { } step:
                var reply = OrderMessages.ReplyOf(step, answer, Record.Facts);
                Decide(new SagaEvent.Answered(step, answer.Undo, reply), answer);
                if (answer.Outcome == StepOutcome.Waiting && OrderMessages.WaitingOf(State) is { } awaited
                    && awaited != OrderMessages.WaitingOf(before))
                    waiting = awaited;
                break;
        }
    }

    /// <summary>Takes the action of an operator.</summary>
    public void Take(SagaEvent action) => Decide(action);

    public void OnTimer(bool askNow) => Decide(new SagaEvent.TimerDue(askNow));

    public void Send(Work work)
    {
        foreach (var (body, step, attempt, deadline) in Outgoing)
            work.Send(OrderId, body, step, attempt, deadline, Record.Facts.TraceParent);
    }

    void Decide(SagaEvent happened, StepAnswered? answer = null)
    {
        var (state, effects) = Saga.Decide(definition, State, happened, now);
        if (!ReferenceEquals(state, State))
        {
            if (answer is not null) Learn(answer);
            Record = Record with { State = state, UpdatedAt = now };
        }
        foreach (var effect in effects)
            switch (effect)
            {
                case SagaEffect.Ask ask:
                    Ask(ask);
                    break;
                case SagaEffect.Renew renew:
                    commands.Add(new(OrderMessages.RenewalOf(renew, now), renew.Step));
                    break;
                case SagaEffect.Announce announce:
                    announced = announce.Outcome;
                    break;
            }
    }

    // Only from a reply that counted: a late reply may know less than later ones.
    void Learn(StepAnswered answer)
    {
        var facts = answer.Priced is null ? Record.Facts : Record.Facts.With(answer.Priced);
        FactsChanged |= !ReferenceEquals(facts, Record.Facts);
        // Of two totals the later version counts; release 0.1.0 sent none.
        var payment = answer.Payment is { } told && (told.Version == 0 || told.Version >= Record.Payment.Version)
            ? told
            : Record.Payment;
        Record = Record with { Payment = payment, Facts = facts };
    }

    void Ask(SagaEffect.Ask ask)
    {
        if (OrderMessages.CommandOf(ask, Record.Facts, State, now) is { } command)
            commands.Add(new(command, ask.Step, ask.Attempt, ask.Deadline));
        else
            Decide(new SagaEvent.Answered(ask.Step, ask.Undo, OrderMessages.TotalOutOfRange));
    }

    /// <summary>Seed of a saga's jitter: the last eight bytes of a UUIDv7 are random.</summary>
    public static long SeedOf(Guid orderId)
    {
        Span<byte> bytes = stackalloc byte[16];
        orderId.TryWriteBytes(bytes);
        return BinaryPrimitives.ReadInt64BigEndian(bytes[8..]);
    }
}

public static class SagaStatusExtensions
{
    /// <summary>In progress, or an open incident: the saga has a timer row.</summary>
    public static bool IsOpen(this SagaStatus status) =>
        status is SagaStatus.Running or SagaStatus.Waiting or SagaStatus.Compensating or SagaStatus.Failed;
}
