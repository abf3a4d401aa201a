using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.StepService;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Job that resends unanswered commands, and ends steps whose deadline has passed. The saga rows are the outbox: a message
/// lost on the way is sent again from here. Everything outstanding is resent once after a start, because any command may have
/// been lost while the service was down, and once after the clock was set back, because timers may be too far ahead. While the
/// time is uncertain, commands are resent and no deadline ends a step.
/// </summary>
/// <remarks>
/// Timers are moved lazily. A timer fires at the time that the saga had set, finds that the saga has advanced meanwhile,
/// decides nothing and moves to the saga's next action. A successful order therefore writes the timer twice.
/// </remarks>
public sealed partial class ResendDueCommands(
    SagaStore store, SagaMemory memory, TakeCall calls, ServiceContext context, ILogger<ResendDueCommands> log)
{
    /// <summary>
    /// Delay of the first run after a start. The inbox goes first: a waiting reply saves the retry, and must not expire.
    /// </summary>
    public static readonly TimeSpan StartDelay = TimeSpan.FromSeconds(2);

    /// <summary>Maximum time for which a full inbox keeps the timers from running.</summary>
    public static readonly TimeSpan LongestThrottle = TimeSpan.FromSeconds(30);

    static readonly TimeSpan UnreadableDelay = TimeSpan.FromMinutes(10);

    // A saga that only its deadline can advance would otherwise be read at every run until the time is certain.
    static readonly TimeSpan UncertainDelay = TimeSpan.FromSeconds(5);

    DateTimeOffset? startedAt;
    DateTimeOffset lastRun;
    Guid sweptUpTo;
    bool swept;
    int setBacksSeen;

    public TimedJob Job => new("resend-due-commands", null, RunAsync);

    async Task<int> RunAsync(Work work, int most)
    {
        if (startedAt is null) startedAt = lastRun = work.Now;
        if (context.Runner.Clock.SetBacks is var setBacks && setBacks > setBacksSeen)
            (sweptUpTo, swept, setBacksSeen) = (Guid.Empty, false, setBacks);
        if (IsWithin(StartDelay, startedAt.Value, work.Now) || IsThrottled(work.Now)) return 0;

        var askNow = !swept;
        var due = askNow
            ? await store.LockOpenAsync(work, sweptUpTo, most)
            : await store.LockDueAsync(work, most);
        PostponeUnreadable(work, due);
        List<SagaProgress> sagas =
            [.. due.Select(row => row.Saga).OfType<SagaRecord>().Select(saga => SagaProgress.Of(saga, work.Now))];
        var isCertain = context.Runner.Clock.Doubt is null;
        foreach (var saga in sagas) saga.OnTimer(askNow, isCertain);
        await store.UpdateLockedAsync(work, sagas);
        store.SetTimers(work, sagas, isCertain ? null : work.Now + UncertainDelay);
        foreach (var saga in sagas) saga.Send(work, calls);

        work.AfterCommit(() =>
        {
            lastRun = work.Now;
            memory.Remember(sagas);
            if (askNow && due.Count > 0) sweptUpTo = due[^1].OrderId;
            swept |= due.Count < most;
        });
        return due.Count;
    }

    void PostponeUnreadable(Work work, IReadOnlyList<(Guid OrderId, SagaRecord? Saga, string? Fault)> due)
    {
        var unreadable = due.Where(row => row.Saga is null).ToList();
        foreach (var (orderId, _, fault) in unreadable) LogUnreadable(orderId, fault!, UnreadableDelay);
        store.Postpone(work, [.. unreadable.Select(row => row.OrderId)], work.Now + UnreadableDelay);
    }

    // Replies that wait in the inbox make most retries unnecessary. Lost messages and deadlines still must not wait behind
    // a load that never ends.
    bool IsThrottled(DateTimeOffset now) =>
        context.Backlog() > context.Options.MaxMessages && IsWithin(LongestThrottle, lastRun, now);

    // A clock that was set back puts earlier times ahead; the timers must not wait until the clock has caught up.
    static bool IsWithin(TimeSpan time, DateTimeOffset since, DateTimeOffset now) => now >= since && now < since + time;

    [LoggerMessage(3002, LogLevel.Error,
        "The saga of order {OrderId} cannot be read: {Why} Its timer is postponed by {Delay}")]
    partial void LogUnreadable(Guid orderId, string why, TimeSpan delay);
}
