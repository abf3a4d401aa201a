using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Process;
using Orderwright.StockService;

namespace Orderwright.Simulation.Tests;

/// <summary>Each attempt at the gateway goes under a key of its own.</summary>
sealed class ChargeWithoutADeterministicKey : Plant
{
    int calls;

    public override IPaymentProvider Wrap(Node node, IPaymentProvider provider) =>
        new AlteredProvider(provider) { Call = (request, ask) => ask(request with { Key = $"{request.Key}.{++calls}" }) };
}

/// <summary>Who gets no answer from the gateway in time takes that for a refusal.</summary>
sealed class InDoubtTreatedAsRefused : Plant
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public override IPaymentProvider Wrap(Node node, IPaymentProvider provider) => new AlteredProvider(provider)
    {
        Call = async (request, ask) =>
        {
            var answer = ask(request);
            return await Task.WhenAny(answer, Task.Delay(Patience, node.Time)) == answer
                && await answer is not GatewayResult.Unknown
                    ? await answer
                    : new GatewayResult.Declined("no_answer", "The gateway did not answer.");
        },
    };
}

/// <summary>Clients are answered, and the coordinator is told, before the order is durable.</summary>
sealed class AcknowledgeBeforeCommit : Plant
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

/// <summary>An undo that comes before its do is answered, and not remembered.</summary>
sealed class UndoWithoutATombstone : Plant
{
    static readonly SqlQuery Forgetful = new(
        "insert_reservations",
        """
        INSERT INTO reservations (order_id, state, code, message, currency, lines, expires_at, created_at, updated_at)
        SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, @now, @now
        FROM json_each(@rows)
        WHERE value ->> 1 <> 'released'
        """);

    public override ITransaction Wrap(Node node, ITransaction transaction) => new AlteredTransaction(transaction, Forgetful);
}

/// <summary>Of two coordinators on one saga, the later one writes over what the other has decided.</summary>
sealed class SagaVersionNotGuarded : Plant
{
    static readonly SqlQuery Careless = new(
        "update_sagas",
        """
        UPDATE sagas
        SET state = @state, step = @step, waiting_for = @waiting_for, code = @code, version = @version,
            facts = COALESCE(@facts, facts), steps = @steps, ended_at = @ended_at, updated_at = @now
        WHERE order_id = @order_id
        """);

    public override ITransaction Wrap(Node node, ITransaction transaction) => new AlteredTransaction(transaction, Careless);
}

/// <summary>The answers under Idempotency-Keys are not kept with what they answer.</summary>
sealed class AnswerNotKept : Plant
{
    static readonly SqlQuery Nothing = new("store_answers", "DELETE FROM idempotency WHERE created_at > @now AND @rows = ''");

    public override ITransaction Wrap(Node node, ITransaction transaction) => new AlteredTransaction(transaction, Nothing);
}

/// <summary>A balance is computed from what it was a moment ago.</summary>
sealed class BalanceReadBeforeItIsLocked : Plant
{
    static readonly TimeSpan Stale = TimeSpan.FromMilliseconds(500);

    readonly Dictionary<string, (DateTimeOffset At, object Rows)> read = [];

    public override ITransaction Wrap(Node node, ITransaction transaction) => new StaleReads(transaction, node, this);

    sealed class StaleReads(ITransaction inner, Node node, BalanceReadBeforeItIsLocked plant) : AlteredTransaction(inner)
    {
        public override async Task<List<T>> QueryAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
        {
            var rows = await base.QueryAsync(query, args, map, cancel);
            if (query.Name != "lock_funds") return rows;
            var asked = string.Join(';', args.Columns.SelectMany(column => column.Values.Cast<object?>()));
            var now = node.World.Pump.Now;
            if (plant.read.TryGetValue(asked, out var before) && now - before.At < Stale) return (List<T>)before.Rows;
            plant.read[asked] = (now, rows);
            return rows;
        }
    }
}

/// <summary>An answer to a step that is not outstanding is taken for the one that is.</summary>
sealed class AnswerForWhicheverStep : Plant
{
    static readonly SqlQuery Saga = new(
        "planted_saga",
        "SELECT order_id, definition_version, version, started_at, ended_at, steps, facts, updated_at FROM sagas WHERE order_id = @id");

    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Coordinator
        ? parts with { Handlers = [.. parts.Handlers.Select(handler => new ByOrderAlone(handler))] }
        : parts;

    sealed class ByOrderAlone(IBatchHandler inner) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => inner.Takes;

        public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            var taken = new List<Message>();
            foreach (var message in batch)
            {
                var known = await work.QueryAsync(Saga, SqlArgs.With("id", message.OrderId), SagaColumns.Read);
                taken.Add(message.Body is StepAnswered answer && known is [var saga] ? Taken(message, answer, saga) : message);
            }
            await inner.HandleAsync(taken, work);
        }

        static Message Taken(Message message, StepAnswered answer, SagaRecord saga)
        {
            var outstanding = saga.State.Outstanding.Select(one => (one.Step.Step, one.Undo)).ToList();
            return outstanding.Count == 0 || outstanding.Contains((message.Step!, answer.Undo))
                ? message
                : message with { Step = outstanding[0].Step, Body = answer with { Undo = outstanding[0].Undo } };
        }
    }
}

