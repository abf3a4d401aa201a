using System.Diagnostics;
using System.Diagnostics.Metrics;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime.Tests;

public sealed class RunningServiceTests
{
    static TestService Service(params BackgroundLoop[] loops) =>
        new(context => new ServiceParts
        {
            Handlers = [new NoteHandler(context, "note", typeof(ReleaseStock))],
            Loops = loops,
        });

    [Fact]
    public async Task A_service_is_ready_between_start_and_stop_only()
    {
        await using var service = Service();
        Assert.Equal("stock-service has not started.", service.Running.Trouble);
        await service.StartAsync();
        Assert.Null(service.Running.Trouble);
        await service.Running.StopAsync();
        Assert.Equal("stock-service is stopping.", service.Running.Trouble);
        Assert.False(service.Running.Died.IsCompleted);
    }

    [Fact]
    public async Task A_service_that_stops_hands_its_inbox_over_first()
    {
        await using var service = Service();
        await service.StartAsync();
        await service.Running.StopAsync();
        Assert.Equal("hand over", service.Journal.Lines[0]);
    }

    [Fact]
    public async Task A_service_without_its_database_steps_aside_once_per_outage()
    {
        await using var service = new TestService(
            context => new ServiceParts { Handlers = [new NoteHandler(context, "note", typeof(ReleaseStock))] },
            time: new FastTime(20));
        await service.StartAsync();
        for (var outages = 1; outages <= 2; outages++)
        {
            service.Database.IsFull = true;
            await service.SendAsync(Commands.Many(1));
            await service.EventuallyAsync(() => SteppedAside() == outages, $"Stepping aside in outage {outages}");
            service.Database.IsFull = false;
            await service.EventuallyAsync(() => service.Running.Trouble is null, "The end of the outage");
        }
        Assert.Equal(2, SteppedAside());

        int SteppedAside() => service.Journal.Lines.Count(line => line == "step aside");
    }

    [Fact]
    public async Task A_throwing_loop_ends_the_service_with_a_reason()
    {
        await using var service = Service(
            new BackgroundLoop("fragile", _ => throw new InvalidOperationException("It broke.")));
        await service.StartAsync();
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => service.Running.Died.WaitAsync(Waiting.HangLimit));
        Assert.Equal("stock-service: the loop fragile died: It broke.", fault.Message);
        Assert.Equal(fault.Message, service.Running.Trouble);
    }

    [Fact]
    public async Task A_loop_that_ends_by_itself_is_dead_as_well()
    {
        await using var service = Service(new BackgroundLoop("short", _ => Task.CompletedTask));
        await service.StartAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => service.Running.Died.WaitAsync(Waiting.HangLimit));
    }

    [Fact]
    public async Task An_inbox_loop_that_dies_is_not_silent()
    {
        await using var service = Service();
        await service.StartAsync();
        service.Transport.BreakReceiving();
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => service.Running.Died.WaitAsync(Waiting.HangLimit));
        Assert.Contains("the loop inbox died", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_follower_that_throws_after_the_commit_does_not_run_the_batch_again()
    {
        await using var service = Service();
        await service.StartAsync();
        var runs = 0;
        await service.Context.Runner.RunAsync(
            [1, 2, 3],
            (_, work) =>
            {
                runs++;
                work.AfterCommit(() => throw new InvalidOperationException("A bug."));
                return Task.CompletedTask;
            },
            (_, _) => throw new InvalidOperationException("Nothing here is poison."), default);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task A_transaction_with_a_reply_makes_its_reads_durable_and_one_without_does_not()
    {
        await using var service = Service();
        await service.StartAsync();
        var before = service.Database.DurableReads;
        await service.Context.Runner.RunOnceAsync(_ => Task.CompletedTask, default);
        Assert.Equal(before, service.Database.DurableReads);
        await service.Context.Runner.RunOnceAsync(
            work =>
            {
                work.Answer(Commands.Of(new ReleaseStock()), new StepAnswered(Undo: false, StepOutcome.Completed));
                return Task.CompletedTask;
            },
            default);
        Assert.Equal(before + 1, service.Database.DurableReads);
        await service.Context.Runner.RunOnceAsync(
            work =>
            {
                work.AfterCommit(() => { });
                return Task.CompletedTask;
            },
            default);
        Assert.Equal(before + 2, service.Database.DurableReads);
    }

    [Fact]
    public async Task Stopping_completes_a_running_transaction()
    {
        var begun = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var service = new TestService(
            context => new ServiceParts { Handlers = [new SlowHandler(context, begun, go.Task)] });
        await service.StartAsync();
        await service.SendAsync(Commands.Many(2));
        await begun.Task;

        var stopping = service.Running.StopAsync();
        Assert.False(stopping.IsCompleted);
        go.SetResult();
        await stopping;

        Assert.Equal(2, (await service.NotesAsync()).Count);
        Assert.Contains("acknowledge 2", service.Journal.Lines);
    }

    [Fact]
    public async Task A_service_publishes_metrics()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            Assert.False(instrument.Meter.Name == Metrics.SourceName && instrument.Unit is null);
            if (instrument.Meter.Name == Metrics.SourceName) self.EnableMeasurementEvents(instrument);
        };
        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags[0].Value is not "measured-service") return;
            lock (seen) seen[instrument.Name] = seen.GetValueOrDefault(instrument.Name) + value;
        }
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();

        await using var service = new TestService(
            context => new ServiceParts { Handlers = [new NoteHandler(context, "note", typeof(ReleaseStock))] },
            name: "measured-service");
        await service.StartAsync();
        await service.SendAsync([.. Commands.Many(5), Commands.Of(new CommitStock())]);
        await service.SeesAsync("acknowledge 6");
        await service.Running.StopAsync();
        listener.RecordObservableInstruments();

        Assert.Equal(5, seen["orderwright.messages.sent"]);
        Assert.Equal(6, seen["orderwright.messages.received"]);
        Assert.Equal(1, seen["orderwright.dead_letters"]);
        Assert.Equal(6, seen["orderwright.batch.size"]);
        Assert.True(seen["orderwright.batch.duration"] > 0);
        Assert.Equal(0, seen["orderwright.inbox.backlog"]);
    }

    [Fact]
    public async Task A_trace_goes_on_from_message_to_message()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Metrics.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                lock (spans) spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        const string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        await using var service = Service();
        await service.StartAsync();
        var traced = Commands.Of(new ReleaseStock()) with { TraceParent = trace };
        await service.SendAsync(traced, Commands.Of(new ReleaseStock()));
        await service.SeesAsync("acknowledge 2");
        await service.Running.StopAsync();

        var answers = await service.WaitingAsync(ServiceNames.Coordinator);
        var process = spans.Single(span => span.Links.Any(link => link.Context.TraceId.ToString() == trace[3..35]));
        Assert.Equal(ActivityKind.Consumer, process.Kind);
        Assert.Contains(spans, span => span.Kind == ActivityKind.Producer && span.ParentId == process.Id);
        Assert.Equal(trace, answers.Single(answer => answer.OrderId == traced.OrderId).TraceParent);
        Assert.Equal(process.Id, answers.Single(answer => answer.OrderId != traced.OrderId).TraceParent);
    }

    sealed class SlowHandler(ServiceContext context, TaskCompletionSource begun, Task go) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => [typeof(ReleaseStock)];

        public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            begun.TrySetResult();
            await go;
            await new NoteHandler(context, "slow", typeof(ReleaseStock)).HandleAsync(batch, work);
        }
    }
}
