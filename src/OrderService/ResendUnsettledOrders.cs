using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Resends the command of every order that still waits for an outcome: a message was lost, the broker was wiped, or the
/// coordinator was unavailable. Resending is harmless, because the coordinator repeats the outcome it has.
/// </summary>
public sealed class ResendUnsettledOrders(OrderStore store, OrdersInFlight inFlight, ServiceContext context)
{
    /// <summary>Pause after the first message; most orders are settled much earlier.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause between two messages.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // An order with more attempts waits for a person or for an unavailable service, and must not keep new orders out.
    const int MostAttemptsInFlight = 3;

    public TimedJob Job => new("resend-unsettled-orders", Interval, RunAsync);

    async Task<int> RunAsync(Work work, int most)
    {
        var (counting, all) = await store.CountUnsettledAsync(work, MostAttemptsInFlight);
        // The backlog that a long outage leaves behind has a limit of its own.
        inFlight.SetTo(all < context.Options.MaxUnsettledOrders ? (int)counting : context.Options.MaxOrdersInFlight);

        // The outcomes may already be in the inbox; resending now would only lengthen the queue. After an outage this check
        // spreads the load: a portion is resent, and the next one after its replies are handled.
        if (context.Backlog() > context.Options.MaxMessages) return 0;
        var due = await store.ClaimDueAsync(work, most);
        if (due.Count == 0) return 0;

        await store.ScheduleAsync(work, due, attempts => work.Now + PauseAfter(attempts));
        var attempts = due.ToDictionary(order => order.Id, order => order.Attempts);
        foreach (var order in await store.LoadAsync(work, [.. attempts.Keys]))
            work.Send(order.Id, CommandOf(order), attempt: attempts[order.Id] + 1);
        return due.Count;
    }

    /// <summary>Builds the command that an unsettled order waits on.</summary>
    public static IMessageBody CommandOf(Order order) =>
        order.State.Status == OrderStatuses.CancelPending
            ? order.AsCancelled(order.State.CancelReason!)
            : order.AsPlaced();

    /// <summary>Pause after the given attempt: 5 s, 10 s, 20 s, then 30 s each.</summary>
    /// <param name="attempts">Messages sent so far, 1 and up.</param>
    public static TimeSpan PauseAfter(int attempts) =>
        TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(attempts - 1, 10)));
}
