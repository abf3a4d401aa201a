using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>Service in the view of a host: a name and a list of parts. SQL is read from the module's assembly.</summary>
public interface IServiceModule
{
    /// <summary>Name out of <see cref="ServiceNames"/>.</summary>
    string Name { get; }

    ServiceParts Build(ServiceContext context);
}

/// <summary>Parts of a service.</summary>
public record ServiceParts
{
    /// <summary>Handlers of the inbox's messages, called in order within a transaction.</summary>
    public IReadOnlyList<IBatchHandler> Handlers { get; init; } = [];

    /// <summary>Timed jobs.</summary>
    public IReadOnlyList<TimedJob> Jobs { get; init; } = [];

    /// <summary>Further loops, such as a group commit; each runs until cancelled.</summary>
    public IReadOnlyList<BackgroundLoop> Loops { get; init; } = [];

    /// <summary>
    /// Runs once the schema is migrated, before anything else of the service, and again after an unavailable database. An
    /// <see cref="InvalidSettingException"/> ends the process.
    /// </summary>
    public Func<CancellationToken, Task> OnStart { get; init; } = _ => Task.CompletedTask;

    /// <summary>Gauges read from the database on request; null for none.</summary>
    public Figures? Figures { get; init; }

    /// <summary>
    /// Adds 0 to the counters, before the first reading of the metrics: a series that is missing cannot be told from a broken
    /// one.
    /// </summary>
    public Action BeginCounters { get; init; } = () => { };

    /// <summary>Runs before a service with a closed fence works again, in the same transaction; null for nothing.</summary>
    public Func<Work, Task>? OnFenced { get; init; }
}

/// <summary>Environment of a service, provided by the host.</summary>
public sealed record ServiceContext(
    string Service,
    IDatabase Database,
    SqlCatalog Sql,
    SqlCatalog RuntimeSql,
    BatchRunner Runner,
    RuntimeOptions Options,
    IConfiguration Configuration,
    TimeProvider Time,
    IIdSource Ids,
    ILoggerFactory Logs)
{
    /// <summary>Messages waiting in the service's own inbox, for throttling while the inbox is full.</summary>
    public Func<int> Backlog { get; init; } = () => 0;

    /// <summary>Looks at any service's inbox, for operator views; see <see cref="ITransport.LookAsync"/>.</summary>
    public Func<string, CancellationToken, Task<QueueState?>> LookAt { get; init; } =
        (_, _) => Task.FromResult<QueueState?>(null);

    /// <summary>See <see cref="ITransport.Events"/>.</summary>
    public IEventExchange? Events { get; init; }

    /// <summary>See <see cref="ITransport.Trouble"/>.</summary>
    public Func<string?> TransportTrouble { get; init; } = () => null;
}

/// <summary>
/// Handles all messages of its kinds in a batch, sharing a transaction with the other handlers of the service. A refusal is a
/// reply. Only a broken invariant throws, and then the batch is retried in halves.
/// </summary>
public interface IBatchHandler
{
    /// <summary>Message bodies taken by the handler.</summary>
    IReadOnlyList<Type> Takes { get; }

    /// <summary>1 or more messages, in order of arrival.</summary>
    Task HandleAsync(IReadOnlyList<Message> batch, Work work);
}

/// <summary>
/// Job with its own transaction. Returns the number of rows taken, and runs again at once after a full load.
/// </summary>
/// <param name="Name">Stable, kebab-case.</param>
/// <param name="Interval">Time between two runs; null for <see cref="RuntimeOptions.TimerInterval"/>.</param>
/// <param name="RunAsync">Receives the work and the maximum number of rows; returns the number of rows taken.</param>
public sealed record TimedJob(string Name, TimeSpan? Interval, Func<Work, int, Task<int>> RunAsync)
{
    /// <summary>
    /// True for a job that expires or deletes by time. Such a job pauses while the time is uncertain, see
    /// <see cref="WallClock.Doubt"/>.
    /// </summary>
    public bool NeedsCertainTime { get; init; }
}

/// <summary>
/// Loop with the lifetime of the service. Ending or throwing before cancellation is fatal for the service.
/// </summary>
public sealed record BackgroundLoop(string Name, Func<CancellationToken, Task> RunAsync);
