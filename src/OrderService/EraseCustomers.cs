using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Carries out erasures of customers, as asked by customer-service. While orders are open the customer is needed, and the reply
/// says so. Otherwise the id is marked, so that no further order is accepted under the id, and, once customer-service has
/// decided, the texts of the ended orders are erased. Repeating is harmless.
/// </summary>
/// <remarks>
/// An order whose transaction began before the mark was visible may still be inserted. customer-service refuses its payment,
/// and asks once more after such transactions have ended, so that the texts of this order are erased too.
/// </remarks>
public sealed class EraseCustomers(OrderStore store) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } = [typeof(EraseCustomer)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        // The latest stage of a customer counts; requests arrive one after another, and rarely two in a batch.
        var latest = batch.GroupBy(message => ((EraseCustomer)message.Body).CustomerId)
            .ToDictionary(group => group.Key, group => ((EraseCustomer)group.MaxBy(message => message.Id)!.Body).Stage);
        var orders = await store.OpenOrdersOfAsync(work, [.. latest.Keys]);
        await store.UnmarkErasedAsync(work, Of(ErasureStages.Withdrawn));
        await store.MarkErasedAsync(
            work,
            [
                .. Of(ErasureStages.Ask).Where(customer => orders[customer].OpenOrders == 0),
                .. Of(ErasureStages.Decided),
            ]);
        await store.EraseTextsAsync(work, Of(ErasureStages.Decided));
        foreach (var message in batch)
        {
            var (customer, stage) = (EraseCustomer)message.Body;
            var (open, first, all) = orders[customer];
            work.Answer(message, new CustomerErased(customer, stage, open, all, first));
        }

        List<string> Of(string stage) => [.. latest.Where(pair => pair.Value == stage).Select(pair => pair.Key)];
    }
}
