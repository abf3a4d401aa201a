using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Notifies order-service of payments changed without a command of the coordinator, because no reply would carry the
/// change. The notification is repeated until acknowledged.
/// </summary>
public sealed class NotifyOrders(SqlCatalog sql) : IBatchHandler
{
    static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);
    static readonly TimeSpan TooFar = RetryAfter + RepairClockSkew.Margin;

    public IReadOnlyList<Type> Takes => [typeof(PaymentNoted)];

    public TimedJob Job => new("notify-orders", TimeSpan.FromSeconds(5), NotifyAgainAsync);

    public void Notify(Work work, IReadOnlyCollection<PaymentCase> changed)
    {
        if (changed.Count == 0) return;
        Save(work, [.. changed.Select(one => (one.OrderId, one.Payment!.Version))]);
        foreach (var one in changed)
            work.Send(one.OrderId, MovedBy(one.Payment!.Totals, one.Latest?.RequestedBy, one.Latest?.ApprovedBy));
    }

    /// <summary>Notification in the name of the people behind the change; the service itself is nobody.</summary>
    public static PaymentMoved MovedBy(PaymentTotals totals, string? requestedBy, string? approvedBy) => new(
        totals, totals.Version, ServiceNames.All.Contains(requestedBy) ? null : requestedBy, approvedBy);

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work) =>
        await work.ExecuteAsync(
            sql["delete_payment_notifications"],
            SqlArgs.Over(batch)
                .Uuid("order_id", message => message.OrderId)
                .BigInt("version", message => ((PaymentNoted)message.Body).Version));

    async Task<int> NotifyAgainAsync(Work work, int most)
    {
        var due = await work.QueryAsync(
            sql["due_payment_notifications"],
            SqlArgs.With("now", work.Now).And("too_far", work.Now + TooFar).And("most", most),
            row => (
                OrderId: row.Uuid("order_id"),
                Totals: new PaymentTotals(
                    row.BigInt("authorized"), row.BigInt("captured"), row.BigInt("refunded"), row.Bool("voided"),
                    row.BigInt("version")),
                By: row.TextOrNull("requested_by"), ApprovedBy: row.TextOrNull("approved_by")));
        if (due.Count == 0) return 0;
        Save(work, [.. due.Select(payment => (payment.OrderId, payment.Totals.Version))]);
        foreach (var (orderId, totals, by, approvedBy) in due) work.Send(orderId, MovedBy(totals, by, approvedBy));
        return due.Count;
    }

    void Save(Work work, IReadOnlyList<(Guid OrderId, long Version)> payments) => work.Defer(
        sql["save_payment_notifications"],
        SqlArgs.Over(payments)
            .Uuid("order_id", payment => payment.OrderId)
            .BigInt("version", payment => payment.Version)
            .Args.And("due_at", work.Now + RetryAfter));
}
