using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>Answers customer-service, which asks whether an order stands before money at a gateway is judged.</summary>
public sealed class TellOrders(OrderStore store) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } = [typeof(AskOrder)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var orders = (await store.LoadAsync(work, [.. batch.Select(message => message.OrderId).Distinct()]))
            .ToDictionary(order => order.Id);
        foreach (var message in batch)
            work.Answer(message, orders.TryGetValue(message.OrderId, out var order)
                ? new OrderTold(
                    order.State.Status,
                    new PaymentTerms(order.CustomerId, order.Currency, order.Payment, order.State.Total))
                : new OrderTold());
    }
}
