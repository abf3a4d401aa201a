using System.Text;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime.Tests;

public sealed class InboxLoopTests
{
    static TestService Service(Func<Message, bool>? isPoison = null, RuntimeOptions? options = null) =>
        new(
            context => new ServiceParts
            {
                Handlers =
                [
                    new NoteHandler(context, "first", typeof(ReleaseUnshipped)),
                    new NoteHandler(context, "second", typeof(ReleaseStock), isPoison),
                ],
            },
            options);

    [Fact]
    public async Task A_batch_is_committed_then_published_then_acknowledged()
    {
        await using var service = Service();
        await service.StartAsync();
        await service.SendAsync(Commands.Many(50));
        await service.SeesAsync("acknowledge 50");
        // The publish may be recorded after its own effects.
        Assert.Equal(
            ["commit", "publish 50 to saga-coordinator", "acknowledge 50"],
            service.Journal.Lines.Where(line => line != "publish 50 to stock-service"));
    }

    [Fact]
    public async Task Replies_go_to_the_instances_that_asked()
    {
        await using var service = Service();
        await service.StartAsync();
        string?[] instances = ["a-1", "b-2", null, "a-1"];
        await service.SendAsync([.. instances.Select(instance => Commands.Of(new ReleaseStock()) with { ReplyTo = instance })]);
        await service.SeesAsync("acknowledge 4");
        Assert.Equal(
            ["publish 1 to saga-coordinator", "publish 1 to saga-coordinator", "publish 2 to saga-coordinator"],
            service.Journal.Lines.Where(line => line.Contains("saga-coordinator", StringComparison.Ordinal)).Order());
        var replies = await service.WaitingAsync(ServiceNames.Coordinator);
        Assert.Equal(instances.Order(), replies.Select(reply => reply.To).Order());
    }

    [Fact]
    public async Task Handlers_run_in_the_modules_order_with_messages_in_order_of_arrival()
    {
        await using var service = Service();
        Message[] sent =
        [
            Commands.Of(new ReleaseStock()), Commands.Of(new ReleaseUnshipped([])),
            Commands.Of(new ReleaseStock()), Commands.Of(new ReleaseUnshipped([])),
        ];
        await service.StartAsync();
        await service.SendAsync(sent);
        await service.SeesAsync("acknowledge 4");
        Assert.Equal(
            [(sent[1].OrderId, "first"), (sent[3].OrderId, "first"), (sent[0].OrderId, "second"), (sent[2].OrderId, "second")],
            await service.NotesAsync());
    }

    [Fact]
    public async Task A_poison_message_becomes_a_dead_letter_and_99_others_are_handled()
    {
        var sent = Commands.Many(100);
        var poison = sent[42];
        await using var service = Service(message => message.OrderId == poison.OrderId);
        await service.StartAsync();
        await service.SendAsync(sent);
        await service.SeesAsync("acknowledge 100");

        var notes = await service.NotesAsync();
        Assert.Equal(
            sent.Where(message => message != poison).Select(message => message.OrderId).Order(),
            notes.Select(note => note.Order).Order());
        var letter = Assert.Single(await service.DeadLettersAsync());
        Assert.Equal(poison.OrderId, letter.Order);
        Assert.Equal("orderwright.stock.release.v1", letter.Type);
        Assert.Contains("is poison", letter.Reason, StringComparison.Ordinal);
        Assert.Equal(poison, Assert.Single(CloudEventsBatch.Read(Encoding.UTF8.GetBytes($"[{letter.Raw}]"), default).Messages));
        await AnsweredAsync(service, 99);
    }

    [Fact]
    public async Task Nothing_is_acknowledged_or_published_before_the_commit()
    {
        await using var service = Service();
        await service.StartAsync();
        service.Database.FailNext(Fault.AtCommit, Fault.Away);
        await service.SendAsync(Commands.Many(3));
        await service.SeesAsync("acknowledge 3");

        // A probe may have committed before the batch.
        Assert.Equal(
            ["publish 3 to stock-service", "commit", "publish 3 to saga-coordinator", "acknowledge 3"],
            service.Journal.Lines.Where((line, i) => i == 0 || line != service.Journal.Lines[i - 1]));
        Assert.Equal(3, (await service.NotesAsync()).Count);
        Assert.Empty(await service.DeadLettersAsync());
    }

