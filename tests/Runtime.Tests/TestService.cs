using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Runtime.Tests;

/// <summary>Service with parts of a test, on SQLite in memory and the in-process transport; both can fail.</summary>
public sealed class TestService : IServiceModule, IAsyncDisposable
{
    static readonly TimeSpan Patience = Waiting.HangLimit;

    readonly Func<ServiceContext, ServiceParts> build;

    public TestService(
        Func<ServiceContext, ServiceParts> build, RuntimeOptions? options = null, string name = ServiceNames.Stock,
        string file = ":memory:", TimeProvider? time = null)
    {
        this.build = build;
        Name = name;
        Options = options ?? new RuntimeOptions { TimerInterval = TimeSpan.FromMilliseconds(20) };
        // Marks would be messages and commits that no test has asked for.
        Options.MarkInterval = TimeSpan.Zero;
        Options.WatchInterval = TimeSpan.FromMilliseconds(50);
        Database = new FaultyDatabase(new SqliteDatabase(file, Options), Journal);
        Transport = new RecordingTransport(new InProcessTransport(Options, TimeProvider.System), Journal);
        Running = new RunningService(
            this, Database, Transport, Options, new ConfigurationBuilder().Build(), time ?? TimeProvider.System, new IdSource(),
            NullLoggerFactory.Instance);
    }

    public string Name { get; }

    public Journal Journal { get; } = new();

    public RuntimeOptions Options { get; }

    public FaultyDatabase Database { get; }

    public RecordingTransport Transport { get; }

    public RunningService Running { get; }

    public ServiceContext Context { get; private set; } = null!;

    public ServiceParts Build(ServiceContext context)
    {
        Context = context;
        return build(context);
    }

    /// <summary>Waits for the purge at the start of every service, and removes the entry from the journal.</summary>
    public async Task StartAsync()
    {
        await Running.StartAsync(default);
        await SeesAsync("commit");
        Journal.Clear();
    }

    public Task SendAsync(params IReadOnlyList<Message> messages) => Transport.PublishAsync(Name, messages, default);

    public Task<List<(Guid Order, string Note)>> NotesAsync() =>
        Database.QueryAsync(Context.Sql["all_notes"], SqlArgs.None, row => (row.Uuid("order_id"), row.Text("note")));

    public Task<List<(Guid? Order, string? Type, string Raw, string Reason, long Failures)>> DeadLettersAsync() =>
        Database.QueryAsync(
            Context.Sql["all_dead_letters"], SqlArgs.None,
            row => (row.UuidOrNull("order_id"), row.TextOrNull("type"), row.Text("raw"), row.Text("reason"),
                row.BigInt("failures")));

    /// <summary>Messages in another service's inbox, or in this service's after the end.</summary>
    public async Task<IReadOnlyList<Message>> WaitingAsync(string service)
    {
        await using var inbox = await Transport.OpenInboxAsync(service, default);
        using var limit = new CancellationTokenSource(Patience);
        return [.. (await inbox.ReceiveAsync(1_000, limit.Token)).SelectMany(delivery => delivery.Messages)];
    }

    /// <summary>Waits for an entry of the journal.</summary>
    public Task SeesAsync(string line) => EventuallyAsync(() => Journal.Lines.Contains(line), $"'{line}'");

    public async Task EventuallyAsync(Func<bool> holds, string what)
    {
        var since = Stopwatch.StartNew();
        while (!holds())
        {
            if (since.Elapsed > Patience)
                Assert.Fail($"{what} did not come about. {Running.Trouble}\n{string.Join('\n', Journal.Lines)}");
            await Task.Delay(2);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Running.DisposeAsync();
        await Transport.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>Writes a note per message and replies; throws for a poisonous order.</summary>
sealed class NoteHandler(ServiceContext context, string note, Type takes, Func<Message, bool>? isPoison = null) : IBatchHandler
{
    public List<int> Batches { get; } = [];

    public IReadOnlyList<Type> Takes => [takes];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        Batches.Add(batch.Count);
        await work.ExecuteAsync(
            context.Sql["add_notes"],
            SqlArgs.Over(batch).Uuid("order_id", message => message.OrderId).Text("note", _ => note));
        // After the write: rolled-back effects must not show.
        if (batch.FirstOrDefault(message => isPoison?.Invoke(message) == true) is { } poison)
            throw new InvalidOperationException($"Order {poison.OrderId} is poison.");
        foreach (var message in batch) work.Answer(message, new StepAnswered(Undo: false, StepOutcome.Completed));
    }
}

static class Commands
{
    public static Message Of(IMessageBody body) => new()
    {
        Id = Guid.CreateVersion7(),
        Source = ServiceNames.Coordinator,
        OrderId = Guid.CreateVersion7(),
        Time = new DateTimeOffset(2026, 1, 31, 9, 30, 0, TimeSpan.Zero),
        Step = StepNames.ReserveStock,
        Body = body,
    };

    public static IReadOnlyList<Message> Many(int count) => [.. Enumerable.Range(0, count).Select(_ => Of(new ReleaseStock()))];
}
