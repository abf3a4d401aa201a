using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.StepService;

/// <summary>Records replies of participants, all of a batch in one transaction.</summary>
public delegate Task RecordReplies(IReadOnlyList<Message> replies, Work work);

/// <summary>
/// Calls participants over HTTP, outside any transaction and after the saga that asks was committed: the saga row is the stored
/// intent (docs/adr/0002). After a crash the coordinator asks again, and the call is repeated under the same key. Replies are
/// recorded in batches. A call occupies a slot of its participant, and no thread.
/// </summary>
public sealed partial class StepCalls
{
    /// <summary>Source of the replies.</summary>
    public const string Source = "step-service";

    sealed record Queued(Guid OrderId, StepCall Call);

    sealed record Lane(SemaphoreSlim Slots, Breaker Breaker);

    readonly IStepParticipants participants;
    readonly StepSettings settings;
    readonly ServiceContext context;
    readonly ILogger log;
    readonly Channel<Queued> queue;
    readonly GroupCommit<Message, bool> replies;
    readonly ConcurrentDictionary<string, Lane> lanes = new();

    // Calls queued or under way in the process: the coordinator may ask again meanwhile.
    readonly ConcurrentDictionary<string, bool> inHand = new();

    public StepCalls(
        IStepParticipants participants, StepSettings settings, RecordReplies record, ServiceContext context)
    {
        (this.participants, this.settings, this.context) = (participants, settings, context);
        log = context.Logs.CreateLogger<StepCalls>();
        queue = Channel.CreateBounded<Queued>(settings.StepMaxWaiting);
        replies = new(
            "record-step-replies",
            async (batch, work) =>
            {
                await record(batch, work);
                return new bool[batch.Count];
            },
            context.Runner, context.Options, context.Time, Passage.Work);
    }

    public IReadOnlyList<BackgroundLoop> Loops => [replies.Loop, new("step-calls", RunAsync)];

    /// <summary>Shows the metrics of steps before their first call.</summary>
    public static void BeginCounters(IEnumerable<string> steps) => Metrics.Begin(steps);

    /// <summary>Participants with an open circuit breaker in the process.</summary>
    public IReadOnlyCollection<string> Down() =>
        [.. lanes.Where(pair => pair.Value.Breaker.IsOpen).Select(pair => pair.Key)];

    /// <summary>Queues a call. When the queue is full, the coordinator asks again.</summary>
    public void Take(Guid orderId, StepCall call)
    {
        var key = call.KeyOf(orderId);
        if (inHand.TryAdd(key, true) && !queue.Writer.TryWrite(new(orderId, call))) inHand.TryRemove(key, out _);
    }

    /// <summary>Records a reply. Throws as <see cref="GroupCommit{TRequest, TResult}.SubmitAsync"/>.</summary>
    public Task RecordAsync(Guid orderId, string step, StepAnswered answer)
    {
        var now = context.Time.Now();
        return replies.SubmitAsync(new Message
        {
            Id = context.Ids.Next(now), Source = Source, OrderId = orderId, Time = now, Body = answer, Step = step,
        });
    }

    async Task RunAsync(CancellationToken cancel)
    {
        while (await queue.Reader.WaitToReadAsync(cancel))
            while (queue.Reader.TryRead(out var queued))
                _ = CarryOutAsync(queued, cancel);
    }

    // Not awaited, so all exceptions are caught here. After a failure the coordinator asks again.
    async Task CarryOutAsync(Queued queued, CancellationToken cancel)
    {
        var (orderId, call) = queued;
        var key = call.KeyOf(orderId);
        try
        {
            StepAnswered? answer;
            try
            {
                answer = await CallAsync(orderId, call, cancel);
            }
            finally
            {
                inHand.TryRemove(key, out _);
            }
            if (answer is not null && !cancel.IsCancellationRequested) await RecordAsync(orderId, call.Step, answer);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
        }
        catch (Exception error) when (error is DatabaseUnavailableException or DatabaseBehindException or OverloadedException)
        {
            LogNotRecorded(key, error.Message);
        }
        catch (Exception error)
        {
            LogFailed(key, error);
        }
    }

    async Task<StepAnswered?> CallAsync(Guid orderId, StepCall call, CancellationToken cancel)
    {
        var lane = lanes.GetOrAdd(call.Participant, _ => new Lane(
            new SemaphoreSlim(settings.StepMaxInFlight), new Breaker(settings.StepBreakAfter, settings.StepRetryBudget)));
        await lane.Slots.WaitAsync(cancel);
        try
        {
            // A refusal of the breaker is no attempt, and is not worth a write: the coordinator asks again.
            if (lane.Breaker.Refuses(call.Attempt > 1, context.Time.Now()) is not null) return null;
            var since = context.Time.GetTimestamp();
            var (answer, isAnswered) = await participants.CallAsync(orderId, call, cancel);
            Metrics.Called(call, answer, isAnswered, context.Time.GetElapsedTime(since));
            if (lane.Breaker.Record(isAnswered, context.Time.Now()))
            {
                if (isAnswered) LogClosed(call.Participant);
                else LogOpened(call.Participant, answer.Message);
            }
            return answer;
        }
        finally
        {
            lane.Slots.Release();
        }
    }

    [LoggerMessage(3201, LogLevel.Warning, "The reply to {Key} was not recorded, and will be asked for again: {Why}")]
    partial void LogNotRecorded(string key, string why);

    [LoggerMessage(3202, LogLevel.Error, "The call {Key} failed, and will be repeated")]
    partial void LogFailed(string key, Exception error);

    [LoggerMessage(
        3203, LogLevel.Warning,
        "Participant {Participant} is failing ({Why}): its circuit breaker is open, and only single calls are made")]
    partial void LogOpened(string participant, string? why);

    [LoggerMessage(3204, LogLevel.Information, "Participant {Participant} answers again; its circuit breaker is closed")]
    partial void LogClosed(string participant);
}
