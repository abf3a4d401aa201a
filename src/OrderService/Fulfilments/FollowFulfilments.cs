using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Asks those who take part in fulfilments again until they have answered, and takes their answers. Asking again is
/// harmless: they know each fulfilment by its order and number.
/// </summary>
public sealed class FollowFulfilments(FulfilmentStore fulfilments, ServiceContext context) : IBatchHandler
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
        var asked = due.Where(one => one.Participant == ServiceNames.Stock).ToLookup(one => (one.OrderId, one.Number));
        // Attempt 1 was when it was shipped.
        foreach (var one in due)
            if (one.DueMinor is { } taken)
                work.Send(
                    one.OrderId, new TakeShipped(taken, one.Number == FulfilmentWork.Closing), attempt: one.Asked + 2);
        Guid[] ofStock = [.. due.Where(one => one.Participant == ServiceNames.Stock).Select(one => one.OrderId).Distinct()];
        foreach (var fulfilment in await fulfilments.LoadAsync(ofStock, work))
            foreach (var one in asked[(fulfilment.OrderId, fulfilment.Number)])
                work.Send(
                    fulfilment.OrderId, new ShipGoods(fulfilment.Number, fulfilment.Lines), attempt: one.Asked + 2);
        return due.Count;
    }
}
