using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Process;
using Orderwright.StepService;

namespace Orderwright.Simulation.Tests;

/// <summary>Every attempt at the gateway uses a new key.</summary>
sealed class ChargeWithoutADeterministicKey : PlantedBug
{
    int calls;

    public override IPaymentProvider Wrap(Node node, IPaymentProvider provider) =>
        new AlteredProvider(provider) { Call = (request, call) => call(request with { Key = $"{request.Key}.{++calls}" }) };
}

/// <summary>A gateway time-out is treated as a refusal.</summary>
sealed class InDoubtTreatedAsRefused : PlantedBug
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public override IPaymentProvider Wrap(Node node, IPaymentProvider provider) => new AlteredProvider(provider)
    {
        Call = async (request, call) =>
        {
            var result = call(request);
            return await Task.WhenAny(result, Task.Delay(Patience, node.Time)) == result
                && await result is not GatewayResult.Unknown
                    ? await result
                    : new GatewayResult.Declined("no_answer", "The gateway did not answer.");
        },
    };
}

/// <summary>Clients and the coordinator receive the reply before the order is durable.</summary>
sealed class AcknowledgeBeforeCommit : PlantedBug
{
    static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);

    public override IDatabase Wrap(Node node, IDatabase database) =>
        node.Service == ServiceNames.Order ? new LazyDatabase(node, database) : database;

    sealed class RolledBackException : Exception;

    sealed class LazyDatabase(Node node, IDatabase inner) : AlteredDatabase(inner)
    {
        public override async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
        {
            T result = default!;
            try
            {
                await base.WriteAsync<T>(
                    async transaction =>
                    {
                        result = await work(transaction);
                        throw new RolledBackException();
                    },
                    cancel);
            }
            catch (RolledBackException)
            {
                _ = FlushAsync(work);
            }
            return result;
        }

        async Task FlushAsync<T>(Func<ITransaction, Task<T>> work)
        {
            await Task.Delay(FlushEvery, node.Time);
            await base.WriteAsync(work, CancellationToken.None);
        }
    }
}

/// <summary>An undo arriving before the command is answered but leaves no tombstone.</summary>
sealed class UndoWithoutATombstone : PlantedBug
{
    static readonly SqlQuery Forgetful = new(
        "insert_reservations",
        """
        INSERT INTO reservations (order_id, state, code, message, currency, lines, created_at, updated_at)
        SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, @now, @now
        FROM json_each(@rows)
        WHERE value ->> 1 <> 'released'
        """);

    public override ITransaction Wrap(Node node, ITransaction transaction) => new AlteredTransaction(transaction, Forgetful);
}

/// <summary>The later of two coordinators overwrites the decision of the other.</summary>
class SagaVersionNotGuarded : PlantedBug
{
    protected static readonly SqlQuery Careless = new(
        "update_sagas",
        """
        UPDATE sagas
        SET state = @state, step = @step, waiting_for = @waiting_for, code = @code, version = @version,
            facts = COALESCE(@facts, facts), steps = @steps, ended_at = @ended_at, updated_at = @now
        WHERE order_id = @order_id
        """);

    public override ITransaction Wrap(Node node, ITransaction transaction) => new AlteredTransaction(transaction, Careless);
}

/// <summary>Responses are not stored under the Idempotency-Key.</summary>
sealed class ResponseNotStored : PlantedBug
{
    static readonly SqlQuery Nothing = new("store_answers", "DELETE FROM idempotency WHERE created_at > @now AND @rows = ''");

    public override ITransaction Wrap(Node node, ITransaction transaction) => new AlteredTransaction(transaction, Nothing);
}

/// <summary>A balance is computed from an earlier read.</summary>
sealed class BalanceReadBeforeLock : PlantedBug
{
    static readonly TimeSpan Stale = TimeSpan.FromMilliseconds(500);

    readonly Dictionary<string, (DateTimeOffset At, object Rows)> read = [];

    public override ITransaction Wrap(Node node, ITransaction transaction) => new StaleReads(transaction, node, this);

