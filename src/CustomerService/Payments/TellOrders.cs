using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Tells order-service how a payment stands that an operator moved: nobody asks for that. It is told again until it is
/// noted.
/// </summary>
public sealed class TellOrders(SqlCatalog sql) : IBatchHandler
{
    static readonly TimeSpan Again = TimeSpan.FromSeconds(10);
    static readonly TimeSpan TooFar = TimeSpan.FromMinutes(1);

    public IReadOnlyList<Type> Takes => [typeof(PaymentNoted)];

    public TimedJob Job => new("tell-orders", TimeSpan.FromSeconds(5), TellAgainAsync);

    public void Tell(Work work, IReadOnlyCollection<Payment> moved)
    {
        if (moved.Count == 0) return;
        Remember(work, [.. moved.Select(payment => (payment.OrderId, payment.Version))]);
        foreach (var payment in moved)
            work.Send(payment.OrderId, new PaymentMoved(payment.Position, payment.Version));
    }

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work) =>
        await work.ExecuteAsync(
            sql["delete_moved_payments"],
            SqlArgs.Over(batch)
                .Uuid("order_id", message => message.OrderId)
                .BigInt("version", message => ((PaymentNoted)message.Body).Version));

    async Task<int> TellAgainAsync(Work work, int most)
    {
        var due = await work.QueryAsync(
            sql["due_moved_payments"],
            SqlArgs.With("now", work.Now).And("too_far", work.Now + TooFar).And("most", most),
            row => (
                OrderId: row.Uuid(0), Version: row.BigInt(1),
                Position: new PaymentTotals(row.BigInt(2), row.BigInt(3), row.BigInt(4), row.Bool(5))));
        if (due.Count == 0) return 0;
        Remember(work, [.. due.Select(one => (one.OrderId, one.Version))]);
        foreach (var (orderId, version, position) in due) work.Send(orderId, new PaymentMoved(position, version));
        return due.Count;
    }

    void Remember(Work work, IReadOnlyList<(Guid OrderId, long Version)> payments) => work.Defer(
        sql["save_moved_payments"],
        SqlArgs.Over(payments).Uuid("order_id", one => one.OrderId).BigInt("version", one => one.Version)
            .Args.And("due_at", work.Now + Again));
}
