using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Asks those who take part in fulfilments again until they have answered, and takes their answers. Asking again is
/// harmless: they know each fulfilment by its order and number.
/// </summary>
public sealed class FollowFulfilments(OrderStore store, FulfilmentStore fulfilments, ServiceContext context) : IBatchHandler
{
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    // No pause is as long: a clock that was ahead has put it off.
    static readonly TimeSpan TooFar = TimeSpan.FromMinutes(1);

    public TimedJob Job => new("follow-fulfilments", LookEvery, AskAgainAsync);

    public IReadOnlyList<Type> Takes { get; } = [typeof(GoodsShipped)];

    public Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        fulfilments.Finish(
            [
                .. batch.Select(message => new FulfilmentWork(
                    message.OrderId, ((GoodsShipped)message.Body).Fulfilment, ServiceNames.Stock)).Distinct(),
            ],
            work);
        return Task.CompletedTask;
    }

    async Task<int> AskAgainAsync(Work work, int most)
    {
        // The answers may already lie in the inbox.
        if (context.Backlog() > context.Options.MaxMessages) return 0;
        var due = await fulfilments.TakeDueAsync(work.Now + TooFar, most, work);
        if (due.Count == 0) return 0;
        await fulfilments.AskLaterAsync(due, one => work.Now + AskCoordinator.PauseAfter(one.Asked + 1), work);
        var ids = due.Where(NeedsGoods).Select(one => one.OrderId).Distinct().ToList();
        var shipped = (await fulfilments.LoadAsync(ids, work)).ToLookup(one => one.OrderId);
        var closed = due.Where(one => one.Number == FulfilmentWork.Closing).Select(one => one.OrderId).Distinct().ToList();
        var orders = (await store.LoadAsync(closed, work)).ToDictionary(order => order.Id);
        foreach (var one in due)
            // Attempt 1 was when it was shipped, or closed.
            work.Send(one.OrderId, QuestionOf(one), attempt: one.Asked + 2);
        return due.Count;

        IMessageBody QuestionOf(FulfilmentWork one)
        {
            if (one.Number == FulfilmentWork.Closing)
                return FulfilmentRules.QuestionOfClosing(one, orders[one.OrderId], shipped[one.OrderId]);
            if (one.DueMinor is { } taken) return new TakeShipped(taken, Close: false);
            var fulfilment = shipped[one.OrderId].First(its => its.Number == one.Number);
            return new ShipGoods(fulfilment.Number, fulfilment.Lines);
        }
    }

    static bool NeedsGoods(FulfilmentWork one) => one.DueMinor is null;
}