    sealed class StaleReads(ITransaction inner, Node node, BalanceReadBeforeLock bug) : AlteredTransaction(inner)
    {
        public override async Task<List<T>> QueryAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
        {
            var rows = await base.QueryAsync(query, args, map, cancel);
            if (query.Name != "lock_funds") return rows;
            var key = string.Join(';', args.Columns.SelectMany(column => column.Values.Cast<object?>()));
            var now = node.World.Pump.Now;
            if (bug.read.TryGetValue(key, out var before) && now - before.At < Stale) return (List<T>)before.Rows;
            bug.read[key] = (now, rows);
            return rows;
        }
    }
}

/// <summary>A reply to any step is taken for a reply to the outstanding step.</summary>
sealed class ReplyToAnyStep : PlantedBug
{
    static readonly SqlQuery Saga = new(
        "planted_saga",
        "SELECT order_id, definition_version, version, started_at, ended_at, steps, facts, updated_at " +
        "FROM sagas WHERE order_id = @id");

    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Coordinator
        ? parts with { Handlers = [.. parts.Handlers.Select(handler => new MatchByOrder(handler))] }
        : parts;

    sealed class MatchByOrder(IBatchHandler inner) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => inner.Takes;

        public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            var taken = new List<Message>();
            foreach (var message in batch)
            {
                var known = await work.QueryAsync(
                    Saga, SqlArgs.With("id", message.OrderId),
                    row => SagaColumns.Read(row, _ => OrderSaga.BuiltIn.Definition));
                taken.Add(message.Body is StepAnswered answer && known is [var saga] ? Taken(message, answer, saga) : message);
            }
            await inner.HandleAsync(taken, work);
        }

        static Message Taken(Message message, StepAnswered answer, SagaRecord saga)
        {
            var outstanding = saga.State.Outstanding.Select(step => (step.Step.Step, step.Undo)).ToList();
            return outstanding.Count == 0 || outstanding.Contains((message.Step!, answer.Undo))
                ? message
                : message with { Step = outstanding[0].Step, Body = answer with { Undo = outstanding[0].Undo } };
        }
    }
}

/// <summary>The coordinator releases every hold that it is asked about, also the hold of a saga that is under way.</summary>
sealed class LivingHoldReleased : PlantedBug
{
    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Coordinator
        ? parts with { Handlers = [.. parts.Handlers.Select(handler => new Careless(handler))] }
        : parts;

    sealed class Careless(IBatchHandler inner) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => inner.Takes;

        public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            foreach (var asked in batch.Where(message => message.Body is AskSaga))
                work.Send(asked.OrderId, new ReleaseStock(), StepNames.ReserveStock);
            if (batch.Where(message => message.Body is not AskSaga).ToList() is { Count: > 0 } others)
                await inner.HandleAsync(others, work);
        }
    }
}

/// <summary>A commit leaves the hold in the table of holds: the coordinator is asked about it without end.</summary>
sealed class CommittedHoldKept : PlantedBug
{
    static readonly SqlQuery Forgetful = new(
        "delete_holds",
        """
        DELETE FROM holds
        WHERE order_id = @order_id AND (SELECT state FROM reservations r WHERE r.order_id = @order_id) <> 'committed'
        """);

    public override ITransaction Wrap(Node node, ITransaction transaction) => new AlteredTransaction(transaction, Forgetful);
}

/// <summary>A shipment that overtakes the commit of its order is refused, as if the goods were not the order's.</summary>
sealed class OvertakingShipmentRefused : PlantedBug
{
    static readonly SqlQuery State = new("planted_state", "SELECT state FROM reservations WHERE order_id = @id");

    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Stock
        ? parts with { Handlers = [.. parts.Handlers.Select(handler => new Strict(handler))] }
        : parts;

    sealed class Strict(IBatchHandler inner) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => inner.Takes;

        public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            var taken = new List<Message>();
            foreach (var message in batch)
                if (message.Body is ShipGoods ship && await work.QueryAsync(
                    State, SqlArgs.With("id", message.OrderId), row => row.Text("state")) is [ReservationStates.Held])
                    work.Answer(message, new FulfilmentRefused(
                        ReasonCodes.NotAllocated, "The goods are not allocated to the order.", ship.Fulfilment));
                else taken.Add(message);
            if (taken.Count > 0) await inner.HandleAsync(taken, work);
        }
    }
}

