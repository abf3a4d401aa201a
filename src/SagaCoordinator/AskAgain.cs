using Microsoft.Extensions.Logging;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// Asks again what nobody has answered, and ends what nobody answered in time. The saga rows are the outbox:
/// whatever was lost on the way, here it is sent again. When the service starts, everything that is
/// outstanding is asked once, as nobody knows what got lost while it was away; and when its clock was set back, as nobody
/// knows how far that has put it off.
/// </summary>
/// <remarks>
/// A timer is moved lazily: it fires when the saga as it last saw it would have asked, finds that the saga
/// has long moved on, decides nothing and looks again when the saga now would. So an order that goes well
/// writes its timer twice.
/// </remarks>
public sealed partial class AskAgain(
    SagaStore store, SagaMemory memory, ServiceContext context, ILogger<AskAgain> log)
{
    /// <summary>
    /// First the inbox: what the answers in it settle need not be asked, and must not expire.
    /// </summary>
    public static readonly TimeSpan FirstLookAfter = TimeSpan.FromSeconds(2);

    /// <summary>How long a full inbox may keep the timers from running.</summary>
    public static readonly TimeSpan HeldBackAtMost = TimeSpan.FromSeconds(30);

    static readonly TimeSpan UnreadablePutOffBy = TimeSpan.FromMinutes(10);

    DateTimeOffset? began;
    DateTimeOffset lastLook;
    Guid sweptUpTo;
    bool swept;
    int setBacksSeen;

    public TimedJob Job => new("ask-again", null, RunAsync);

    async Task<int> RunAsync(Work work, int most)
    {
        if (began is null) began = lastLook = work.Now;
        if (context.Runner.Clock.SetBacks is var setBacks && setBacks > setBacksSeen)
            (sweptUpTo, swept, setBacksSeen) = (Guid.Empty, false, setBacks);
        if (IsWithin(FirstLookAfter, began.Value, work.Now) || IsHeldBack(work.Now)) return 0;

        var askNow = !swept;
        var due = askNow
            ? await store.LockOpenAsync(sweptUpTo, most, work)
            : await store.LockDueAsync(most, work);
        await PutOffUnreadableAsync(due, work);
        var sagas = due.Select(one => one.Saga).OfType<SagaRecord>()
            .Select(saga => SagaProgress.Of(saga, work.Now)).ToList();
        foreach (var saga in sagas) saga.LookAtTheClock(askNow);
        await store.UpdateLockedAsync(sagas, work);
        store.PlanNextLook(sagas, work);
        foreach (var saga in sagas) saga.Send(work);

        work.AfterCommit(() =>
        {
            lastLook = work.Now;
            memory.Remember(sagas);
            if (askNow && due.Count > 0) sweptUpTo = due[^1].OrderId;
            swept |= due.Count < most;
        });
        return due.Count;
    }

    async Task PutOffUnreadableAsync(
        IReadOnlyList<(Guid OrderId, SagaRecord? Saga, string? Fault)> due, Work work)
    {
        var unreadable = due.Where(one => one.Saga is null).ToList();
        foreach (var (orderId, _, fault) in unreadable) LogUnreadable(orderId, fault!, UnreadablePutOffBy);
        var until = work.Now + UnreadablePutOffBy;
        store.Postpone([.. unreadable.Select(one => one.OrderId)], until, work);
    }

    // While answers wait in the inbox, to ask again would mostly ask for what they say. But lost messages and
    // deadlines cannot wait for ever behind a load that does not end.
    bool IsHeldBack(DateTimeOffset now) =>
        context.Backlog() > context.Options.MaxMessages && IsWithin(HeldBackAtMost, lastLook, now);

    // A clock that was set back makes the past lie ahead; that must not keep the timers from running until it has come.
    static bool IsWithin(TimeSpan time, DateTimeOffset since, DateTimeOffset now) => now >= since && now < since + time;

    [LoggerMessage(3002, LogLevel.Error,
        "The saga of order {OrderId} cannot be read: {Why} Its timer is put off by {PutOffBy}")]
    partial void LogUnreadable(Guid orderId, string why, TimeSpan putOffBy);
}