    [Fact]
    public async Task A_batch_runs_again_after_a_lost_commit_reply()
    {
        await using var service = Service();
        await service.StartAsync();
        service.Database.FailNext(Fault.AnswerLost);
        await service.SendAsync(Commands.Many(1));
        await service.SeesAsync("acknowledge 1");
        // The handler of this test is not idempotent, unlike a service's.
        Assert.Equal(2, (await service.NotesAsync()).Count);
    }

    [Fact]
    public async Task Messages_that_the_service_stops_before_handling_come_again()
    {
        await using var service = Service();
        await service.StartAsync();
        service.Database.FailNext([.. Enumerable.Repeat(Fault.Away, 1_000)]);
        await service.SendAsync(Commands.Many(5));
        await service.EventuallyAsync(() => service.Context.Backlog() == 0, "The batch was taken");

        await service.Running.StopAsync();

        Assert.Equal(5, (await service.WaitingAsync(service.Name)).Count);
    }

    [Fact]
    public async Task Messages_without_a_handler_and_unreadable_messages_become_dead_letters()
    {
        await using var service = Service();
        var unreadable = new UnreadableMessage("no JSON, with a NUL \0 and half a pair \ud800", "Not JSON.");
        service.Transport.Mangle = delivery => delivery with { Unreadable = [unreadable, unreadable] };
        await service.StartAsync();
        await service.SendAsync(Commands.Of(new CommitStock()), Commands.Of(new ReleaseStock()));
        await service.SeesAsync("acknowledge 4");

        var letters = await service.DeadLettersAsync();
        Assert.Equal(2, letters.Count);
        Assert.Contains(letters, letter => letter.Reason == "stock-service takes no orderwright.stock.commit.v1.");
        Assert.Contains(letters, letter => letter.Raw == "no JSON, with a NUL \u2400 and half a pair \ufffd");
        Assert.Single(await service.NotesAsync());
    }

    [Fact]
    public async Task A_publish_that_fails_does_not_run_the_batch_again()
    {
        await using var service = Service();
        await service.StartAsync();
        await SendThenAsync(service, () => new PublishFailedException("The broker is unavailable."));
        await service.SeesAsync("acknowledge 3");
        Assert.Equal(3, (await service.NotesAsync()).Count);
    }

    [Fact]
    public async Task A_transport_that_breaks_after_the_commit_does_not_run_the_batch_again()
    {
        await using var service = Service();
        await service.StartAsync();
        await SendThenAsync(service, () => new InvalidOperationException("A bug."));
        await service.SeesAsync("acknowledge 3");
        Assert.Equal(3, (await service.NotesAsync()).Count);
        Assert.Empty(await service.DeadLettersAsync());
    }

    [Fact]
    public async Task A_delivery_larger_than_the_limit_is_handled_in_several_transactions()
    {
        await using var service = Service(options: new RuntimeOptions { MaxMessages = 10 });
        await service.StartAsync();
        await service.SendAsync(Commands.Many(25));
        await service.SeesAsync("acknowledge 25");
        Assert.Equal([10, 10, 5], ((NoteHandler)service.Running.Parts.Handlers[1]).Batches);
        Assert.Equal(3, service.Journal.Lines.Count(line => line == "commit"));
    }

    [Fact]
    public async Task A_batch_that_fails_while_other_writes_succeed_shrinks_so_that_one_which_is_too_much_gets_through()
    {
        await using var service = Service();
        await service.StartAsync();
        // The batch fails while probes succeed.
        service.Database.FailNext(Fault.AtCommit);
        await service.SendAsync(Commands.Many(8));
        await service.SeesAsync("acknowledge 8");
        Assert.Equal([8, 4, 4], ((NoteHandler)service.Running.Parts.Handlers[1]).Batches);
        Assert.Equal(8, (await service.NotesAsync()).Count);
    }