/// <summary>Unanswered commands are never resent.</summary>
sealed class NoResend : PlantedBug
{
    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Coordinator
        ? parts with { Jobs = [.. parts.Jobs.Where(job => job.Name != "resend-due-commands")] }
        : parts;
}

/// <summary>Work scheduled by a fast clock is not rescheduled once the clock is corrected.</summary>
sealed class ClockSkewNotRepaired : PlantedBug
{
    public override ServiceParts Alter(Node node, ServiceParts parts) =>
        parts with { Jobs = [.. parts.Jobs.Where(job => job.Name != "repair-clock-skew")] };
}

/// <summary>A provider with an altered behaviour.</summary>
sealed class AlteredProvider(IPaymentProvider inner) : IPaymentProvider
{
    public Func<GatewayRequest, Func<GatewayRequest, Task<GatewayResult>>, Task<GatewayResult>> Call { get; init; } =
        (request, call) => call(request);

    public Func<GatewayRequest, Func<GatewayRequest, Task<GatewayResult>>, Task<GatewayResult>> LookUp { get; init; } =
        (request, lookUp) => lookUp(request);

    public string Name => inner.Name;

    public ProviderCapabilities Capabilities => inner.Capabilities;

    public IChargeList? Charges => inner.Charges;

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, altered => inner.AuthorizeAsync(altered, cancel));

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, altered => inner.CaptureAsync(altered, cancel));

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, altered => inner.VoidAsync(altered, cancel));

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, altered => inner.RefundAsync(altered, cancel));

    public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) =>
        LookUp(request, altered => inner.FindAsync(altered, cancel));

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        inner.ReadWebhook(headers, body, now);
}

/// <summary>The decision of a customer is not found by look-ups.</summary>
sealed class ApprovalNotFound : PlantedBug
{
    public override IPaymentProvider Wrap(Node node, IPaymentProvider provider) => new AlteredProvider(provider)
    {
        LookUp = async (request, lookUp) => await lookUp(request) switch
        {
            GatewayResult.Succeeded approved => new GatewayResult.ActionRequired(approved.Reference, "https://bank.example"),
            var result => result,
        },
    };
}

/// <summary>A database with an altered behaviour.</summary>
class AlteredDatabase(IDatabase inner) : IDatabase
{
    public string Engine => inner.Engine;

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        inner.MigrateAsync(migrations, cancel);

    public virtual Task<DatabaseState> StateAsync(CancellationToken cancel) => inner.StateAsync(cancel);

    public virtual Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel) =>
        inner.WriteAsync(work, cancel);

    public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel) => inner.ReadAsync(read, cancel);

    public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.QueryAsync(query, args, map, cancel);

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.StreamAsync(query, args, map, cancel);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

/// <summary>A transaction with a replaced statement.</summary>
class AlteredTransaction(ITransaction inner, SqlQuery? instead = null) : ITransaction
{
    public virtual void MakeReadsDurable() => inner.MakeReadsDurable();

    public virtual Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default) =>
        inner.ExecuteAsync(Replaced(query), args, cancel);

    public virtual Task<HashSet<Guid>> WriteRowsAsync(
        SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default) =>
        inner.WriteRowsAsync(Replaced(query), args, key, cancel);

    public virtual void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null) =>
        inner.Defer(Replaced(query), args, ReferenceEquals(Replaced(query), query) ? mustTouch : null);

    public virtual Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.QueryAsync(Replaced(query), args, map, cancel);

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.StreamAsync(Replaced(query), args, map, cancel);

    SqlQuery Replaced(SqlQuery query) => query.Name == instead?.Name ? instead : query;
}

/// <summary>Each call of an outside participant has a key of its own.</summary>
sealed class NewKeyForEachCall : PlantedBug
{
    int calls;

    public override string KeyOf(Guid orderId, StepCall call) => $"{call.KeyOf(orderId)}/{++calls}";
}

/// <summary>The undo of an outside step is taken for done without a call.</summary>
sealed class OutsideUndoSkipped : PlantedBug
{
    public override bool SkipsUndo(StepCall call) => call.Undo;
}
