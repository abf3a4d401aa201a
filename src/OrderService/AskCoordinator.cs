using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService;

/// <summary>
/// Asks the coordinator again about every order that still waits for its answer: a message may have been
/// lost, the broker wiped, the coordinator away. Asking again is harmless, as the coordinator then only says
/// again what it knows.
/// </summary>
public sealed class AskCoordinator(OrderStore store, OrdersInFlight inFlight, ServiceContext context)
{
    /// <summary>An order that goes well is settled long before.</summary>
    public static readonly TimeSpan FirstAskAfter = TimeSpan.FromSeconds(5);

    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    // An order that was asked about so often waits for a person or for a service that is down, not for room
    // here; it must not keep new orders out.
    const int CountsAsInFlight = 3;

    public TimedJob Job => new("ask-coordinator", LookEvery, RunAsync);

    async Task<int> RunAsync(Work work, int most)
    {
        var (counting, all) = (await work.QueryAsync(
            context.Sql["count_in_flight"], SqlArgs.With("asked", CountsAsInFlight),
            row => (row.BigInt(0), row.BigInt(1))))[0];
        // An outage may last: what it leaves to be worked off has its limit too.
        inFlight.SetTo(all < context.Options.MaxUnsettledOrders ? (int)counting : context.Options.MaxOrdersInFlight);

        // The answers may already lie in the inbox; to ask again now would only make it longer. After an
        // outage this is what spreads the flood: a portion is asked, and the next one when its answers are
        // worked off.
        if (context.Backlog() > context.Options.MaxMessages) return 0;
        var due = await work.QueryAsync(
            context.Sql["take_due"], SqlArgs.With("now", work.Now).And("limit", most),
            row => (Id: row.Uuid(0), Asked: row.Int(1)));
        if (due.Count == 0) return 0;

        await work.ExecuteAsync(
            context.Sql["ask_later"],
            SqlArgs.Over(due)
                .Uuid("id", row => row.Id)
                .Time("ask_at", row => work.Now + PauseAfter(row.Asked + 1)));
        var asked = due.ToDictionary(row => row.Id, row => row.Asked);
        foreach (var order in await store.LoadAsync([.. asked.Keys], work))
            // Attempt 1 was when the order came in.
            work.Send(order.Id, QuestionOf(order), attempt: asked[order.Id] + 2);
        return due.Count;
    }

    /// <summary>What there is to ask the coordinator about an order that is not settled.</summary>
    public static IMessageBody QuestionOf(Order order) =>
        order.State.Status == OrderStatuses.CancelPending
            ? new CancelRequested(order.State.CancelReason!, order.AsPlaced())
            : order.AsPlaced();

    /// <summary>5 s after the order came in, then 10 s, 20 s, and every 30 s from then on.</summary>
    public static TimeSpan PauseAfter(int asked) =>
        TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstAskAfter.Ticks << Math.Min(asked, 10)));
}
