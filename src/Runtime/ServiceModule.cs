using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>
/// A service as its host sees it: a name, and its parts as a list. SQL comes from the module's assembly.
/// </summary>
public interface IServiceModule
{
    /// <summary>One of <see cref="ServiceNames"/>.</summary>
    string Name { get; }

    ServiceParts Build(ServiceContext context);
}

/// <summary>What a service is made of.</summary>
public record ServiceParts
{
    /// <summary>Takes the inbox's messages, in this order within one transaction.</summary>
    public IReadOnlyList<IBatchHandler> Handlers { get; init; } = [];

    /// <summary>What looks at the rows from time to time.</summary>
    public IReadOnlyList<TimedJob> Jobs { get; init; } = [];

    /// <summary>
    /// Loops of the service's own, such as a group commit; each runs until it is cancelled.
    /// </summary>
    public IReadOnlyList<BackgroundLoop> Loops { get; init; } = [];
}

/// <summary>What a host hands a service.</summary>
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
    /// <summary>The service's own inbox, once it is open: for those who hold back while it is full.</summary>
    public Func<int> Backlog { get; init; } = () => 0;

    /// <summary>Any service's inbox, for those who tell operators; see <see cref="ITransport.LookAsync"/>.</summary>
    public Func<string, CancellationToken, Task<QueueState?>> LookAt { get; init; } =
        (_, _) => Task.FromResult<QueueState?>(null);

    /// <summary>See <see cref="ITransport.Trouble"/>.</summary>
    public Func<string?> TransportTrouble { get; init; } = () => null;
}

/// <summary>
/// Handles all messages of its kinds in a batch, in one transaction with every other handler of the service.
/// A refusal is an answer; only what breaks a rule of ours throws, and then the batch is tried again in
/// halves.
/// </summary>
public interface IBatchHandler
{
    /// <summary>The message bodies it takes.</summary>
    IReadOnlyList<Type> Takes { get; }

    /// <summary>1 or more messages, in order of arrival.</summary>
    Task HandleAsync(IReadOnlyList<Message> batch, Work work);
}

/// <summary>
/// A job in its own transaction; it says how many rows it took, and comes again at once while it took a full
/// load.
/// </summary>
/// <param name="Name">Stable, kebab-case.</param>
/// <param name="Interval">Between two looks; null for <see cref="RuntimeOptions.TimerInterval"/>.</param>
/// <param name="RunAsync">Given the work and the most rows to take; returns how many it took.</param>
public sealed record TimedJob(string Name, TimeSpan? Interval, Func<Work, int, Task<int>> RunAsync);

/// <summary>
/// A loop that lives as long as the service. Its end or its exception, before it is cancelled, is fatal and
/// loud.
/// </summary>
public sealed record BackgroundLoop(string Name, Func<CancellationToken, Task> RunAsync);
