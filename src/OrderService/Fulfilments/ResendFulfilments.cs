using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Resends the commands of a fulfilment until every participant has confirmed, and handles the confirmations of stock-service
/// and the refusals of both participants. Resending is harmless: participants know a fulfilment by order and number.
/// </summary>
public sealed class ResendFulfilments(OrderStore store, FulfilmentStore fulfilments, ServiceContext context) : IBatchHandler
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Longer than any pause: a later attempt was scheduled by a clock that was ahead.
    static readonly TimeSpan TooFar = TimeSpan.FromMinutes(1);

    // Only a person can mend the data of a participant that refuses; asking more often would only fill logs.
    static readonly TimeSpan RefusedPause = TimeSpan.FromHours(1);

    public TimedJob Job => new("resend-fulfilments", Interval, ResendAsync);

    public IReadOnlyList<Type> Takes { get; } = [typeof(GoodsShipped), typeof(FulfilmentRefused)];

    public Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        fulfilments.Finish(
            work,
            [
                .. batch.Where(message => message.Body is GoodsShipped).Select(message => new FulfilmentWork(
                    message.OrderId, ((GoodsShipped)message.Body).Fulfilment, ServiceNames.Stock)).Distinct(),
            ]);
        fulfilments.Refuse(
            work,
            [
                .. batch.Where(message => message.Body is FulfilmentRefused).Select(message =>
                    (message, Refusal: (FulfilmentRefused)message.Body)).DistinctBy(refused =>
                    (refused.message.OrderId, refused.Refusal.Fulfilment, refused.message.Source)).Select(refused => (
                    refused.message.OrderId, refused.Refusal.Fulfilment, refused.message.Source,
                    $"{refused.Refusal.Code}: {refused.Refusal.Message}")),
            ],
            work.Now + RefusedPause);
        return Task.CompletedTask;
    }

    async Task<int> ResendAsync(Work work, int most)
    {
        // The confirmations may already be in the inbox.
        if (context.Backlog() > context.Options.MaxMessages) return 0;
        var due = await fulfilments.ClaimDueAsync(work, work.Now + TooFar, work.Now + TooFar + RefusedPause, most);
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
