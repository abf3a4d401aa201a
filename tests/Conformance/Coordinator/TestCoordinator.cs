using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.SagaCoordinator;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Conformance.Coordinator;

/// <summary>
/// Coordinator with an inbox and a clock under the control of the test. Jobs run on request, and sent messages are kept.
/// Several over one address are several instances of the service.
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

    TestCoordinator(
        IDatabase inner, TestClock clock, IReadOnlyDictionary<string, string?> settings, TimeSpan clockTolerance)
    {
        database = new CountingDatabase(inner);
        Clock = clock;
        var runtimeSql = new SqlCatalog(typeof(IDatabase).Assembly, inner.Engine);
        var runner = new BatchRunner(
            ServiceNames.Coordinator, database, this, Options, clock, new IdSource(), new Metrics("test"),
            NullLogger<BatchRunner>.Instance, faults: null,
            new DatabaseWatch(database, runtimeSql, new WallClock(clock, clockTolerance), Options, clock));
        context = new ServiceContext(
            ServiceNames.Coordinator, database, new SqlCatalog(typeof(SagaModule).Assembly, inner.Engine), runtimeSql, runner,
            Options,
            new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), clock, new IdSource(), NullLoggerFactory.Instance)
        {
            Backlog = () => Backlog,
            LookAt = (_, _) => Task.FromResult<QueueState?>(new(3, 1)),
            TransportTrouble = () => "The broker is unavailable.",
        };
        parts = new SagaModule().Build(context);
        Store = new SagaStore(context.Sql, new ProcessVersions(OrderSaga.BuiltIn, _ => null, context));
    }

    /// <param name="engine">Database engine.</param>
    /// <param name="address">Address of the database.</param>
    /// <param name="clock">Advances only on request.</param>
    /// <param name="settings">Settings without their prefix; null for none.</param>
    /// <param name="clockTolerance">Jump of the clock after which the time is uncertain; zero for none.</param>
    public static async Task<TestCoordinator> StartAsync(
        StorageEngine engine, string address, TestClock clock, IReadOnlyDictionary<string, string?>? settings = null,
        TimeSpan clockTolerance = default)
    {
        var coordinator = new TestCoordinator(
            engine.Open(address), clock, settings ?? new Dictionary<string, string?>(), clockTolerance);
        await coordinator.database.MigrateAsync(
            [.. coordinator.context.RuntimeSql.Migrations, .. coordinator.context.Sql.Migrations], default);
        return coordinator;
    }

    /// <summary>Does what a service does before anything else: stores the process, and checks the orders in flight.</summary>
    public Task BeginAsync() => parts.OnStart(default);

    /// <summary>Serves the API on a free port, to a caller with all scopes.</summary>
    public async Task<HttpClient> ServeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        web = builder.Build();
        web.UseRouting();
        web.Use(next => http =>
        {
            var channels = http.Request.Headers["X-Channels"].ToString();
            Caller.Set(http, Caller.Local with { Channels = ChannelSet.Of((channels is "" ? "*" : channels).Split(',')) });
            return next(http);
        });
        parts.Routes(web);
        await web.StartAsync();
        loops = [.. parts.Loops.Select(loop => loop.RunAsync(stopping.Token))];
        return client = new HttpClient { BaseAddress = new Uri(web.Urls.Single() + "/api/v1/") };
    }

    public RuntimeOptions Options { get; } = new();

    /// <summary>Decisions about operations that wait; the service has to serve.</summary>
    public DecideApprovals Approvals => parts.Approvals!;

    public TestClock Clock { get; }

    public int Backlog { get; set; }

    public SagaStore Store { get; }

    public Audit Audit => new(ServiceNames.Coordinator, database, context.RuntimeSql);

    /// <summary>Names of the statements of the last batch or job.</summary>
    public IReadOnlyList<string> Statements => database.Statements;

    /// <summary>Handles one batch; returns the messages sent.</summary>
    public Task<IReadOnlyList<Message>> ReceiveAsync(params IReadOnlyList<Message> batch) =>
        RunAsync(async work =>
        {
            foreach (var handler in parts.Handlers)
                if (batch.Where(message => handler.Takes.Contains(message.Body.GetType())).ToList() is { Count: > 0 } taken)
                    await handler.HandleAsync(taken, work);
        });

    /// <summary>Takes the messages sent since the last batch, job or call.</summary>
    public IReadOnlyList<Message> TakeSent()
    {
        lock (sent)
        {
            IReadOnlyList<Message> taken = [.. sent];
            sent.Clear();
            return taken;
        }
    }

    /// <summary>Runs the timers once; returns the messages sent.</summary>
    public Task<IReadOnlyList<Message>> RunTimersAsync(int most = 1_000) =>
        RunAsync(work => JobOf("resend-due-commands").RunAsync(work, most));

    /// <summary>Runs the job that brings forward timers set by a clock that was ahead.</summary>
    public Task RepairClockAsync() => RunAsync(work => JobOf("repair-clock-skew").RunAsync(work, 1));

    /// <summary>Compares the incidents with those that were told; 1 if a notice is being sent now.</summary>
    public Task<int> PrepareNoticeAsync() => WriteAsync(work => JobOf("send-notices").RunAsync(work, 1));

    TimedJob JobOf(string name) => parts.Jobs.Single(job => job.Name == name);

    /// <summary>Runs the sweep after a start: resends everything outstanding.</summary>
    public async Task<IReadOnlyList<Message>> SweepAsync(int most = 1_000)
    {
        await RunTimersAsync(most);
        Clock.Now += ResendDueCommands.StartDelay;
        return await RunTimersAsync(most);
    }

    public Task<T> WriteAsync<T>(Func<Work, Task<T>> work) => context.Runner.RunOnceAsync(work, default);

    /// <summary>Version of the row of notices, which rises when a notice is stored and when its outcome is.</summary>
    public async Task<long> NoticeVersionAsync() =>
        (await database.QueryAsync(context.Sql["incident_notice"], SqlArgs.None, row => row.BigInt("version"), default)).Single();

    public async Task<SagaRow?> RowAsync(Guid orderId) =>
        (await database.QueryAsync(
            new SqlQuery("test_saga", TestSql.Row), SqlArgs.With("order_id", orderId),
            row => new SagaRow(
                row.Text("state"), row.TextOrNull("step"), row.TextOrNull("waiting_for"), row.TextOrNull("code"),
                row.BigInt("version"), row.TimeOrNull("ended_at"), row.BigInt("timers") > 0, row.TimeOrNull("due_at")),
            default)).SingleOrDefault();

    /// <summary>Makes the row unreadable, as if a later build had written the row.</summary>
    public Task CorruptAsync(Guid orderId) => WriteAsync(work => work.ExecuteAsync(
        new SqlQuery("test_spoil", "UPDATE sagas SET definition_version = 99 WHERE order_id = @order_id"),
        SqlArgs.With("order_id", orderId)));

    public string? Trouble => null;

    public Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        lock (sent) sent.AddRange(messages);
        return Task.CompletedTask;
    }

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) =>
        throw new NotSupportedException("The test delivers the messages.");

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
        await context.Runner.FlushAsync();
        lock (sent) return [.. sent];
    }
}

/// <summary>Rows of one order in <c>sagas</c> and <c>saga_timers</c>.</summary>
sealed record SagaRow(
    string State, string? Step, string? WaitingFor, string? Code, long Version, DateTimeOffset? EndedAt, bool HasTimer,
    DateTimeOffset? DueAt);

static class TestSql
{
    public const string Row =
        """
        SELECT s.state, s.step, s.waiting_for, s.code, s.version, s.ended_at,
            (SELECT count(*) FROM saga_timers t WHERE t.order_id = s.order_id) AS timers,
            (SELECT t.due_at FROM saga_timers t WHERE t.order_id = s.order_id) AS due_at
        FROM sagas s
        WHERE s.order_id = @order_id
        """;
}

sealed class TestClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>Database that records the names of all statements.</summary>
sealed class CountingDatabase(IDatabase inner) : IDatabase
{
    public List<string> Statements { get; } = [];

    public string Engine => inner.Engine;

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        inner.MigrateAsync(migrations, cancel);

    public Task<DatabaseState> StateAsync(CancellationToken cancel) => inner.StateAsync(cancel);

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
