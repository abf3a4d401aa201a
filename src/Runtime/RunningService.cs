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
    readonly IReadOnlyList<Migration> migrations;
    IInbox? inbox;

    int isMeasured;

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
        Fence = new Fence(database, runtimeSql, time);
        watch = new DatabaseWatch(database, runtimeSql, new WallClock(time, options.ClockTolerance), options, time, Fence);
        var runner = new BatchRunner(
            Name, database, transport, options, time, ids, metrics, logs.CreateLogger<BatchRunner>(),
            FaultPoints.Read(configuration), watch, Fence);
        context = new ServiceContext(
            Name, database, sql, runtimeSql, runner, options, configuration, new ServiceTime(time, watch.Clock), ids, logs)
        {
            Backlog = () => inbox?.Backlog ?? 0,
            LookAt = transport.LookAsync,
            Events = transport.Events,
            TransportTrouble = () => transport.Trouble,
        };
        Audit = new Audit(Name, database, runtimeSql);
        migrations = SqlCatalog.MigrationsOf(module, database.Engine);
        Parts = module.Build(context);
    }

    public string Name { get; }

    public ServiceParts Parts { get; }

    /// <summary>Audit log of operator actions.</summary>
    public Audit Audit { get; }

    /// <summary>Closed while the database is behind the other services.</summary>
    public Fence Fence { get; }

    /// <summary>Context shared by the parts of the service.</summary>
    public ServiceContext Context => context;

    /// <summary>
    /// Creation of the service's database, its first migration: tells databases of different installations apart. Null until
    /// the schema is migrated.
    /// </summary>
    public DateTimeOffset? DatabaseSince { get; private set; }

    /// <summary>Messages waiting in the inbox.</summary>
    public int Backlog => context.Backlog();

    /// <summary>This instance and the active one; null for a transport within the process, and while not connected.</summary>
    public InstanceState? Instance => inbox is { Instance: { } name } ? new(name, inbox.ActiveInstance) : null;

    /// <summary>
    /// Faults when a loop ends unexpectedly. The service is then incomplete, and the host must stop the process.
    /// </summary>
    public Task Died => died.Task;

    /// <summary>Null when the service is ready; otherwise a sentence with the reason.</summary>
    public string? Trouble =>
        died.Task.Exception?.InnerException is { } fault ? fault.Message
        : inbox is null ? $"{Name} has not started."
        : stopping.IsCancellationRequested ? $"{Name} is stopping."
        : watch.Trouble ?? Fence.Trouble ?? transport.Trouble;

    /// <summary>Migrates the schema, waiting for an unavailable database; opens the inbox; starts the loops.</summary>
    /// <param name="hostLoops">Loops added by the host.</param>
    /// <param name="cancel">Stops waiting for the database.</param>
    public async Task StartAsync(IReadOnlyList<BackgroundLoop> hostLoops, CancellationToken cancel)
    {
        await PrepareDatabaseAsync(cancel);
        inbox = await transport.OpenInboxAsync(Name, cancel);
        metrics.ShowInbox(context.Backlog, () => inbox?.IsActive == true);
        metrics.ShowFence(() => Fence.IsClosed);
        metrics.ShowClock(() => watch.Clock.SkewSeconds, () => watch.Clock.Doubt is null, () => watch.Refusal is null);

        var deadLetters = new DeadLetters(
            Name, context.Runner, context.RuntimeSql, metrics, logs.CreateLogger<DeadLetters>());
        var marks = options.MarkInterval > TimeSpan.Zero ? new DatabaseMarks(Name, context, Fence) : null;
        var inboxLoop = new InboxLoop(
            Name, marks is null ? Parts.Handlers : [.. Parts.Handlers, marks], context.Runner, deadLetters, options, metrics,
            logs.CreateLogger<InboxLoop>());
        var jobs = new TimedJobs(Name, context.Runner, options, time, logs.CreateLogger<TimedJobs>());
        Start(watch.Loop);
        Start(new StepAside(Name, inbox, watch, options, time, logs.CreateLogger<StepAside>()).Loop);
        Start(new BackgroundLoop("inbox", token => inboxLoop.RunAsync(inbox, token)));
        foreach (var loop in Parts.Loops.Concat(hostLoops)) Start(loop);
        var houseKeeping = new HouseKeeping(context.RuntimeSql, options, time);
        foreach (var job in Parts.Jobs.Append(houseKeeping.Job)) Start(jobs.LoopOf(job));
        if (marks is not null) Start(jobs.LoopOf(marks.Job));
        LogStarted(Name, loops.Count);
    }

    /// <summary>
    /// Lets the service handle messages and jobs again, after the first repairs; requests still wait. Audited. No effect on a
    /// service that works.
    /// </summary>
    public Task ResumeWorkAsync(string actor, string reason, string? traceId) =>
        OpenAsync("resume", () => Fence.HoldsWork, Fence.ResumeAsync, actor, reason, traceId);

    /// <summary>Opens the fence: the database is accepted as it is. Audited. No effect on an open fence.</summary>
    public Task AcceptDatabaseAsync(string actor, string reason, string? traceId) =>
        OpenAsync("accept", () => Fence.IsClosed, Fence.OpenAsync, actor, reason, traceId);

    Task OpenAsync(
        string action, Func<bool> isNeeded, Func<Work, Task> open, string actor, string reason, string? traceId) =>
        context.Runner.RunOnceAsync(
            async work =>
            {
                if (!isNeeded()) return;
                if (Parts.OnFenced is { } prepare) await prepare(work);
                await open(work);
                await Audit.AppendAsync(
                    work, [new(work.NewId(), Name, work.Now, actor, action, null, Name, reason, null, null, traceId)]);
            },
            CancellationToken.None);

    /// <inheritdoc cref="StartAsync(IReadOnlyList{BackgroundLoop}, CancellationToken)"/>
    public Task StartAsync(CancellationToken cancel) => StartAsync([], cancel);

    /// <summary>
    /// Hands the inbox over to another instance, accepts no more work, completes running transactions within 20 s and closes the
    /// inbox. Unacknowledged messages are redelivered, here or to another instance.
    /// </summary>
    public async Task StopAsync()
    {
        if (inbox is not null) await inbox.HandOverAsync();
        stopping.Cancel();
        try
        {
            await Task.WhenAll(loops).WaitAsync(DrainTime, time);
        }
        catch (TimeoutException)
        {
            LogNotDrained(Name, DrainTime);
        }
        await context.Runner.FlushAsync();
        if (inbox is not null) await inbox.DisposeAsync();
    }

    /// <summary>Prepares a reading of the metrics: counters begin at 0, and gauges are read from the database.</summary>
    public async Task MeasureAsync()
    {
        if (Interlocked.Exchange(ref isMeasured, 1) == 0)
        {
            metrics.Begin();
            Parts.BeginCounters();
        }
        if (Parts.Figures is { } figures) await figures.RefreshAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        metrics.Dispose();
        Parts.Figures?.Dispose();
        stopping.Dispose();
    }

    /// <summary>Stops as if the process had died, completing nothing. Only a simulation can continue afterwards.</summary>
    public void Abandon()
    {
        metrics.Dispose();
        Parts.Figures?.Dispose();
    }

    // The clocks are compared before any job decides by time.
    async Task PrepareDatabaseAsync(CancellationToken cancel)
    {
        for (var failures = 0; ; )
        {
            try
            {
                await context.Database.MigrateAsync(migrations, cancel);
                DatabaseSince = (await context.Database.QueryAsync(
                    context.RuntimeSql["database_since"], SqlArgs.None, row => row.TimeOrNull("since"), cancel))[0];
                await watch.CheckAsync(cancel);
                if (await HouseKeeping.LastSeenAsync(context.Database, context.RuntimeSql, cancel) is { } lastSeen)
                    watch.Clock.Resume(lastSeen);
                await Parts.OnStart(cancel);
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

/// <summary>Instance of a service, and the instance that receives the service's messages.</summary>
/// <param name="Name">Name of this instance while connected to the broker: host, process and a random part.</param>
/// <param name="Active">Name of the active instance; null while unknown, at most for some seconds.</param>
public sealed record InstanceState(string Name, string? Active);
