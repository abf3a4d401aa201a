using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime.Transport;
using Orderwright.SagaCoordinator;

namespace Orderwright.Conformance.Coordinator;

/// <summary>
/// A coordinator whose inbox and clock are the test's: it hears what it is told, its jobs run when they are
/// asked to, and what it sends is kept. Several over one address are several instances of the service.
/// </summary>
sealed class TestCoordinator : IAsyncDisposable, ITransport
{
    readonly CountingDatabase database;
    readonly ServiceContext context;
    readonly HttpParts parts;
    readonly List<Message> sent = [];
    readonly CancellationTokenSource stopping = new();
    IReadOnlyList<Task> loops = [];
    WebApplication? web;
    HttpClient? client;

    TestCoordinator(IDatabase inner, TestClock clock)
    {
        database = new CountingDatabase(inner);
        Clock = clock;
        var runner = new BatchRunner(
            ServiceNames.Coordinator, database, this, Options, clock, new IdSource(), new Metrics("test"),
            NullLogger<BatchRunner>.Instance);
        context = new ServiceContext(
            ServiceNames.Coordinator, database, new SqlCatalog(typeof(SagaModule).Assembly, inner.Engine),
            new SqlCatalog(typeof(IDatabase).Assembly, inner.Engine), runner, Options,
            new ConfigurationBuilder().Build(), clock, new IdSource(), NullLoggerFactory.Instance)
        {
            Backlog = () => Backlog,
            LookAt = (_, _) => Task.FromResult<QueueState?>(new(3, 1)),
            TransportTrouble = () => "The broker is away.",
        };
        parts = new SagaModule().Build(context);
        Store = new SagaStore(context.Sql);
    }

    /// <param name="engine">On which.</param>
    /// <param name="address">Its database.</param>
    /// <param name="clock">Moves only when told.</param>
    public static async Task<TestCoordinator> StartAsync(StorageEngine engine, string address, TestClock clock)
    {
        var coordinator = new TestCoordinator(engine.Open(address), clock);
        await coordinator.database.MigrateAsync(
            [.. coordinator.context.RuntimeSql.Migrations, .. coordinator.context.Sql.Migrations], default);
        return coordinator;
    }

    /// <summary>Its API on a port of its own, for a caller who may do everything.</summary>
    public async Task<HttpClient> ServeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        web = builder.Build();
        web.UseRouting();
        web.Use(next => http =>
        {
            Caller.Set(http, Caller.Local);
            return next(http);
        });
        parts.Routes(web);
        await web.StartAsync();
        loops = [.. parts.Loops.Select(loop => loop.RunAsync(stopping.Token))];
        return client = new HttpClient { BaseAddress = new Uri(web.Urls.Single() + "/api/v1/") };
    }

    public RuntimeOptions Options { get; } = new();

    public TestClock Clock { get; }

    public int Backlog { get; set; }

    public SagaStore Store { get; }

    public Audit Audit => new(ServiceNames.Coordinator, database, context.RuntimeSql);

    /// <summary>Statements of the last batch or job.</summary>
    public IReadOnlyList<string> Statements => database.Statements;

    /// <summary>One batch; returns what is sent.</summary>
    public Task<IReadOnlyList<Message>> HearsAsync(params IReadOnlyList<Message> batch) =>
        RunAsync(async work =>
        {
            foreach (var handler in parts.Handlers) await handler.HandleAsync(batch, work);
        });

    /// <summary>What was sent since a batch, a job or this was last asked for.</summary>
    public IReadOnlyList<Message> TakeSent()
    {
        lock (sent)
        {
            IReadOnlyList<Message> taken = [.. sent];
            sent.Clear();
            return taken;
        }
    }

    /// <summary>A round of the timers; returns what is sent.</summary>
    public Task<IReadOnlyList<Message>> LooksAtTheClockAsync(int most = 1_000) =>
        RunAsync(work => JobOf("ask-again").RunAsync(work, most));

    /// <summary>Looks for timers that a clock which was ahead has set.</summary>
    public Task MindsTheClockAsync() => RunAsync(work => JobOf("mind-the-clock").RunAsync(work, 1));

    TimedJob JobOf(string name) => parts.Jobs.Single(job => job.Name == name);

    /// <summary>As after a start: the first look, at everything outstanding.</summary>
    public async Task<IReadOnlyList<Message>> SweepsAsync(int most = 1_000)
    {
        await LooksAtTheClockAsync(most);
        Clock.Now += AskAgain.FirstLookAfter;
        return await LooksAtTheClockAsync(most);
    }

    public Task<T> WriteAsync<T>(Func<Work, Task<T>> work) => context.Runner.RunOnceAsync(work, default);

    public async Task<SagaRow?> RowAsync(Guid orderId) =>
        (await database.QueryAsync(
            new SqlQuery("test_saga", TestSql.Row), SqlArgs.With("order_id", orderId),
            row => new SagaRow(
                row.Text(0), row.TextOrNull(1), row.TextOrNull(2), row.TextOrNull(3), row.BigInt(4), row.TimeOrNull(5),
                row.BigInt(6) > 0, row.TimeOrNull(7)),
            default)).SingleOrDefault();

    /// <summary>As if a build to come had written it.</summary>
    public Task SpoilAsync(Guid orderId) => WriteAsync(work => work.ExecuteAsync(
        new SqlQuery("test_spoil", "UPDATE sagas SET definition_version = 99 WHERE order_id = @order_id"),
        SqlArgs.With("order_id", orderId)));

    public string? Trouble => null;

    public Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        lock (sent) sent.AddRange(messages);
        return Task.CompletedTask;
    }

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) =>
        throw new NotSupportedException("It hears what it is told.");

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        if (web is not null) await web.DisposeAsync();
        await stopping.CancelAsync();
        await Task.WhenAll(loops).ContinueWith(_ => { }, TaskScheduler.Default);
        stopping.Dispose();
        await database.DisposeAsync();
    }

    async Task<IReadOnlyList<Message>> RunAsync(Func<Work, Task> work)
    {
        sent.Clear();
        database.Statements.Clear();
        await context.Runner.RunOnceAsync(work, default);
        lock (sent) return [.. sent];
    }
}

