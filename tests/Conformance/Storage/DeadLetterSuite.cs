using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Storage;

/// <summary>Reading and replaying a service's dead letters, and the audit log, on every engine.</summary>
public abstract class DeadLetterSuite(StorageEngine engine) : IAsyncLifetime, ITransport
{
    static readonly Message Charge = new()
    {
        Id = Guid.CreateVersion7(), Source = ServiceNames.Coordinator, OrderId = Guid.CreateVersion7(),
        Time = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), Step = StepNames.AuthorizePayment, Attempt = 3,
        Body = new AuthorizePayment("17850", 600, "GBP", new("sandbox", "tok_secret")),
    };

    readonly List<Message> sent = [];
    readonly CancellationTokenSource stopping = new();
    IDatabase database = null!;
    Audit audit = null!;
    DeadLetterReplay desk = null!;
    Task loops = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync(engine.RuntimeSql.Migrations, default);
        var options = new RuntimeOptions();
        var runner = new BatchRunner(
            ServiceNames.Customer, database, this, options, TimeProvider.System, new IdSource(), new Metrics("test"),
            NullLogger<BatchRunner>.Instance);
        audit = new Audit(ServiceNames.Customer, database, engine.RuntimeSql);
        desk = new DeadLetterReplay(
            new ServiceContext(
                ServiceNames.Customer, database, engine.Sql, engine.RuntimeSql, runner, options,
                new ConfigurationBuilder().Build(), TimeProvider.System, new IdSource(), NullLoggerFactory.Instance),
            audit);
        loops = Task.WhenAll(desk.Loops.Select(loop => loop.RunAsync(stopping.Token)));
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await loops.ContinueWith(_ => { }, TaskScheduler.Default);
        await database.DisposeAsync();
        stopping.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_dead_letter_is_decoded_and_its_payment_token_masked()
    {
        await BuryAsync(Charge.Id, Charge.OrderId, Charge.Type, Text(Charge), "Boom.");
        var letter = Assert.Single(await desk.ListAsync(new(), 10, default));
        Assert.Equal(
            (Charge.Id, ServiceNames.Customer, (Guid?)Charge.OrderId, Charge.Type, "Boom.", true, null),
            (letter.Id, letter.Service, letter.OrderId, letter.Type, letter.Reason, letter.Replayable, letter.Raw));
        Assert.Equal(600, letter.Message!.Value.GetProperty("data").GetProperty("amountMinor").GetInt32());
        Assert.DoesNotContain("tok_secret", letter.Message.Value.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replayed_message_is_sent_to_its_destination_and_audited()
    {
        await BuryAsync(Charge.Id, Charge.OrderId, Charge.Type, Text(Charge), "Boom.");
        Assert.Equal(200, (await desk.PreviewAsync(Charge.Id, default)).Status);
        Assert.Empty(sent);

        var answer = await desk.ReplayAsync(Command(Charge.Id));
        Assert.Equal(200, answer.Status);
        await UntilAsync(() => sent.Count == 1);
        Assert.Equivalent(Charge with { Id = sent[0].Id, Time = sent[0].Time }, sent[0], strict: true);
        Assert.NotEqual(Charge.Id, sent[0].Id);
        Assert.NotNull((await desk.FindAsync(Charge.Id, default))!.ReplayedAt);
        Assert.Empty(await desk.ListAsync(new(OnlyOpen: true), 10, default));
        var entry = Assert.Single(await audit.ListAsync(new(OrderId: Charge.OrderId, Action: "replay"), 10, default));
        Assert.Equal(("local", "mended", $"dead letter {Charge.Id}"), (entry.Actor, entry.Reason, entry.Subject));
    }

    [Fact]
    public async Task An_unreadable_message_is_shown_raw_and_is_not_replayable()
    {
        var id = Guid.CreateVersion7();
        await BuryAsync(id, null, null, "{\"hello\":", "The body is not JSON.");
        var letter = (await desk.FindAsync(id, default))!;
        Assert.Equal((false, "{\"hello\":", null), (letter.Replayable, letter.Raw, letter.Message));
        Assert.Equal(409, (await desk.ReplayAsync(Command(id))).Status);
        Assert.Equal(404, (await desk.ReplayAsync(Command(Guid.CreateVersion7()))).Status);
        Assert.Empty(await audit.ListAsync(new(), 10, default));
    }

    [Theory]
    [InlineData(ServiceNames.Stock)]
    [InlineData(null)]
    public async Task A_message_of_the_wrong_sender_is_shown_and_is_not_replayable(string? source)
    {
        await BuryAsync(Charge.Id, Charge.OrderId, Charge.Type, Text(Charge), "Forged.", source: source);
        await NotReplayableAsync(Charge.Id);
        Assert.NotNull((await desk.FindAsync(Charge.Id, default))!.Message);
    }

    [Fact]
    public async Task A_message_for_another_service_is_shown_and_is_not_replayable()
    {
        var misdirected = Charge with { Body = new CommitStock() };
        await BuryAsync(misdirected.Id, misdirected.OrderId, misdirected.Type, Text(misdirected), "Misdirected.");
        await NotReplayableAsync(misdirected.Id);
    }

    async Task NotReplayableAsync(Guid id)
    {
        Assert.False((await desk.FindAsync(id, default))!.Replayable);
        Assert.Equal(409, (await desk.PreviewAsync(id, default)).Status);
        Assert.Equal(409, (await desk.ReplayAsync(Command(id))).Status);
        Assert.Empty(sent);
    }

    [Fact]
    public async Task Letters_are_listed_newest_first_page_by_page_and_by_their_order()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            // In order of creation, even within a millisecond.
            ids.Add(Guid.CreateVersion7(Charge.Time.AddMilliseconds(i)));
            await BuryAsync(ids[i], Charge.OrderId, "t", "x", "r", Charge.Time.AddSeconds(i / 2));
        }
        await BuryAsync(Guid.CreateVersion7(), Guid.CreateVersion7(), "t", "x", "r", Charge.Time.AddHours(1));

        var filter = new DeadLetterFilter(OrderId: Charge.OrderId);
        var first = await desk.ListAsync(filter, 2, default);
        var second = await desk.ListAsync(filter with { Before = (first[^1].FailedAt, first[^1].Id) }, 10, default);
        Assert.Equal(ids.AsEnumerable().Reverse(), first.Concat(second).Select(letter => letter.Id));
    }

    [Fact]
    public async Task A_long_dead_letter_is_shortened_in_a_list_and_complete_by_id()
    {
        var order = Charge with { Body = new AuthorizePayment("17850", 600, "GBP", new("sandbox", new('t', 10_000))) };
        await BuryAsync(order.Id, order.OrderId, order.Type, Text(order), "Boom.");
        var listed = Assert.Single(await desk.ListAsync(new(), 10, default));
        Assert.Equal((null, null, true), (listed.Message, listed.Raw, listed.Replayable));
        Assert.NotNull((await desk.FindAsync(order.Id, default))!.Message);
    }

    [Fact]
    public async Task The_audit_takes_no_change()
    {
        await database.WriteAsync(
            async transaction =>
            {
                var work = new Work(ServiceNames.Customer, transaction, Charge.Time, new IdSource());
                await audit.AppendAsync(work, [new(work.NewId(), "", work.Now, "a", "retry", null, null, "r", null, null, null)]);
                return true;
            },
            default);
        foreach (var change in new[] { "UPDATE operator_actions SET reason = 'other'", "DELETE FROM operator_actions" })
            await Assert.ThrowsAnyAsync<Exception>(() => database.WriteAsync(
                transaction => transaction.ExecuteAsync(new SqlQuery("test_change", change), SqlArgs.None), default));
        Assert.Equal("r", Assert.Single(await audit.ListAsync(new(), 10, default)).Reason);
    }

    public string? Trouble => null;

    public Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        Assert.Equal(ServiceNames.Customer, service);
        sent.AddRange(messages);
        return Task.CompletedTask;
    }

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) => throw new NotSupportedException();

    Task BuryAsync(Guid id, Guid? orderId, string? type, string raw, string reason, DateTimeOffset? at = null,
        string? source = ServiceNames.Coordinator) =>
        database.WriteAsync(
            transaction => transaction.ExecuteAsync(
                engine.RuntimeSql["insert_dead_letters"],
                SqlArgs.Over([id]).Uuid("id", one => one).UuidOrNull("order_id", _ => orderId).Text("type", _ => type)
                    .Text("source", _ => type is null ? null : source).Text("step", _ => null)
                    .Text("raw", _ => raw).Text("reason", _ => reason).BigInt("failures", _ => 1)
                    .Args.And("now", at ?? Charge.Time)),
            default);

    static string Text(Message message)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(buffer, [message]);
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan[1..^1]);
    }

    static Command<Replay> Command(Guid id) => new(new(id, "mended"), Caller.Local, null, [1]);

    static async Task UntilAsync(Func<bool> holds)
    {
        await Waiting.UntilAsync(holds);
        Assert.True(holds());
    }
}

public sealed class PostgresDeadLetterTests(PostgresEngine engine)
    : DeadLetterSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteDeadLetterTests(SqliteEngine engine) : DeadLetterSuite(engine), IClassFixture<SqliteEngine>;
