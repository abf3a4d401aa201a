using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Asks order-service about orders that have a charge at a gateway and no payment here. Only order-service knows whether such an
/// order stands. Any instance may receive the answer, so answers pass through the database.
/// </summary>
public sealed class AskOrders(ServiceContext context) : IBatchHandler
{
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    public IReadOnlyList<Type> Takes { get; } = [typeof(OrderTold)];

    public Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        // The same order may be asked about twice; the answers are equal.
        var told = batch.DistinctBy(message => message.OrderId).OrderBy(message => message.OrderId)
            .Select(message => (message.OrderId, Told: (OrderTold)message.Body)).ToList();
        return work.ExecuteAsync(
            context.Sql["save_told_orders"],
            SqlArgs.Over(told)
                .Uuid("order_id", row => row.OrderId)
                .Text("status", row => row.Told.Status)
                .Text("customer_id", row => row.Told.Terms?.CustomerId)
                .Text("currency", row => row.Told.Terms?.Currency)
                .Text("provider", row => row.Told.Terms?.Payment.Provider)
                .Text("token", row => row.Told.Terms?.Payment.Token)
                .BigIntOrNull("amount", row => row.Told.Terms?.AmountMinor)
                .Text("channel", row => row.Told.Terms?.Channel)
                .Args.And("now", work.Now));
    }

    /// <summary>Answers that arrive within ten seconds; none for the other orders.</summary>
    public async Task<IReadOnlyDictionary<Guid, OrderTold>> AskAsync(IReadOnlyList<Guid> orderIds, CancellationToken cancel)
    {
        if (orderIds.Count == 0) return new Dictionary<Guid, OrderTold>();
        var args = SqlArgs.OfUuids("order_id", orderIds);
        await context.Runner.RunOnceAsync(
            async work =>
            {
                // Earlier answers do not count: the order may have been decided since.
                await work.ExecuteAsync(context.Sql["forget_told"], args);
                foreach (var id in orderIds) work.Send(id, new AskOrder());
            },
            cancel);
        for (var waited = TimeSpan.Zero; ; waited += Poll)
        {
            var told = await context.Database.QueryAsync(context.Sql["told_orders"], args, Read, cancel);
            if (told.Count == orderIds.Count || waited >= LongestWait) return told.ToDictionary();
            await Task.Delay(Poll, context.Time, cancel);
        }
    }

    static KeyValuePair<Guid, OrderTold> Read(IRow row) => KeyValuePair.Create(
        row.Uuid("order_id"),
        new OrderTold(
            row.TextOrNull("status"),
            row.TextOrNull("customer_id") is { } customer
                ? new PaymentTerms(
                    customer, row.Text("currency"), new PaymentMethod(row.Text("provider"), row.TextOrNull("token")),
                    row.BigIntOrNull("amount"), row.TextOrNull("channel"))
                : null));
}
