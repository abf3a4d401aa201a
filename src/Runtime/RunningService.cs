using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>
/// Running module: its schema, inbox, timers and loops. The parts are built by the constructor, so that a host can map
/// <see cref="ServiceParts.Routes"/>; nothing runs before <see cref="StartAsync"/>. Owns neither the database nor the transport.
/// </summary>
public sealed partial class RunningService : IAsyncDisposable
{
    static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(20);

    readonly ITransport transport;
    readonly RuntimeOptions options;
    readonly TimeProvider time;
    readonly ILoggerFactory logs;
    readonly ILogger<RunningService> log;
    readonly ServiceContext context;
    readonly Metrics metrics;
    readonly DatabaseWatch watch;
    readonly CancellationTokenSource stopping = new();
    readonly TaskCompletionSource died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly List<Task> loops = [];
    IInbox? inbox;

    public RunningService(
        IServiceModule module, IDatabase database, ITransport transport, RuntimeOptions options,
        IConfiguration configuration, TimeProvider time, IIdSource ids, ILoggerFactory logs)
    {
        this.transport = transport;
        this.options = options;
        this.time = time;
        this.logs = logs;
        log = logs.CreateLogger<RunningService>();
        Name = module.Name;
        metrics = new Metrics(Name);
        var sql = SqlCatalog.Of(module.GetType().Assembly, database.Engine);
        var runtimeSql = SqlCatalog.Of(typeof(RunningService).Assembly, database.Engine);
        watch = new DatabaseWatch(database, runtimeSql, new WallClock(time, options.ClockTolerance), options, time);
        var runner = new BatchRunner(
            Name, database, transport, options, time, ids, metrics, logs.CreateLogger<BatchRunner>(),
            FaultPoints.Read(configuration), watch);
        context = new ServiceContext(
            Name, database, sql, runtimeSql, runner, options, configuration, new ServiceTime(time, watch.Clock), ids, logs)
        {
            Backlog = () => inbox?.Backlog ?? 0,
            LookAt = transport.LookAsync,
            TransportTrouble = () => transport.Trouble,
        };
        Audit = new Audit(Name, database, runtimeSql);
        Parts = module.Build(context);
    }

    public string Name { get; }

    public ServiceParts Parts { get; }

    /// <summary>Audit log of operator actions.</summary>
    public Audit Audit { get; }

    /// <summary>Context shared by the parts of the service.</summary>
    public ServiceContext Context => context;

    /// <summary>
    /// Creation of the service's database, its first migration: tells databases of different installations apart. Null until
    /// the schema is migrated.
    /// </summary>
    public DateTimeOffset? DatabaseSince { get; private set; }

    /// <summary>Messages waiting in the inbox.</summary>
    public int Backlog => context.Backlog();

    /// <summary>
    /// Faults when a loop ends unexpectedly. The service is then incomplete, and the host must stop the process.
    /// </summary>
    public Task Died => died.Task;

    /// <summary>Null when the service is ready; otherwise a sentence with the reason.</summary>
    public string? Trouble =>
        died.Task.Exception?.InnerException is { } fault ? fault.Message
        : inbox is null ? $"{Name} has not started."
        : stopping.IsCancellationRequested ? $"{Name} is stopping."
        : watch.Trouble ?? transport.Trouble;

