using System.Buffers.Binary;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Sagas;
using Orderwright.StepService;

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
        definition = saga.State.Definition;
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
        progress.TakeAll(messages);
        return progress;
    }

    /// <summary>
    /// Starts a new saga with the first message that carries the order, and takes the messages after it. Replies that arrive
    /// before the order are dropped. Null if no message carries the order, see <see cref="SagaBatch.AboutUnknown"/>.
    /// </summary>
    public static SagaProgress? Begin(IReadOnlyList<Message> messages, SagaDefinition current, DateTimeOffset now)
    {
        for (var start = 0; start < messages.Count; start++)
        {
            var first = messages[start];
            if (first.Body is OrderRecalled { Saga: { } repair } && SagaRecovery.Of(repair, null, current, now) is { } recovered)
            {
                recovered.TakeAll(messages.Skip(start + 1));
                return recovered;
            }
            if ((first.Body as OrderPlaced ?? (first.Body as CancelRequested)?.Order) is not { } order) continue;
            var saga = New(first.OrderId, new(order, first.TraceParent, first.TraceState), current, now);
            var progress = new SagaProgress(saga, now) { FactsChanged = true };
            progress.TakeAll(messages.Skip(start));
            return progress;
        }
        return null;
    }

    /// <summary>
    /// Repairs a saga, lost or set back with its database, by facts of the other services. A saga without a version is new.
    /// </summary>
    public static SagaProgress Recover(
        SagaRecord saga, OrderFacts facts, PaymentTotals payment, SagaEvent.Recovered known, DateTimeOffset now)
    {
        var progress = new SagaProgress(saga, now) { FactsChanged = true };
        progress.Record = saga with { Facts = facts, Payment = payment };
        progress.Decide(known);
        return progress;
    }

    /// <summary>A saga that has not started.</summary>
    public static SagaRecord New(Guid orderId, OrderFacts facts, SagaDefinition current, DateTimeOffset now) =>
        new(orderId, SagaState.New(current, SeedOf(orderId)), PaymentTotals.None, facts, now);

    void TakeAll(IEnumerable<Message> messages)
    {
        foreach (var message in messages) Take(message);
    }

    public void Take(Message message)
    {
        if (message.Body is OrderPlaced or CancelRequested && message.ReplyTo != Record.ReplyTo)
            Record = Record with { ReplyTo = message.ReplyTo };
        switch (message.Body)
        {
            case OrderPlaced:
                Decide(new SagaEvent.Started());
                waiting = OrderMessages.WaitingOf(State);
                break;
            case CancelRequested cancel:
                Decide(new SagaEvent.CancelRequested(cancel.Reason, cancel.WasConfirmed));
                break;
            case AskSaga when OrderMessages.EndOfHold(State) is { } end:
                commands.Add(end);
                break;
            case AskSaga:
                Decide(new SagaEvent.TimerDue(MayExpire: false));
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

    public void OnTimer(bool askNow, bool mayExpire = true) => Decide(new SagaEvent.TimerDue(askNow, mayExpire));

    /// <param name="work">Unit of work; everything is sent once it is committed.</param>
    /// <param name="calls">Calls of participants over HTTP.</param>
    public void Send(Work work, TakeCall calls)
    {
        foreach (var (body, step, attempt, deadline) in Outgoing)
            if (body is StepCall call) work.AfterCommit(() => calls(OrderId, call));
            // Only order-service asks about an outcome; commands, which have a step, go to any instance of a participant.
            else
                work.Send(
                    OrderId, body, step, attempt, deadline, Record.Facts.TraceParent,
                    step is null ? Record.ReplyTo : null, Record.Facts.TraceState);
        if (SagaTrace.IsRecorded(Record)) work.AfterCommit(() => SagaTrace.Record(Record, before, Outgoing, now));
    }

    void Decide(SagaEvent happened, StepAnswered? answer = null)
    {
        var (state, effects) = Saga.Decide(State, happened, now);
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
                case SagaEffect.Announce announce when IsNews(happened, announce.Outcome):
                    announced = announce.Outcome;
                    break;
            }
    }

    // The announcement of the pivot told everything, unless a payment step or an outside participant has followed. A lost one is
    // asked for again.
    bool IsNews(SagaEvent happened, Announcement outcome) =>
        happened is not SagaEvent.Answered || outcome != Announcement.Completed || !before.Pivoted
        || definition.Steps.Any(step => step is { ForwardOnly: true, Participant: not ServiceNames.Stock }
            && State[step.Name].Do is { Phase: LegPhase.Completed });

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
        if (OrderMessages.CommandOf(ask, Record.Facts, State) is { } command)
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