    [Fact]
    public async Task A_message_that_always_times_out_becomes_a_dead_letter_while_other_writes_succeed()
    {
        var endless = Commands.Of(new ReleaseStock());
        await using var service = new TestService(context => new ServiceParts
        {
            Handlers = [new EndlessHandler(endless.OrderId), new NoteHandler(context, "note", typeof(ReleaseStock))],
        });
        await service.StartAsync();
        await service.SendAsync([.. Commands.Many(4), endless, .. Commands.Many(3)]);
        await service.SeesAsync("acknowledge 8");
        Assert.Equal(7, (await service.NotesAsync()).Count);
        var letter = Assert.Single(await service.DeadLettersAsync());
        Assert.Equal((endless.OrderId, "DatabaseUnavailableException: It takes too long."), (letter.Order, letter.Reason));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_message_is_blamed_while_all_writes_fail(bool disk)
    {
        await using var service = new TestService(context => new ServiceParts
        {
            Handlers = [new NoteHandler(context, "note", typeof(ReleaseStock))],
            // Commits without a write.
            Jobs = [new TimedJob("neighbour", null, (_, _) => Task.FromResult(0))],
        });
        await service.StartAsync();
        if (disk) service.Database.IsFull = true;
        else service.Database.FailNext([.. Enumerable.Repeat(Fault.Away, 10_000)]);
        await service.SendAsync(Commands.Many(1));
        await Task.Delay(TimeSpan.FromSeconds(5)); // Longer than it takes to bury one.
        service.Database.IsFull = false;
        service.Database.Recover();
        await service.SeesAsync("acknowledge 1");
        Assert.Single(await service.NotesAsync());
        Assert.Empty(await service.DeadLettersAsync());
    }

    [Fact]
    public async Task While_the_database_takes_every_other_write_no_message_is_to_blame()
    {
        await using var service = Service();
        await service.StartAsync();
        service.Database.FailNext([.. Enumerable.Range(0, 11).Select(i => i % 2 == 0 ? Fault.AtCommit : Fault.None)]);
        await service.SendAsync(Commands.Many(1));
        await service.SeesAsync("acknowledge 1");
        Assert.Single(await service.NotesAsync());
        Assert.Empty(await service.DeadLettersAsync());
    }

    [Fact]
    public async Task A_message_that_fails_again_and_again_is_one_dead_letter_with_a_count()
    {
        var poison = Commands.Of(new ReleaseStock());
        await using var service = Service(isPoison: message => message.OrderId == poison.OrderId);
        await service.StartAsync();
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            service.Journal.Clear();
            await service.SendAsync(poison with { Id = Guid.CreateVersion7(), Attempt = attempt });
            await service.SeesAsync("acknowledge 1");
        }
        var letter = Assert.Single(await service.DeadLettersAsync());
        Assert.Equal(3, letter.Failures);
        // The last message is kept.
        var (messages, _) = CloudEventsBatch.Read(Encoding.UTF8.GetBytes($"[{letter.Raw}]"), default);
        Assert.Equal(3, Assert.Single(messages).Attempt);
    }

    sealed class EndlessHandler(Guid orderId) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => [typeof(ReleaseStock)];

        public Task HandleAsync(IReadOnlyList<Message> batch, Work work) =>
            batch.Any(message => message.OrderId == orderId)
                ? throw new DatabaseUnavailableException("It takes too long.")
                : Task.CompletedTask;
    }

    // Messages to this service arrive; messages from this service are refused.
    static async Task SendThenAsync(TestService service, Func<Exception> refusal)
    {
        service.Transport.Refusal = destination => destination == service.Name ? null : refusal();
        await service.SendAsync(Commands.Many(3));
    }

    static async Task AnsweredAsync(TestService service, int count)
    {
        var answers = await service.WaitingAsync(ServiceNames.Coordinator);
        Assert.Equal(count, answers.Count);
        Assert.All(answers, answer => Assert.Equal(StepNames.ReserveStock, answer.Step));
    }
}
