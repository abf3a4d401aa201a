using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.Storage.Postgres;

namespace Orderwright.Chaos.Rounds;

/// <summary>A clock that stands until a trial moves it.</summary>
sealed class StandingClock : TimeProvider
{
    long ticks = new DateTimeOffset(2026, 1, 31, 9, 30, 0, TimeSpan.Zero).Ticks;

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref ticks), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}

/// <summary>
/// One instance of a service without its host: the real handlers, rules and SQL on PostgreSQL, told when to do what, so
/// that two of them can be sent at the same rows at the same moment. What a call sends, it returns.
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

    /// <summary>One batch, as the inbox hands it over: tried again as there, and nothing may be poison.</summary>
    public Task<IReadOnlyList<Message>> HandleAsync(IReadOnlyList<Message> batch) =>
        SentByAsync(() => context.Runner.RunAsync(
            batch,
            async (part, work) =>
            {
                foreach (var handler in parts.Handlers)
                    if (part.Where(message => handler.Takes.Contains(message.Body.GetType())).ToList() is { Count: > 0 } its)
                        await handler.HandleAsync(its, work);
            },
            (message, error) => throw new InvalidOperationException($"{message} is poison.", error), default));

    /// <summary>One round of a timed job; a round that loses a race is tried again, as the timer does it.</summary>
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
                    // A deadlock, or a row that another instance had first.
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
        throw new NotSupportedException("It handles what it is given.");

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
        return taken;
    }
}

/// <summary>Messages of a trial.</summary>
static class Say
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

    /// <summary>In parts of <paramref name="size"/>, every other one to the other instance, all at the same time.</summary>
    public static async Task<IReadOnlyList<Message>> AllAtOnceAsync(
        IReadOnlyList<Message> messages, int size, params ServiceInstance[] instances)
    {
        var answers = await Task.WhenAll(messages.Chunk(size).Select(
            (part, i) => Task.Run(() => instances[i % instances.Length].HandleAsync(part))));
        return [.. answers.SelectMany(sent => sent)];
    }
}
