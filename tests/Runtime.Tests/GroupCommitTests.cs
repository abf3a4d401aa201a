using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime.Tests;

public sealed class GroupCommitTests
{
    [Fact]
    public async Task Concurrent_requests_share_a_transaction_and_get_separate_results()
    {
        await using var group = new Group();
        var answers = Enumerable.Range(0, 20).Select(group.Commit.SubmitAsync).ToList();
        await group.StartAsync();
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"done {i}"), await Task.WhenAll(answers));
        Assert.Equal([20], group.Batches);
    }

    [Fact]
    public async Task A_request_that_throws_fails_alone()
    {
        await using var group = new Group { Poison = 13 };
        var answers = Enumerable.Range(0, 20).Select(group.Commit.SubmitAsync).ToList();
        await group.StartAsync();
        for (var i = 0; i < answers.Count; i++)
            if (i == 13)
                Assert.Equal("13 is poison.", (await Assert.ThrowsAsync<InvalidOperationException>(() => answers[i])).Message);
            else
                Assert.Equal($"done {i}", await answers[i]);
        Assert.Equal(19, (await group.Service.NotesAsync()).Count);
    }

    [Fact]
    public async Task One_more_than_may_wait_is_refused_at_once()
    {
        await using var group = new Group(new RuntimeOptions { MaxWaitingRequests = 3 });
        var waiting = Enumerable.Range(0, 3).Select(group.Commit.SubmitAsync).ToList();
        await Assert.ThrowsAsync<OverloadedException>(() => group.Commit.SubmitAsync(3));
        await group.StartAsync();
        Assert.Equal(["done 0", "done 1", "done 2"], await Task.WhenAll(waiting));
    }

    [Fact]
    public async Task A_request_that_got_no_turn_in_time_is_refused_and_never_carried_out()
    {
        await using var group = new Group(new RuntimeOptions { RequestTimeout = TimeSpan.FromMilliseconds(50) });
        var error = await Assert.ThrowsAsync<OverloadedException>(() => group.Commit.SubmitAsync(1));
        Assert.Contains("nothing was done", error.Message, StringComparison.Ordinal);
        await group.StartAsync();
        Assert.Equal("done 2", await Waiting.RetryAsync<string, OverloadedException>(() => group.Commit.SubmitAsync(2)));
        Assert.Single(await group.Service.NotesAsync());
    }

    [Fact]
    public async Task An_answer_comes_after_the_commit()
    {
        await using var group = new Group();
        await group.StartAsync();
        group.Service.Database.FailNext(Fault.AtCommit);
        Assert.Equal("done 1", await group.Commit.SubmitAsync(1));
        Assert.Single(await group.Service.NotesAsync());
        Assert.Equal([1, 1], group.Batches);
    }

    [Fact]
    public async Task A_result_does_not_wait_for_publishing()
    {
        await using var group = new Group { Sends = true };
        await group.StartAsync();
        var stuck = new TaskCompletionSource();
        group.Service.Transport.Stuck = stuck.Task;
        Assert.Equal("done 1", await group.Commit.SubmitAsync(1));
        stuck.SetResult();
    }

    [Fact]
    public async Task Requests_waiting_when_the_service_stops_are_refused()
    {
        await using var group = new Group();
        await group.StartAsync();
        group.Service.Database.FailNext([.. Enumerable.Repeat(Fault.Away, 1_000)]);
        var waiting = group.Commit.SubmitAsync(1);
        await group.Service.Running.StopAsync();
        await Assert.ThrowsAsync<OverloadedException>(() => waiting);
        var late = await Assert.ThrowsAsync<OverloadedException>(() => group.Commit.SubmitAsync(2));
        Assert.Contains("is stopping", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_database_refuses_writes_a_request_is_refused_at_once_and_never_carried_out()
    {
        await using var group = new Group();
        await group.StartAsync();
        group.Service.Database.IsFull = true;
        // The first request finds out.
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => group.Commit.SubmitAsync(1));
        await group.Service.EventuallyAsync(() => group.Service.Running.Trouble is not null, "Trouble");
        Assert.Contains("does not accept writes: The disk is full.", group.Service.Running.Trouble, StringComparison.Ordinal);
        var second = group.Commit.SubmitAsync(2);
        Assert.True(second.IsFaulted, "The request waits.");
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => second);

        group.Service.Database.IsFull = false;
        await group.Service.EventuallyAsync(() => group.Service.Running.Trouble is null, "Recovery");
        Assert.Equal("done 3", await group.Commit.SubmitAsync(3));
        Assert.Equal(["3"], (await group.Service.NotesAsync()).Select(note => note.Note));
    }

    [Fact]
    public async Task A_write_that_stalls_makes_the_service_unready_and_later_requests_fail_at_once()
    {
        await using var group = new Group(new RuntimeOptions { TransactionTimeout = TimeSpan.FromMinutes(1) });
        await group.StartAsync();
        var stalled = new TaskCompletionSource();
        group.Service.Database.Stalled = stalled.Task;
        var first = group.Commit.SubmitAsync(1);
        await group.Service.EventuallyAsync(() => group.Service.Running.Trouble is not null, "Trouble");
        Assert.Contains("has not completed a write for", group.Service.Running.Trouble, StringComparison.Ordinal);
        var second = group.Commit.SubmitAsync(2);
        Assert.True(second.IsFaulted, "The request waits.");
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => second);
        group.Service.Database.Stalled = null;
        stalled.SetResult();
        await group.Service.EventuallyAsync(() => group.Service.Running.Trouble is null, "Recovery");
        await first.ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Equal("done 3", await group.Commit.SubmitAsync(3));
    }

    /// <summary>Service with a single group commit, writing a note per request.</summary>
    sealed class Group : IAsyncDisposable
    {
        public Group(RuntimeOptions? options = null)
        {
            GroupCommit<int, string>? commit = null;
            Service = new TestService(
                context =>
                {
                    commit = new(
                        "notes", (batch, work) => HandleAsync(context, batch, work),
                        context.Runner, context.Options, context.Time);
                    return new ServiceParts { Loops = [commit.Loop] };
                },
                options);
            Commit = commit!;
        }

        public TestService Service { get; }

        public GroupCommit<int, string> Commit { get; }

        public int? Poison { get; init; }

        public bool Sends { get; init; }

        public List<int> Batches { get; } = [];

        public Task StartAsync() => Service.StartAsync();

        public ValueTask DisposeAsync() => Service.DisposeAsync();

        async Task<IReadOnlyList<string>> HandleAsync(ServiceContext context, IReadOnlyList<int> batch, Work work)
        {
            Batches.Add(batch.Count);
            await work.ExecuteAsync(
                context.Sql["add_notes"],
                SqlArgs.Over(batch).Uuid("order_id", _ => work.NewId()).Text("note", i => $"{i}"));
            if (Sends) work.Send(work.NewId(), new ReleaseStock());
            return batch.Any(i => i == Poison)
                ? throw new InvalidOperationException($"{Poison} is poison.")
                : [.. batch.Select(i => $"done {i}")];
        }
    }
}
