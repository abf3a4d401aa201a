using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation.Tests;

/// <summary>A commit whose wait for the standby was cut counts as durable.</summary>
sealed class CutCommitTakenForDurable : PlantedBug
{
    public override IDatabase Wrap(Node node, IDatabase database) => new Trusting(database);

    sealed class Trusting(IDatabase inner) : AlteredDatabase(inner)
    {
        public override async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
        {
            T result = default!;
            try
            {
                return await base.WriteAsync(async transaction => result = await work(transaction), cancel);
            }
            catch (DatabaseUnavailableException error) when (error.Message == NodeDatabase.CommitCut)
            {
                return result;
            }
        }
    }
}

/// <summary>A repeated request is answered from a row that no standby may have.</summary>
sealed class ReplayOfAnUncertainRow : PlantedBug
{
    public override ITransaction Wrap(Node node, ITransaction transaction) => new Hasty(transaction);

    sealed class Hasty(ITransaction inner) : AlteredTransaction(inner)
    {
        public override void MakeReadsDurable()
        {
        }
    }
}

/// <summary>A failed write on a full disk is swallowed.</summary>
sealed class FailedWriteSwallowed : PlantedBug
{
    public override ITransaction Wrap(Node node, ITransaction transaction) => new Careless(transaction);

    sealed class Careless(ITransaction inner) : AlteredTransaction(inner)
    {
        public override async Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default)
        {
            try
            {
                return await base.ExecuteAsync(query, args, cancel);
            }
            catch (DatabaseUnavailableException)
            {
                return 1;
            }
        }

        public override async Task<HashSet<Guid>> WriteRowsAsync(
            SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default)
        {
            try
            {
                return await base.WriteRowsAsync(query, args, key, cancel);
            }
            catch (DatabaseUnavailableException)
            {
                return [.. args.Columns.First(column => column.Name == key).Values.Cast<Guid>()];
            }
        }

        public override void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null)
        {
            try
            {
                base.Defer(query, args, mustTouch);
            }
            catch (DatabaseUnavailableException)
            {
                // Swallowed, like the others.
            }
        }
    }
}

/// <summary>The clock of the process is taken for the clock of the database, so that no deviation is ever seen.</summary>
class DatabaseClockNotAsked : PlantedBug
{
    public override IDatabase Wrap(Node node, IDatabase database) => new Deaf(node, database);

    sealed class Deaf(Node node, IDatabase inner) : AlteredDatabase(inner)
    {
        public override Task<DatabaseState> StateAsync(CancellationToken cancel) =>
            Task.FromResult(new DatabaseState(node.Time.GetUtcNow()));
    }
}

/// <summary>Idempotency-Keys are purged by the clock of the process.</summary>
sealed class KeysPurgedByTheProcessClock : DatabaseClockNotAsked
{
    static readonly TimeSpan Retention = TimeSpan.FromHours(48);

    public override ITransaction Wrap(Node node, ITransaction transaction) => new Careless(node, transaction);

    sealed class Careless(Node node, ITransaction inner) : AlteredTransaction(inner)
    {
        public override Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default) =>
            base.ExecuteAsync(
                query,
                query.Name == "purge_answers"
                    ? SqlArgs.With("before", node.Time.GetUtcNow() - Retention).And("most", 1_000)
                    : args,
                cancel);
    }
}

/// <summary>The sender of a message is not checked.</summary>
sealed class SenderNotChecked : PlantedBug
{
    public override IInbox Wrap(Node node, IInbox inbox) => new Trusting(inbox);

    sealed class Trusting(IInbox inner) : IInbox
    {
        // Deliveries are acknowledged by identity.
        readonly Dictionary<Delivery, Delivery> received = new(ReferenceEqualityComparer.Instance);

        public int Backlog => inner.Backlog;

        public async ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel)
        {
            var taken = new List<Delivery>();
            foreach (var delivery in await inner.ReceiveAsync(maxMessages, cancel))
            {
                var anonymous = delivery with { Sender = null };
                received[anonymous] = delivery;
                taken.Add(anonymous);
            }
            return taken;
        }

        public async ValueTask AcknowledgeAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel)
        {
            await inner.AcknowledgeAsync([.. deliveries.Select(delivery => received[delivery])], cancel);
            foreach (var delivery in deliveries) received.Remove(delivery);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}

/// <summary>A cancellation without a saga ends the order at once, and undoes nothing.</summary>
sealed class CancelUndoesKnownStepsOnly : PlantedBug
{
    static readonly SqlQuery Saga = new("planted_saga", "SELECT 1 AS found FROM sagas WHERE order_id = @id");

    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Coordinator
        ? parts with { Handlers = [.. parts.Handlers.Select(handler => new Careless(handler))] }
        : parts;

