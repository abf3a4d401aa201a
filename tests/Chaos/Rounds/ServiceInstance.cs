using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.Storage.Postgres;

namespace Orderwright.Chaos.Rounds;

/// <summary>A clock advanced only by a trial.</summary>
sealed class ManualClock : TimeProvider
{
    long ticks = new DateTimeOffset(2026, 1, 31, 9, 30, 0, TimeSpan.Zero).Ticks;

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref ticks), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}

/// <summary>
/// An instance of a service without its host: the real handlers, rules and SQL on PostgreSQL, driven step by step, so that
/// two instances meet on the same rows at the same moment. A call returns the messages sent.
/// </summary>
sealed class ServiceInstance : ITransport, IAsyncDisposable
{
    readonly AsyncLocal<List<Message>?> sent = new();
    readonly PostgresDatabase database;
    readonly Metrics metrics;
    readonly ServiceContext context;
    readonly ServiceParts parts;

    public ServiceInstance(IServiceModule module, string address, TimeProvider clock)
    {
        var options = new RuntimeOptions();
        database = new PostgresDatabase(address, module.Name, options);
        metrics = new Metrics(module.Name);
        var ids = new IdSource();
        var runner = new BatchRunner(
            module.Name, database, this, options, clock, ids, metrics, NullLogger<BatchRunner>.Instance);
        context = new ServiceContext(
            module.Name, database, new SqlCatalog(module.GetType().Assembly, database.Engine),
            new SqlCatalog(typeof(IDatabase).Assembly, database.Engine), runner, options,
            new ConfigurationBuilder().Build(), clock, ids, NullLoggerFactory.Instance);
        parts = module.Build(context);
    }

    public Task MigrateAsync() =>
        database.MigrateAsync([.. context.RuntimeSql.Migrations, .. context.Sql.Migrations], default);

    /// <summary>Handles a batch as the inbox does, with retries; no message may be poison.</summary>
    public Task<IReadOnlyList<Message>> HandleAsync(IReadOnlyList<Message> batch) =>
        SentByAsync(() => context.Runner.RunAsync(
            batch,
            async (part, work) =>
            {
                foreach (var handler in parts.Handlers)
                    if (part.Where(message => handler.Takes.Contains(message.Body.GetType())).ToList() is { Count: > 0 } handled)
                        await handler.HandleAsync(handled, work);
            },
            (message, error) => throw new InvalidOperationException($"{message} is poison.", error), default));

    /// <summary>Runs a timed job once; a run that loses a race is retried, as by the timer.</summary>
    public Task<IReadOnlyList<Message>> RunJobAsync(string name, int most) =>
        SentByAsync(async () =>
        {
            var job = parts.Jobs.Single(job => job.Name == name);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await context.Runner.RunOnceAsync(work => job.RunAsync(work, most), default);
                    return;
                }
                catch (Exception) when (attempt < 5)
                {
                    // A deadlock, or a row changed first by the other instance.
                }
            }
        });

    public Task<List<T>> QueryAsync<T>(string sql, Func<IRow, T> map) =>
        database.QueryAsync(new SqlQuery($"trial {sql.GetHashCode()}", sql), SqlArgs.None, map);

    public Task ExecuteAsync(string sql) => database.WriteAsync(
        write => write.ExecuteAsync(new SqlQuery($"trial {sql.GetHashCode()}", sql), SqlArgs.None), default);

    public string? Trouble => null;

    public Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        if (sent.Value is { } taken)
            lock (taken) taken.AddRange(messages);
        return Task.CompletedTask;
    }

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) =>
        throw new NotSupportedException("Batches are passed in directly.");

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        metrics.Dispose();
    }

    async Task<IReadOnlyList<Message>> SentByAsync(Func<Task> run)
    {
        var taken = new List<Message>();
        sent.Value = taken;
        await run();
        await context.Runner.FlushAsync();
        return taken;
    }
}

/// <summary>Builds the messages of a trial.</summary>
static class TrialMessages
{
    public static Message That(Guid orderId, IMessageBody body, string? step, int attempt, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(),
        Source = "trial",
        OrderId = orderId,
        Time = now,
        Body = body,
        Step = step,
        Attempt = attempt,
    };

    /// <summary>Sends batches of <paramref name="size"/> to alternating instances, all concurrently.</summary>
    public static async Task<IReadOnlyList<Message>> AllAtOnceAsync(
        IReadOnlyList<Message> messages, int size, params ServiceInstance[] instances)
    {
        var answers = await Task.WhenAll(messages.Chunk(size).Select(
            (part, i) => Task.Run(() => instances[i % instances.Length].HandleAsync(part))));
        return [.. answers.SelectMany(sent => sent)];
    }
}