    /// <summary>Migrates the schema, waiting for an unavailable database; opens the inbox; starts the loops.</summary>
    /// <param name="hostLoops">Loops added by the host.</param>
    /// <param name="cancel">Stops waiting for the database.</param>
    public async Task StartAsync(IReadOnlyList<BackgroundLoop> hostLoops, CancellationToken cancel)
    {
        await PrepareDatabaseAsync(cancel);
        inbox = await transport.OpenInboxAsync(Name, cancel);
        metrics.ShowBacklog(context.Backlog);
        metrics.ShowClock(() => watch.Clock.SkewSeconds, () => watch.Clock.Doubt is null, () => watch.Refusal is null);

        var deadLetters = new DeadLetters(
            Name, context.Runner, context.RuntimeSql, metrics, logs.CreateLogger<DeadLetters>());
        var inboxLoop = new InboxLoop(
            Name, Parts.Handlers, context.Runner, deadLetters, options, metrics, logs.CreateLogger<InboxLoop>());
        var jobs = new TimedJobs(Name, context.Runner, options, time, logs.CreateLogger<TimedJobs>());
        Start(watch.Loop);
        Start(new BackgroundLoop("inbox", token => inboxLoop.RunAsync(inbox, token)));
        foreach (var loop in Parts.Loops.Concat(hostLoops)) Start(loop);
        var houseKeeping = new HouseKeeping(context.RuntimeSql, options, time);
        foreach (var job in Parts.Jobs.Append(houseKeeping.Job)) Start(jobs.LoopOf(job));
        LogStarted(Name, loops.Count);
    }

    /// <inheritdoc cref="StartAsync(IReadOnlyList{BackgroundLoop}, CancellationToken)"/>
    public Task StartAsync(CancellationToken cancel) => StartAsync([], cancel);

    /// <summary>
    /// Accepts no more work, completes running transactions within 20 s and closes the inbox. Unacknowledged messages are
    /// redelivered, here or to another instance.
    /// </summary>
    public async Task StopAsync()
    {
        stopping.Cancel();
        try
        {
            await Task.WhenAll(loops).WaitAsync(DrainTime, time);
        }
        catch (TimeoutException)
        {
            LogNotDrained(Name, DrainTime);
        }
        if (inbox is not null) await inbox.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        metrics.Dispose();
        stopping.Dispose();
    }

    /// <summary>Stops as if the process had died, completing nothing. Only a simulation can continue afterwards.</summary>
    public void Abandon() => metrics.Dispose();

    // The clocks are compared before any job decides by time.
    async Task PrepareDatabaseAsync(CancellationToken cancel)
    {
        for (var failures = 0; ; )
        {
            try
            {
                await context.Database.MigrateAsync(
                    [.. context.RuntimeSql.Migrations, .. context.Sql.Migrations], cancel);
                await watch.CheckAsync(cancel);
                if (await HouseKeeping.LastSeenAsync(context.Database, context.RuntimeSql, cancel) is { } lastSeen)
                    watch.Clock.Resume(lastSeen);
                DatabaseSince = (await context.Database.QueryAsync(
                    context.RuntimeSql["database_since"], SqlArgs.None, row => row.TimeOrNull("since"), cancel))[0];
                return;
            }
            catch (DatabaseUnavailableException error)
            {
                LogWaitsForDatabase(Name, error.Message);
                await Task.Delay(Backoff.Pause(++failures), time, cancel);
            }
        }
    }

    void Start(BackgroundLoop loop) => loops.Add(GuardAsync(loop));

    async Task GuardAsync(BackgroundLoop loop)
    {
        // Starts each loop on the scheduler of the caller: the thread pool, or a simulation's.
        await Task.Yield();
        try
        {
            await loop.RunAsync(stopping.Token);
            if (!stopping.IsCancellationRequested)
                throw new InvalidOperationException("The loop ended although the service was not stopping.");
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            LogLoopDied(Name, loop.Name, error);
            died.TrySetException(
                new InvalidOperationException($"{Name}: the loop {loop.Name} died: {error.Message}", error));
        }
    }

    [LoggerMessage(1041, LogLevel.Information, "{Service} started with {Loops} background loops")]
    partial void LogStarted(string service, int loops);

    [LoggerMessage(1042, LogLevel.Warning, "{Service} is waiting for its database: {Why}")]
    partial void LogWaitsForDatabase(string service, string why);

    [LoggerMessage(1043, LogLevel.Critical, "{Service}: the loop {Loop} died")]
    partial void LogLoopDied(string service, string loop, Exception error);

    [LoggerMessage(1044, LogLevel.Warning, "{Service}: some loops did not end within {DrainTime}")]
    partial void LogNotDrained(string service, TimeSpan drainTime);
}
