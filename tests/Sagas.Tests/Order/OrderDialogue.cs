using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.SagaCoordinator.Process;
using Orderwright.StepService;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>
/// Saga of one order as a conversation in the services' own messages. Between two messages, the saga goes through the JSON
/// of its row, as in production.
/// </summary>
sealed class OrderDialogue(SagaDefinition? process = null)
{
    SagaDefinition Process { get; } = process ?? OrderSaga.BuiltIn.Definition;

    public static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    public static readonly Guid OrderId = Guid.Parse("0198c8a0-0000-7000-8000-00000000002a");

    public static readonly OrderPlaced Order = new(
        "17850", "GBP", [new(1, "MUG-01", 2, null), new(2, "TEA-03", 1, 450)], -50, new("sandbox", "tok_visa"), false);

    static readonly IReadOnlyList<OrderLine> Priced = [new(1, "MUG-01", 2, 300), new(2, "TEA-03", 1, 450)];

    SagaRecord? stored;

    public DateTimeOffset Now { get; private set; } = Noon;

    public IReadOnlyList<Message> Sent { get; private set; } = [];

    public SagaState State => stored!.State;

    public SagaRecord Stored => stored!;

    public OrderDialogue Placed(OrderPlaced? order = null) => Receives(order ?? Order);

    public OrderDialogue Cancelled() => Receives(new CancelRequested("customer", Order));

    public OrderDialogue Reserved(IReadOnlyList<OrderLine>? priced = null) =>
        Answers(StepNames.ReserveStock, new(false, StepOutcome.Completed, Priced: priced ?? Priced));

    public OrderDialogue Authorized(long captured = 0) => Answers(
        StepNames.AuthorizePayment,
        new(false, StepOutcome.Completed, Payment: new(1_000, captured, 0, false)));

    public OrderDialogue Committed() => Answers(StepNames.CommitStock, new(false, StepOutcome.Completed));

    public OrderDialogue CapturedNow() => Answers(
        StepNames.CapturePayment, new(false, StepOutcome.Completed, Payment: new(1_000, 1_000, 0, false)));

    public OrderDialogue Rejects(string step, string code) =>
        Answers(step, new(false, StepOutcome.Rejected, code, "No."));

    public OrderDialogue Undone(string step, PaymentTotals? payment = null) =>
        Answers(step, new(true, StepOutcome.Completed, Payment: payment));

    public OrderDialogue Answers(string step, StepAnswered answer) => Receives(answer, step);

    public OrderDialogue After(TimeSpan time)
    {
        Now += time;
        return this;
    }

    public OrderDialogue Timer()
    {
        var saga = SagaProgress.Of(stored!, Now);
        saga.OnTimer(askNow: false);
        return Store(saga);
    }

    /// <summary>Resolves a step on behalf of the participant.</summary>
    public OrderDialogue Resolved(string step, bool completed, string? reference = null)
    {
        var saga = SagaProgress.Of(stored!, Now);
        var action = new OperatorAction(OrderId, OperatorVerb.Resolve, "Asked by phone.", step, completed, Reference: reference);
        Assert.Null(OperatorRules.Refuse(stored!.State, action));
        saga.Take(OperatorRules.EventOf(stored.State, action, "ann", OrderId));
        return Store(saga);
    }

    public OrderDialogue Receives(params ReadOnlySpan<IMessageBody> bodies)
    {
        var messages = bodies.ToArray().Select(body => Envelope(body, null)).ToList();
        return Receives(messages);
    }

    public OrderDialogue Sends(params string[] types)
    {
        Assert.Equal(types, Sent.Select(message => message.Body.GetType().Name));
        return this;
    }

    public T SentBody<T>() where T : IMessageBody => Assert.Single(Sent.Select(message => message.Body).OfType<T>());

    public OrderDialogue Is(SagaStatus status)
    {
        Assert.Equal(status, State.Status);
        return this;
    }

    OrderDialogue Receives(IMessageBody body, string? step) => Receives([Envelope(body, step)]);

    OrderDialogue Receives(List<Message> messages)
    {
        return Store(stored is null ? SagaProgress.Begin(messages, Process, Now)! : SagaProgress.Of(stored, messages, Now));
    }

    OrderDialogue Store(SagaProgress saga)
    {
        Sent = Outgoing(saga, Now);
        var blank = SagaState.New(Process, saga.State.Seed) with
        {
            Version = saga.State.Version, StartedAt = saga.State.StartedAt, EndedAt = saga.State.EndedAt,
        };
        var (state, payment) = SagaColumns.ReadSteps(SagaColumns.WriteSteps(saga.State, saga.Record.Payment), blank);
        var facts = SagaColumns.ReadFacts(SagaColumns.WriteFacts(saga.Record.Facts));
        stored = new(OrderId, state, payment, facts, saga.Record.UpdatedAt);
        Assert.Equivalent(saga.Record, stored, strict: true);
        return this;
    }

    /// <summary>Messages of a saga.</summary>
    public static IReadOnlyList<Message> Outgoing(SagaProgress saga, DateTimeOffset now)
    {
        var work = new Work(ServiceNames.Coordinator, new NoTransaction(), now, new IdSource());
        List<StepCall> calls = [];
        saga.Send(work, (_, call) => calls.Add(call));
        foreach (var follow in work.Followers) follow();
        return [
            .. work.Outgoing,
            .. calls.Select(call => new Message
            {
                Id = Guid.CreateVersion7(), Source = ServiceNames.Coordinator, OrderId = OrderId, Time = now, Body = call,
                Step = call.Step, Attempt = call.Attempt, Deadline = call.Deadline,
            }),
        ];
    }

    Message Envelope(IMessageBody body, string? step) => new()
    {
        Id = Guid.CreateVersion7(), Source = "test", OrderId = OrderId, Time = Now, Body = body, Step = step,
        TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };

    sealed class NoTransaction : ITransaction
    {
        public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel) =>
            throw new NotSupportedException("A decision reads nothing.");

        public IAsyncEnumerable<T> StreamAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel) =>
            throw new NotSupportedException("A decision reads nothing.");

        public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel) =>
            throw new NotSupportedException("A decision writes nothing.");

        public Task<HashSet<Guid>> WriteRowsAsync(SqlQuery query, SqlArgs args, string key, CancellationToken cancel) =>
            throw new NotSupportedException("A decision writes nothing.");

        public void Defer(SqlQuery query, SqlArgs args, int? mustTouch) =>
            throw new NotSupportedException("A decision writes nothing.");
    }
}
