using System.Collections.Concurrent;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime.Tests;

public sealed class TimedJobsTests
{
    static readonly TimeSpan Often = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan Seldom = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_job_runs_at_the_start_and_again_and_again()
    {
        var runs = 0;
        await using var service = Service(new TimedJob("count", Often, (_, _) => Counted(ref runs)));
        await service.StartAsync();
        await service.EventuallyAsync(() => Volatile.Read(ref runs) >= 3, "A third run");
    }

    [Fact]
    public async Task A_job_without_an_interval_looks_ever_more_rarely_while_nothing_is_due()
    {
        var time = new FastTime(10);
        var found = 0;
        var options = new RuntimeOptions { TimerInterval = TimeSpan.FromMilliseconds(70) };
        await using var service = new TestService(
            _ => new ServiceParts { Jobs = [new("look", null, (_, _) => Task.FromResult(Interlocked.Exchange(ref found, 0)))] },
            options, time: time);
        await service.Running.StartAsync(default);

        foreach (var pause in new[] { 140, 280, 560, 1_000 })
            await service.EventuallyAsync(() => time.Due.Contains(TimeSpan.FromMilliseconds(pause)), $"A pause of {pause} ms");
        Assert.DoesNotContain(options.TimerInterval, time.Due);
        Interlocked.Exchange(ref found, 1);
        await service.EventuallyAsync(() => time.Due.Contains(options.TimerInterval), "The shortest pause, after work");
    }

    [Fact]
    public async Task A_throwing_job_is_rolled_back_and_runs_again()
    {
        var runs = 0;
        TestService? service = null;
        await using var owner = service = Service(new TimedJob("throws-once", Often, async (work, _) =>
        {
            var run = Interlocked.Increment(ref runs);
            await work.ExecuteAsync(service!.Context.Sql["add_notes"], Note(work, $"run {run}"));
            return run == 1 ? throw new InvalidOperationException("The first run fails.") : 0;
        }));
        await service.StartAsync();
        await service.EventuallyAsync(() => Volatile.Read(ref runs) >= 2, "A second run");
        await service.Running.StopAsync();
        Assert.DoesNotContain(await service.NotesAsync(), note => note.Note == "run 1");
        Assert.Contains(await service.NotesAsync(), note => note.Note == "run 2");
        Assert.False(service.Running.Died.IsCompleted);
    }

    [Fact]
    public async Task A_job_waits_for_a_database_that_is_away()
    {
        var runs = 0;
        await using var service = Service(new TimedJob("count", Often, (_, _) => Counted(ref runs)));
        await service.StartAsync();
        service.Database.FailNext(Fault.Away, Fault.AtCommit);
        var before = Volatile.Read(ref runs);
        await service.EventuallyAsync(() => Volatile.Read(ref runs) >= before + 3, "More runs");
    }

    [Fact]
    public async Task A_job_that_took_a_full_load_comes_again_at_once()
    {
        var loads = new ConcurrentQueue<int>([10, 10, 3]);
        await using var service = Service(
            new TimedJob("loads", Seldom, (_, most) =>
            {
                Assert.Equal(10, most);
                return Task.FromResult(
                    loads.TryDequeue(out var load) ? load : throw new InvalidOperationException("Once too often."));
            }),
            new RuntimeOptions { MaxMessages = 10 });
        await service.StartAsync();
        await service.EventuallyAsync(() => loads.IsEmpty, "Three runs");
    }

    [Fact]
    public async Task Answers_under_idempotency_keys_are_forgotten_after_48_hours()
    {
        await using var service = Service();
        await service.Database.MigrateAsync(
            [.. service.Context.RuntimeSql.Migrations, .. service.Context.Sql.Migrations], default);
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (key, age) in new[] { ("fresh", 1), ("yesterday", 47), ("old", 49), ("ancient", 5_000) })
            await service.Context.Runner.RunOnceAsync(
                work => work.ExecuteAsync(
                    service.Context.Sql["add_answer"], SqlArgs.With("key", key).And("at", now.AddHours(-age))),
                default);
        service.Journal.Clear();

        await service.StartAsync();

        Assert.Equal(
            ["fresh", "yesterday"],
            await service.Database.QueryAsync(service.Context.Sql["answer_keys"], SqlArgs.None, row => row.Text("key")));
    }

    [Fact]
    public async Task A_start_with_a_clock_three_days_ahead_purges_no_answer()
    {
        var directory = Directory.CreateTempSubdirectory("orderwright-clock-").FullName;
        try
        {
            var file = Path.Combine(directory, "service.db");
            var time = new AheadTime();
            await using (var first = new TestService(_ => new ServiceParts(), file: file))
            {
                await first.StartAsync();
                await first.Context.Runner.RunOnceAsync(
                    work => work.ExecuteAsync(
                        first.Context.Sql["add_answer"], SqlArgs.With("key", "fresh").And("at", work.Now)),
                    default);
            }
            time.Ahead = TimeSpan.FromDays(3);
            await using var second = new TestService(
                _ => new ServiceParts(), new RuntimeOptions { ClockTolerance = TimeSpan.Zero }, file: file, time: time);
            await second.StartAsync();
            Assert.Equal(
                ["fresh"],
                await second.Database.QueryAsync(second.Context.Sql["answer_keys"], SqlArgs.None, row => row.Text("key")));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_job_that_decides_by_time_pauses_while_the_time_is_uncertain()
    {
        var (decided, resent) = (0, 0);
        var time = new AheadTime();
        await using var service = new TestService(
            _ => new ServiceParts
            {
                Jobs =
                [
                    new("decide", Often, (_, _) => Counted(ref decided)) { NeedsCertainTime = true },
                    new("resend", Often, (_, _) => Counted(ref resent)),
                ],
            },
            time: time);
        await service.StartAsync();
        await service.EventuallyAsync(() => Volatile.Read(ref decided) > 0, "A decision");
        time.Ahead = TimeSpan.FromMinutes(2);
        // The next reading of the clock, by any transaction, notices.
        await service.EventuallyAsync(() => service.Context.Runner.Clock.Doubt is not null, "Doubt");
        var (before, resentBefore) = (Volatile.Read(ref decided), Volatile.Read(ref resent));
        await service.EventuallyAsync(() => Volatile.Read(ref resent) > resentBefore + 10, "More resends");
        // A run may have begun before.
        Assert.InRange(Volatile.Read(ref decided), before, before + 1);
    }

    sealed class AheadTime : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }

    // No row was taken.
    static Task<int> Counted(ref int runs)
    {
        Interlocked.Increment(ref runs);
        return Task.FromResult(0);
    }

    static SqlArgs Note(Work work, string note) =>
        SqlArgs.Over([note]).Uuid("order_id", _ => work.NewId()).Text("note", text => text);

    static TestService Service(TimedJob? job = null, RuntimeOptions? options = null) =>
        new(_ => new ServiceParts { Jobs = job is null ? [] : [job] }, options);
}