/// <summary>What stands in <c>sagas</c> and <c>saga_timers</c> about one order.</summary>
sealed record SagaRow(
    string State, string? Step, string? WaitingFor, string? Code, long Version, DateTimeOffset? EndedAt, bool HasTimer,
    DateTimeOffset? DueAt);

static class TestSql
{
    public const string Row =
        """
        SELECT s.state, s.step, s.waiting_for, s.code, s.version, s.ended_at,
            (SELECT count(*) FROM saga_timers t WHERE t.order_id = s.order_id),
            (SELECT t.due_at FROM saga_timers t WHERE t.order_id = s.order_id)
        FROM sagas s
        WHERE s.order_id = @order_id
        """;
}

sealed class TestClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>Notes the names of the statements that pass through it.</summary>
sealed class CountingDatabase(IDatabase inner) : IDatabase
{
    public List<string> Statements { get; } = [];

    public string Engine => inner.Engine;

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        inner.MigrateAsync(migrations, cancel);

    public Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel) =>
        inner.WriteAsync(transaction => work(new Counting(transaction, Statements)), cancel);

    public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel) => inner.ReadAsync(read, cancel);

    public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel) =>
        inner.QueryAsync(query, args, map, cancel);

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel) =>
        inner.StreamAsync(query, args, map, cancel);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    sealed class Counting(ITransaction inner, List<string> statements) : ITransaction
    {
        public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel)
        {
            statements.Add(query.Name);
            return inner.QueryAsync(query, args, map, cancel);
        }

        public IAsyncEnumerable<T> StreamAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel)
        {
            statements.Add(query.Name);
            return inner.StreamAsync(query, args, map, cancel);
        }

        public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel)
        {
            statements.Add(query.Name);
            return inner.ExecuteAsync(query, args, cancel);
        }

        public Task<HashSet<Guid>> WriteRowsAsync(SqlQuery query, SqlArgs args, string key, CancellationToken cancel)
        {
            statements.Add(query.Name);
            return inner.WriteRowsAsync(query, args, key, cancel);
        }

        public void Defer(SqlQuery query, SqlArgs args, int? mustTouch)
        {
            statements.Add(query.Name);
            inner.Defer(query, args, mustTouch);
        }
    }
}
