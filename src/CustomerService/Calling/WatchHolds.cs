using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Calling;

/// <summary>
/// Flags payments with an authorization about to expire, and again when expired. A new authorization would need
/// the customer, or risk two at once, so the decision is left to a person.
/// </summary>
public sealed partial class WatchHolds(PaymentStore store, SqlCatalog sql, GatewayLimits limits, ILogger<WatchHolds> log)
{
    public TimedJob Job => new("watch-holds", TimeSpan.FromMinutes(1), RunAsync) { NeedsCertainTime = true };

    async Task<int> RunAsync(Work work, int most)
    {
        var due = await work.QueryAsync(
            sql["find_ending_holds"],
            SqlArgs.With("now", work.Now).And("soon", work.Now + limits.GatewayHoldWarning).And("most", most),
            row => row.Uuid("order_id"));
        if (due.Count == 0) return 0;
        var at = new At(work.Now, limits);
        var payments = await store.LockAvailableAsync(work, due);
        foreach (var orderId in due)
        {
            var decision = HoldRules.Watch(payments.Case(orderId), at);
            payments.Apply(decision);
            if (decision.Case.Payment is not { AttentionCode: { } code, CaptureBefore: { } until }) continue;
            work.AfterCommit(() => LogAttention(orderId, code, until));
        }
        store.Save(work, payments);
        return due.Count;
    }

    [LoggerMessage(3111, LogLevel.Warning, "Payment {OrderId} needs attention: {Code}; its authorization expires at {Until}")]
    partial void LogAttention(Guid orderId, string code, DateTimeOffset until);
}
