using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Resends the commands of a fulfilment until every participant has confirmed, and handles the confirmations of stock-service.
/// Resending is harmless: participants know a fulfilment by order and number.
/// </summary>
public sealed class ResendFulfilments(OrderStore store, FulfilmentStore fulfilments, ServiceContext context) : IBatchHandler
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Longer than any pause: a later attempt was scheduled by a clock that was ahead.
    static readonly TimeSpan TooFar = TimeSpan.FromMinutes(1);

    public TimedJob Job => new("resend-fulfilments", Interval, ResendAsync);

    public IReadOnlyList<Type> Takes { get; } = [typeof(GoodsShipped)];

    public Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        fulfilments.Finish(
            work,
            [
                .. batch.Select(message => new FulfilmentWork(
                    message.OrderId, ((GoodsShipped)message.Body).Fulfilment, ServiceNames.Stock)).Distinct(),
            ]);
        return Task.CompletedTask;
    }

    async Task<int> ResendAsync(Work work, int most)
    {
        // The confirmations may already be in the inbox.
        if (context.Backlog() > context.Options.MaxMessages) return 0;
        var due = await fulfilments.ClaimDueAsync(work, work.Now + TooFar, most);
        if (due.Count == 0) return 0;
        await fulfilments.ScheduleAsync(
            work, due, open => work.Now + ResendUnsettledOrders.PauseAfter(open.Attempts + 1));
        var ids = due.Where(NeedsLines).Select(open => open.OrderId).Distinct().ToList();
        var shipped = (await fulfilments.LoadAsync(work, ids)).ToLookup(fulfilment => fulfilment.OrderId);
        var closed = due.Where(open => open.Number == FulfilmentWork.Closing).Select(open => open.OrderId).Distinct().ToList();
        var orders = (await store.LoadAsync(work, closed)).ToDictionary(order => order.Id);
        foreach (var open in due)
            work.Send(open.OrderId, CommandOf(open), attempt: open.Attempts + 1);
        return due.Count;

        IMessageBody CommandOf(FulfilmentWork open)
        {
            if (open.Number == FulfilmentWork.Closing)
                return FulfilmentRules.ClosingCommandOf(open, orders[open.OrderId], shipped[open.OrderId]);
            if (open.DueMinor is { } due) return new TakeShipped(due, Close: false);
            var fulfilment = shipped[open.OrderId].First(fulfilment => fulfilment.Number == open.Number);
            return new ShipGoods(fulfilment.Number, fulfilment.Lines);
        }
    }

    // Only commands to stock-service carry lines.
    static bool NeedsLines(FulfilmentWork open) => open.DueMinor is null;
}