    sealed class Careless(IBatchHandler inner) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => inner.Takes;

        public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            var left = new List<Message>();
            foreach (var message in batch)
                if (message.Body is CancelRequested
                    && (await work.QueryAsync(Saga, SqlArgs.With("id", message.OrderId), row => row.Int("found"))).Count == 0)
                    work.Answer(message, new OrderCancelled(PaymentTotals.None, []));
                else
                    left.Add(message);
            await inner.HandleAsync(left, work);
        }
    }
}

/// <summary>stock-service agrees to the close of an order, and leaves the goods allocated.</summary>
sealed class CompletionKeepsTheAllocation : PlantedBug
{
    public override ServiceParts Alter(Node node, ServiceParts parts) => node.Service == ServiceNames.Stock
        ? parts with { Handlers = [.. parts.Handlers.Select(handler => new Careless(handler))] }
        : parts;

    sealed class Careless(IBatchHandler inner) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => inner.Takes;

        public Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            foreach (var message in batch.Where(IsClose)) work.Answer(message, new GoodsShipped(GoodsShipped.Rest));
            return inner.HandleAsync([.. batch.Where(message => !IsClose(message))], work);
        }

        static bool IsClose(Message message) => message.Body is ReleaseUnshipped or ConsumeUnshipped;
    }
}

/// <summary>A report of a payment replaces the one before, whichever is later.</summary>
sealed class PaymentReportsByArrival : PlantedBug
{
    public override ITransaction Wrap(Node node, ITransaction transaction) =>
        node.Service == ServiceNames.Order ? new Forgetful(transaction) : transaction;

    sealed class Forgetful(ITransaction inner) : AlteredTransaction(inner)
    {
        public override Task<List<T>> QueryAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
            base.QueryAsync(query, args, row => map(new WithoutVersion(row)), cancel);
    }

    sealed class WithoutVersion(IRow inner) : IRow
    {
        public long BigInt(string column) => column == "payment_version" ? 0 : inner.BigInt(column);

        public Guid Uuid(string column) => inner.Uuid(column);

        public Guid? UuidOrNull(string column) => inner.UuidOrNull(column);

        public string Text(string column) => inner.Text(column);

        public string? TextOrNull(string column) => inner.TextOrNull(column);

        public int Int(string column) => inner.Int(column);

        public long? BigIntOrNull(string column) => inner.BigIntOrNull(column);

        public bool Bool(string column) => inner.Bool(column);

        public DateTimeOffset Time(string column) => inner.Time(column);

        public DateTimeOffset? TimeOrNull(string column) => inner.TimeOrNull(column);

        public byte[] Bytes(string column) => inner.Bytes(column);

        public byte[]? BytesOrNull(string column) => inner.BytesOrNull(column);
    }
}

/// <summary>customer-service reports a payment that changed outside the order process once, and never again.</summary>
sealed class PaymentReportedOnce : PlantedBug
{
    public override ITransaction Wrap(Node node, ITransaction transaction) =>
        node.Service == ServiceNames.Customer ? new Careless(transaction) : transaction;

    sealed class Careless(ITransaction inner) : AlteredTransaction(inner)
    {
        public override void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null)
        {
            if (query.Name != "save_payment_notifications") base.Defer(query, args, mustTouch);
        }
    }
}

/// <summary>The limit of a key's discounts is not read.</summary>
sealed class DiscountLimitNotRead : PlantedBug
{
    public override Caller Alter(Caller caller) => caller with { MaxDiscount = 100 };
}

/// <summary>An erasure is forgotten after some seconds: the id counts as free.</summary>
sealed class ErasureForgotten : PlantedBug
{
    static readonly TimeSpan Memory = TimeSpan.FromSeconds(6);

    static readonly SqlQuery Forget = new(
        "planted_forget", "UPDATE customers SET erased_at = NULL, erasure_id = NULL WHERE erased_at < @before");

    static readonly SqlQuery ForgetReport =
        new("planted_forget_report", "DELETE FROM erasures WHERE state = 'erased' AND decided_at < @before");

    public override ITransaction Wrap(Node node, ITransaction transaction) =>
        node.Service == ServiceNames.Customer ? new Forgetful(node, transaction) : transaction;

    sealed class Forgetful(Node node, ITransaction inner) : AlteredTransaction(inner)
    {
        public override async Task<List<T>> QueryAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
        {
            if (query.Name == "lock_customers")
            {
                var before = SqlArgs.With("before", node.World.Pump.Now - Memory);
                await ExecuteAsync(Forget, before, cancel);
                await ExecuteAsync(ForgetReport, before, cancel);
            }
            return await base.QueryAsync(query, args, map, cancel);
        }
    }
}