/// <summary>The expiry of holds looks in one transaction and writes in the next, without looking again.</summary>
sealed class ExpiryWithoutCompareAndSet : Plant
{
    static readonly SqlQuery Due = new(
        "planted_due",
        """
        SELECT r.order_id, line.value ->> 1, line.value ->> 2
        FROM holds h JOIN reservations r ON r.order_id = h.order_id, json_each(r.lines) AS line
        WHERE h.expires_at <= @before
        """);

    static readonly SqlQuery Expire = new("planted_expire", "UPDATE reservations SET state = 'expired' WHERE order_id = @id");
    static readonly SqlQuery Drop = new("planted_drop", "DELETE FROM holds WHERE order_id = @id");
    static readonly SqlQuery Free = new("planted_free", "UPDATE levels SET reserved = max(0, reserved - @quantity) WHERE sku = @sku");

    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Stock
        ? parts with { Jobs = [.. parts.Jobs.Select(job => job.Name == "expire-holds" ? new Careless().Job : job)] }
        : parts;

    sealed class Careless
    {
        List<(Guid Id, string Sku, long Quantity)> seen = [];

        public TimedJob Job => new("expire-holds", null, RunAsync);

        async Task<int> RunAsync(Work work, int most)
        {
            foreach (var (id, sku, quantity) in seen)
            {
                await work.ExecuteAsync(Expire, SqlArgs.With("id", id));
                await work.ExecuteAsync(Drop, SqlArgs.With("id", id));
                await work.ExecuteAsync(Free, SqlArgs.With("sku", sku).And("quantity", quantity));
            }
            var due = await work.QueryAsync(
                Due, SqlArgs.With("before", work.Now - ExpireHolds.Grace), row => (row.Uuid(0), row.Text(1), row.BigInt(2)));
            var gone = seen.Select(one => one.Id).ToHashSet();
            work.AfterCommit(() => seen = [.. due.Where(one => !gone.Contains(one.Item1))]);
            return 0;
        }
    }
}

/// <summary>Nobody asks again what was not answered.</summary>
sealed class NobodyAsksAgain : Plant
{
    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Coordinator
        ? parts with { Jobs = [.. parts.Jobs.Where(job => job.Name != "resend-due-commands")] }
        : parts;
}

/// <summary>What was put off by a clock that was ahead is not brought forward when that is set right.</summary>
sealed class ClockSetBackIsNotMinded : Plant
{
    public override ServiceParts Alter(Node node, ServiceParts parts) =>
        parts with { Jobs = [.. parts.Jobs.Where(job => job.Name != "mind-the-clock")] };
}

/// <summary>A provider with one thing about it altered.</summary>
sealed class AlteredProvider(IPaymentProvider inner) : IPaymentProvider
{
    public Func<GatewayRequest, Func<GatewayRequest, Task<GatewayResult>>, Task<GatewayResult>> Call { get; init; } =
        (request, ask) => ask(request);

    public string Name => inner.Name;

    public ProviderCapabilities Capabilities => inner.Capabilities;

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, asked => inner.AuthorizeAsync(asked, cancel));

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, asked => inner.CaptureAsync(asked, cancel));

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, asked => inner.VoidAsync(asked, cancel));

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
        Call(request, asked => inner.RefundAsync(asked, cancel));

    public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) => inner.FindAsync(request, cancel);

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        inner.ReadWebhook(headers, body, now);
}

/// <summary>A database with one thing about it altered.</summary>
class AlteredDatabase(IDatabase inner) : IDatabase
{
    public string Engine => inner.Engine;

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) => inner.MigrateAsync(migrations, cancel);

    public virtual Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel) => inner.WriteAsync(work, cancel);

    public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel) => inner.ReadAsync(read, cancel);

    public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.QueryAsync(query, args, map, cancel);

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.StreamAsync(query, args, map, cancel);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

/// <summary>A transaction in which a statement stands in for the one of its name.</summary>
class AlteredTransaction(ITransaction inner, SqlQuery? instead = null) : ITransaction
{
    public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default) =>
        inner.ExecuteAsync(Of(query), args, cancel);

    public Task<HashSet<Guid>> WriteRowsAsync(SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default) =>
        inner.WriteRowsAsync(Of(query), args, key, cancel);

    public void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null) =>
        inner.Defer(Of(query), args, ReferenceEquals(Of(query), query) ? mustTouch : null);

    public virtual Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.QueryAsync(Of(query), args, map, cancel);

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.StreamAsync(Of(query), args, map, cancel);

    SqlQuery Of(SqlQuery query) => query.Name == instead?.Name ? instead : query;
}
