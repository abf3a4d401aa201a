using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Storage;

/// <summary>
/// Requests that share transactions, and their Idempotency-Keys (docs/reference/http-api.md), with the runtime's own
/// statements, on every engine. A command stores a sample and responds with the stored sample.
/// </summary>
public abstract class CommandGroupSuite : IAsyncLifetime
{
    static readonly Caller Ann = new("ann", ChannelSet.Of("main"), Scopes.All);
    static readonly Caller Bob = new("bob", ChannelSet.Of("main"), Scopes.All);
    static readonly RuntimeOptions Options = new() { RequestTimeout = TimeSpan.FromSeconds(30) };

    readonly StorageEngine engine;
    readonly ManualTime time = new();
    readonly CancellationTokenSource stop = new();
    readonly ConcurrentBag<string> handled = [];
    readonly CommandGroup<string> group;
    readonly BatchRunner runner;
    readonly List<Task> loops = [];

    // Every test has its own rows and keys.
    readonly string test = Guid.NewGuid().ToString();
    int answerStatus = 201;

    protected CommandGroupSuite(StorageEngine engine)
    {
        this.engine = engine;
        runner = RunnerOver(engine.Database);
        group = GroupOver(engine.Database, HandleAsync);
    }

    public ValueTask InitializeAsync()
    {
        loops.AddRange(group.Loops.Select(loop => Task.Run(() => loop.RunAsync(stop.Token))));
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        foreach (var loop in loops) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        stop.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_command_gets_its_response_after_the_commit()
    {
        var answer = await group.SubmitAsync(New("a", key: null));
        Assert.Equal((201, "/samples/a", 1L, false), (answer.Status, answer.Location, answer.Version, answer.Replayed));
        Assert.Equal(["a"], await StoredAsync());
    }

    [Fact]
    public async Task Many_commands_at_once_are_each_answered_with_their_own()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => group.SubmitAsync(New($"{n}", key: $"key-{n}"))));
        Assert.Equal(Enumerable.Range(0, 200).Select(n => $"/samples/{n}"), answers.Select(answer => answer.Location));
        Assert.Equal(200, (await StoredAsync()).Count);
        var replays = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => group.SubmitAsync(New($"{n}", key: $"key-{n}"))));
        Assert.All(replays, answer => Assert.True(answer.Replayed));
        Assert.Equal(answers.Select(BodyOf), replays.Select(BodyOf));
        Assert.Equal(200, handled.Count);
    }

    [Fact]
    public async Task The_same_key_and_request_get_the_first_answer_byte_for_byte()
    {
        var first = await group.SubmitAsync(New("Grüße \"1\" 🛒", key: "k"));
        time.Advance(TimeSpan.FromHours(24));
        var second = await group.SubmitAsync(New("Grüße \"1\" 🛒", key: "k"));
        Assert.True(second.Replayed);
        Assert.Equal(BodyOf(first), BodyOf(second));
        Assert.Equal(
            (first.Status, first.ContentType, first.Location, first.Version),
            (second.Status, second.ContentType, second.Location, second.Version));
        Assert.Single(handled);
    }

    [Fact]
    public async Task The_same_key_with_another_request_is_refused()
    {
        await group.SubmitAsync(New("a", key: "k"));
        var refused = await group.SubmitAsync(New("b", key: "k"));
        Assert.Equal(422, refused.Status);
        Assert.Contains("idempotency_key_reused", BodyOf(refused), StringComparison.Ordinal);
        Assert.Equal(["a"], await StoredAsync());
    }

    [Fact]
    public async Task Keys_of_two_callers_never_meet()
    {
        await group.SubmitAsync(New("a", key: "k"));
        var answer = await group.SubmitAsync(New("b", key: "k") with { Caller = Bob });
        Assert.Equal((201, false), (answer.Status, answer.Replayed));
        Assert.Equal(["a", "b"], (await StoredAsync()).Order());
    }

    [Fact]
    public async Task A_refusal_is_stored_under_its_key_as_well()
    {
        answerStatus = 409;
        await group.SubmitAsync(New("a", key: "k"));
        answerStatus = 201;
        var again = await group.SubmitAsync(New("a", key: "k"));
        Assert.Equal((409, true), (again.Status, again.Replayed));
    }

    [Fact]
    public async Task A_server_error_is_not_stored_under_its_key()
    {
        answerStatus = 503;
        Assert.Equal(503, (await group.SubmitAsync(New("a", key: "k"))).Status);
        answerStatus = 201;
        var again = await group.SubmitAsync(New("a", key: "k"));
        Assert.Equal((201, false), (again.Status, again.Replayed));
    }

    [Fact]
    public async Task A_command_that_throws_fails_alone_and_leaves_its_key_free()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async n =>
        {
            try
            {
                return (await group.SubmitAsync(New(n == 7 ? "throw" : $"{n}", key: $"key-{n}"))).Status;
            }
            catch (InvalidOperationException)
            {
                return 500;
            }
        }));
        Assert.Equal(Enumerable.Range(0, 20).Select(n => n == 7 ? 500 : 201), answers);
        Assert.Equal(19, (await StoredAsync()).Count);
        Assert.Equal(
            (201, false),
            await group.SubmitAsync(New("fixed", key: "key-7")) is var answer ? (answer.Status, answer.Replayed) : default);
    }

    [Fact]
    public async Task A_key_with_a_later_response_is_in_flight_until_settled()
    {
        var command = Later("a");
        var accepted = await group.SubmitAsync(command);
        Assert.Equal(201, accepted.Status);
        time.Advance(TimeSpan.FromDays(1)); // a clock that jumps ends no wait
        var meanwhile = await group.SubmitAsync(Later("a"));
        Assert.Equal((409, TimeSpan.FromSeconds(1)), (meanwhile.Status, meanwhile.RetryAfter));
        Assert.Contains("idempotency_key_in_flight", BodyOf(meanwhile), StringComparison.Ordinal);
        Assert.Equal(409, (await group.SubmitAsync(New("a", key: "k"))).Status);

        var final = new Answer(201, Encoding.UTF8.GetBytes("""{"status":"confirmed"}"""), Location: "/samples/a", Version: 3);
        await group.SettleAsync(command, final);
        var after = await group.SubmitAsync(Later("a"));
        Assert.Equal((201, true, 3L), (after.Status, after.Replayed, after.Version));
        Assert.Equal(BodyOf(final), BodyOf(after));
        Assert.Single(handled);
    }

    [Fact]
    public async Task Repeated_requests_of_one_batch_are_told_when_to_retry()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => group.SubmitAsync(Later("a"))));
        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(
            answers.Where(answer => answer.Status != 201),
            answer => Assert.Equal((409, TimeSpan.FromSeconds(1)), (answer.Status, answer.RetryAfter)));
    }

    [Fact]
    public async Task A_key_is_settled_once()
    {
        var command = Later("a");
        await group.SubmitAsync(command);
        await group.SettleAsync(command, new Answer(201, "1"u8.ToArray()));
        await group.SettleAsync(command, new Answer(200, "2"u8.ToArray()));
        var answer = await group.SubmitAsync(Later("a"));
        Assert.Equal((201, "1"), (answer.Status, BodyOf(answer)));
    }

    [Fact]
    public async Task A_key_left_unsettled_by_a_crash_is_answered_at_once()
    {
        var accepted = await group.SubmitAsync(Later("a"));
        // Another process on the same database, as after a restart.
        await using var database = engine.OpenAnother();
        var (restarted, end) = (GroupOver(database, HandleAsync), new CancellationTokenSource());
        var loop = restarted.Loops[0].RunAsync(end.Token);
        var answer = await restarted.SubmitAsync(Later("a"));
        Assert.Equal((201, true, BodyOf(accepted)), (answer.Status, answer.Replayed, BodyOf(answer)));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        end.Dispose();
    }

    [Fact]
    public async Task A_waiting_request_gets_the_response_that_another_instance_has_replayed()
    {
        var command = Later("a");
        var accepted = await group.SubmitAsync(command);
        await using var database = engine.OpenAnother();
        var (other, end) = (GroupOver(database, HandleAsync), new CancellationTokenSource());
        var loop = other.Loops[0].RunAsync(end.Token);
        var repeated = await other.SubmitAsync(Later("a"));
        var late = await group.SettleAsync(command, new Answer(200, "late"u8.ToArray(), Location: "/late", Version: 7));
        Assert.Equal(
            (repeated.Status, BodyOf(repeated), repeated.Location, repeated.Version),
            (late.Status, BodyOf(late), late.Location, late.Version));
        var after = await group.SubmitAsync(Later("a"));
        Assert.Equal((201, true, BodyOf(accepted)), (after.Status, after.Replayed, BodyOf(after)));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        end.Dispose();
    }

    [Fact]
    public async Task A_key_that_is_settled_and_looks_abandoned_at_the_same_moment_has_one_answer()
    {
        await using var database = engine.OpenAnother();
        var (commands, end) = (GroupOver(database, HandleAsync), new CancellationTokenSource());
        var loop = commands.Loops[0].RunAsync(end.Token);
        foreach (var round in Enumerable.Range(0, 20))
        {
            var asked = Enumerable.Range(0, 20)
                .Select(n => New($"{round}-{n}", key: $"{round}-{n}") with { AnswersLater = true }).ToList();
            await Task.WhenAll(asked.Select(group.SubmitAsync));
            var settling = Task.WhenAll(asked.Select(one => group.SettleAsync(one, new Answer(200, "late"u8.ToArray()))));
            // In reverse order, so that neither instance finds all keys untouched.
            var repeating = Task.WhenAll(
                asked.AsEnumerable().Reverse().Select(one => commands.SubmitAsync(one with { AnswersLater = false })));
            var (settled, repeated) = (await settling, await repeating);
            Assert.Equal(settled.Select(BodyOf), repeated.Reverse().Select(BodyOf));
            var after = await Task.WhenAll(asked.Select(one => group.SubmitAsync(one with { AnswersLater = false })));
            Assert.Equal(settled.Select(BodyOf), after.Select(BodyOf));
        }
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        end.Dispose();
    }

    [Fact]
    public async Task Two_instances_with_the_same_key_carry_it_out_once()
    {
        var one = new TaskCompletionSource();
        var two = new TaskCompletionSource();
        var command = New("a", key: "k");
        // Both find the key free before either stores a response: the primary key decides.
        var answers = await Task.WhenAll(RunAsync(one, two), RunAsync(two, one));
        Assert.Equal([201, 201], answers.Select(answer => answer.Status));
        Assert.Equal([false, true], answers.Select(answer => answer.Replayed).Order());
        Assert.Equal(["a"], await StoredAsync());

        async Task<Answer> RunAsync(TaskCompletionSource mine, TaskCompletionSource others)
        {
            await using var database = engine.OpenAnother();
            var commands = GroupOver(database, async (batch, work) =>
            {
                mine.TrySetResult();
                // On SQLite the other instance waits until this one has committed.
                if (engine.Name == "postgres") await others.Task;
                return await HandleAsync(batch, work);
            });
            using var end = new CancellationTokenSource();
            var loop = commands.Loops[0].RunAsync(end.Token);
            var answer = await commands.SubmitAsync(command);
            await end.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
            return answer;
        }
    }

    [Fact]
    public async Task Old_answers_are_purged_a_few_at_a_time_and_young_ones_stay()
    {
        foreach (var n in Enumerable.Range(0, 5)) await group.SubmitAsync(New($"{n}", key: $"old-{n}"));
        time.Advance(TimeSpan.FromHours(1));
        await group.SubmitAsync(New("young", key: "young"));
        var before = time.Now() - TimeSpan.FromMinutes(30);
        // Other tests of the class have left responses as well: purge until nothing old is left.
        while (await PurgeAsync(before, 3) == 3) { }
        Assert.Equal(0, await PurgeAsync(before, 100));
        Assert.True((await group.SubmitAsync(New("young", key: "young"))).Replayed);
        Assert.False((await group.SubmitAsync(New("0", key: "old-0"))).Replayed);
    }

    [Fact]
    public async Task A_dead_letter_is_kept_once_with_a_count_reopened_by_a_failure_and_purged_by_its_last()
    {
        var letters = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).ToArray();
        var first = time.Now();
        await InsertAsync(letters[..2], "first");
        await engine.Database.WriteAsync(
            tx => tx.ExecuteAsync(
                engine.RuntimeSql["mark_replayed"], SqlArgs.OfUuids("id", letters[..1]).And("now", time.Now())),
            default);
        time.Advance(TimeSpan.FromHours(1));
        await InsertAsync([letters[0], letters[2]], "again");
        Assert.Equal(
            [(3, first, time.Now(), "again", null), (1, first, first, "first", null), (2, time.Now(), time.Now(), "again", null)],
            await Task.WhenAll(letters.Select(FindAsync)));

        Assert.Equal(1, await PurgeAsync(first.AddMinutes(30)));
        Assert.Equal(0, await PurgeAsync(first.AddMinutes(30)));
        Assert.Equal(2, await PurgeAsync(first.AddHours(2)));

        async Task<(long, DateTimeOffset, DateTimeOffset, string, DateTimeOffset?)> FindAsync(Guid id) =>
            (await engine.Database.QueryAsync(
                engine.RuntimeSql["dead_letters_by_id"], SqlArgs.OfUuids("id", [id]),
                row => (
                    row.BigInt("failures"), row.Time("failed_at"), row.Time("last_failed_at"), row.Text("raw"),
                    row.TimeOrNull("replayed_at")))).Single();

        Task<int> PurgeAsync(DateTimeOffset before) => engine.Database.WriteAsync(
            tx => tx.ExecuteAsync(
                engine.RuntimeSql["purge_dead_letters"], SqlArgs.With("before", before).And("most", 1_000)),
            default);

        Task<int> InsertAsync(IReadOnlyList<Guid> ids, string raw) => engine.Database.WriteAsync(
            tx => tx.ExecuteAsync(
                engine.RuntimeSql["insert_dead_letters"],
                SqlArgs.Over(ids)
                    .Uuid("id", id => id).UuidOrNull("order_id", id => id == ids[0] ? null : id).Text("type", _ => null)
                    .Text("source", _ => "x").Text("step", _ => null).Text("raw", _ => raw).Text("reason", _ => "why")
                    .BigInt("failures", id => id == letters[1] ? 1 : raw == "first" ? 1 : 2)
                    .Args.And("now", time.Now())),
            default);
    }

    [Fact]
    public async Task The_age_of_rows_never_goes_back()
    {
        var now = time.Now();
        await MarkAsync(now, now.AddDays(-2));
        await MarkAsync(now.AddHours(-1), now.AddDays(-3));
        Assert.Equal(
            (now.AddHours(-1), now.AddDays(-2)),
            (await engine.Database.QueryAsync(
                engine.RuntimeSql["load_clock"], SqlArgs.None, row => (row.Time("seen_at"), row.Time("aged_at")))).Single());

        Task MarkAsync(DateTimeOffset seen, DateTimeOffset aged) => engine.Database.WriteAsync(
            tx => tx.ExecuteAsync(engine.RuntimeSql["mark_clock"], SqlArgs.With("now", seen).And("aged_at", aged)), default);
    }

    [Fact]
    public async Task The_database_replies_with_its_state()
    {
        var before = DateTimeOffset.UtcNow;
        var state = await engine.Database.StateAsync(default);
        Assert.Null(state.Unfit);
        if (engine.Name == "sqlite") Assert.Null(state.Now);
        else Assert.InRange(state.Now!.Value, before.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
    }

    [Fact]
    public async Task A_fence_closes_lets_work_pass_and_opens_for_all_instances()
    {
        var runner = RunnerOver(engine.Database);
        var fence = new Fence(engine.Database, engine.RuntimeSql, time);
        var other = new Fence(engine.Database, engine.RuntimeSql, time);
        await RunAsync(work => fence.CloseAsync(work, "A first reason."));
        await RunAsync(fence.ResumeAsync);
        await other.ReadAsync(default);
        Assert.Equal((true, false), (other.IsClosed, other.HoldsWork));
        Assert.Throws<DatabaseBehindException>(() => other.Ensure(Passage.Requests));
        other.Ensure(Passage.Work);

        await RunAsync(work => fence.CloseAsync(work, "Another reason."));
        await other.ReadAsync(default);
        Assert.True(other.HoldsWork);
        Assert.Equal("database_behind: Another reason.", other.Trouble);
        Assert.Throws<DatabaseBehindException>(() => other.Ensure(Passage.Work));
        other.Ensure(Passage.Repairs);

        await RunAsync(fence.OpenAsync);
        await other.ReadAsync(default);
        Assert.False(other.IsClosed);

        Task RunAsync(Func<Work, Task> act) => runner.RunOnceAsync(
            async work =>
            {
                await act(work);
                return 0;
            },
            default);
    }

    [Fact]
    public async Task A_mark_replaces_the_one_before()
    {
        await SaveAsync(("order-service", 7), ("stock-service", 3));
        await SaveAsync(("order-service", 9));
        Assert.Equal(
            [("order-service", 9), ("stock-service", 3)],
            (await engine.Database.QueryAsync(
                engine.RuntimeSql["load_marks"], SqlArgs.None, row => (row.Text("service"), row.BigInt("mark")))).Order());

        Task SaveAsync(params (string Service, long Mark)[] marks) => engine.Database.WriteAsync(
            tx => tx.ExecuteAsync(
                engine.RuntimeSql["save_marks"],
                SqlArgs.Over(marks).Text("service", mark => mark.Service).BigInt("mark", mark => mark.Mark)),
            default);
    }

    [Fact]
    public async Task The_database_takes_a_probing_write() => Assert.True(await engine.Database.WriteAsync(
        async tx => await tx.ExecuteAsync(engine.RuntimeSql["write_probe"], SqlArgs.With("now", DateTimeOffset.UnixEpoch)) == 1,
        default));

    [Fact]
    public void Every_statement_of_the_runtime_is_run_here_or_among_approvals_dead_letters_and_sessions() => Assert.Equal(
        [
            "append_operator_actions", "approval", "approvals", "approvals_of_customers", "close_fence", "database_since",
            "dead_letters", "dead_letters_by_id", "decide_approvals", "end_session", "ended_sessions", "erase_approvals",
            "expire_approvals", "forget_ended_sessions", "insert_approvals", "insert_dead_letters", "load_answers",
            "load_clock", "load_fence", "load_marks", "lock_approvals", "lock_expired_approvals", "mark_clock",
            "mark_replayed", "open_fence", "operator_actions", "orders_with_pending_approvals", "purge_answers",
            "purge_dead_letters", "resume_behind_fence", "save_marks", "settle_answers", "store_answers", "write_probe",
        ],
        engine.RuntimeSql.Names.Order(StringComparer.Ordinal));

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<string>> batch, Work work)
    {
        if (batch.Any(command => command.Body == "throw")) throw new InvalidOperationException("on purpose");
        await work.ExecuteAsync(
            engine.Sql["insert_samples"],
            Sample.Many(test, [.. batch.Select(command => Sample.New(command.Body) with { Id = work.NewId() })]));
        foreach (var command in batch) work.AfterCommit(() => handled.Add(command.Body));
        return [.. batch.Select(command => new Answer(
            answerStatus, Encoding.UTF8.GetBytes($$"""{"text":"{{command.Body}}","id":"{{work.NewId()}}"}"""),
            Location: $"/samples/{command.Body}", Version: 1))];
    }

    BatchRunner RunnerOver(IDatabase database) => new(
        "conformance", database, new InProcessTransport(Options, time), Options, time, new IdSource(),
        new Metrics("conformance"), NullLogger<BatchRunner>.Instance);

    CommandGroup<string> GroupOver(
        IDatabase database, Func<IReadOnlyList<Command<string>>, Work, Task<IReadOnlyList<Answer>>> handle) => new(
        "store-samples", handle,
        new ServiceContext(
            "conformance", database, engine.Sql, engine.RuntimeSql, RunnerOver(database), Options,
            new ConfigurationBuilder().Build(), time, new IdSource(), NullLoggerFactory.Instance));

    Command<string> New(string body, string? key) => new(
        body, Ann, key is null ? null : $"{test}/{key}", SHA256.HashData(Encoding.UTF8.GetBytes(body)));

    Command<string> Later(string body) => New(body, key: "k") with { AnswersLater = true };

    static string BodyOf(Answer answer) => Encoding.UTF8.GetString(answer.Body.Span);

    async Task<List<string>> StoredAsync() => await engine.Database.QueryAsync(
        engine.Sql["list_samples"], SqlArgs.With("batch", test), row => row.Text("text"));

    Task<int> PurgeAsync(DateTimeOffset before, int most) => runner.RunOnceAsync(
        work => work.ExecuteAsync(engine.RuntimeSql["purge_answers"], SqlArgs.With("before", before).And("most", most)),
        default);

    // Starts at the present time, because the tests of the class share a table ordered by time; only Advance moves the clock.
    sealed class ManualTime : TimeProvider
    {
        long advanced = System.GetUtcNow().UtcTicks;

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref advanced), TimeSpan.Zero);

        public void Advance(TimeSpan by) => Interlocked.Add(ref advanced, by.Ticks);
    }
}

public sealed class PostgresCommandGroup(PostgresEngine engine) : CommandGroupSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteCommandGroup(SqliteEngine engine) : CommandGroupSuite(engine), IClassFixture<SqliteEngine>;
