using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// Asks again what nobody has answered, and ends what nobody answered in time. The saga rows are the outbox:
/// whatever was lost on the way, here it is sent again. When the service starts, everything that is
/// outstanding is asked once, as nobody knows what got lost while it was away.
/// </summary>
/// <remarks>
/// A timer is moved lazily: it fires when the saga as it last saw it would have asked, finds that the saga
/// has long moved on, decides nothing and looks again when the saga now would. So an order that goes well
/// writes its timer twice. </remarks>
public sealed class AskAgain(SagaStore store, ServiceContext context)
{
    /// <summary>
    /// First the inbox: what the answers in it settle need not be asked, and must not expire.
    /// </summary>
    public static readonly TimeSpan FirstLookAfter = TimeSpan.FromSeconds(2);

    /// <summary>How long a full inbox may keep the timers from running.</summary>
    public static readonly TimeSpan HeldBackAtMost = TimeSpan.FromSeconds(30);

    DateTimeOffset? began;
    DateTimeOffset lastLook;
    Guid sweptUpTo;
    bool swept;

    public TimedJob Job => new("ask-again", null, RunAsync);

    async Task<int> RunAsync(Work work, int most)
    {
        if (began is null) began = lastLook = work.Now;
        if (work.Now < began + FirstLookAfter || IsHeldBack(work.Now)) return 0;

        var askNow = !swept;
        var due = askNow
            ? await store.LockOpenAsync(sweptUpTo, most, work)
            : await store.LockDueAsync(most, work);
        var sagas = due.ConvertAll(saga => SagaProgress.Of(saga, work.Now));
        foreach (var saga in sagas) saga.LookAtTheClock(askNow);
        await store.UpdateLockedAsync(sagas, work);
        await store.PlanNextLookAsync(sagas, work);
        foreach (var saga in sagas) saga.Send(work);

        work.AfterCommit(() =>
        {
            lastLook = work.Now;
            if (askNow && sagas.Count > 0) sweptUpTo = sagas[^1].OrderId;
            swept |= sagas.Count < most;
        });
        return sagas.Count;
    }

    // While answers wait in the inbox, to ask again would mostly ask for what they say. But lost messages and
    // deadlines cannot wait for ever behind a load that does not end.
    bool IsHeldBack(DateTimeOffset now) =>
        context.Backlog() > context.Options.MaxMessages && now < lastLook + HeldBackAtMost;
}
