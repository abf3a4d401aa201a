using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Calling;

/// <summary>
/// Sees to it that no authorization ends in silence: some time before the gateway stops holding the money, and again when it
/// has, the payment says so. A new authorization needs the customer, or risks two that live at once: that is for a person.
/// </summary>
public sealed partial class WatchHolds(PaymentStore store, SqlCatalog sql, GatewayLimits limits, ILogger<WatchHolds> log)
{
    public TimedJob Job => new("watch-holds", TimeSpan.FromMinutes(1), RunAsync);

    async Task<int> RunAsync(Work work, int most)
    {
        var due = await work.QueryAsync(
            sql["find_ending_holds"],
            SqlArgs.With("now", work.Now).And("soon", work.Now + limits.GatewayHoldWarning).And("most", most),
            row => row.Uuid(0));
        if (due.Count == 0) return 0;
        var book = await store.LockFreeAsync(work, due);
        foreach (var orderId in due)
        {
            var decision = HoldRules.Watch(book.File(orderId), work.Now, limits);
            book.Apply(decision);
            if (decision.File.Payment is not { Notice: { } notice, CaptureBefore: { } until }) continue;
            work.AfterCommit(() => LogEnding(orderId, notice, until));
        }
        store.Save(work, book);
        return due.Count;
    }

    [LoggerMessage(3111, LogLevel.Warning, "The payment {OrderId} needs a person: {Notice}; it is held until {Until}")]
    partial void LogEnding(Guid orderId, string notice, DateTimeOffset until);
}

/// <summary>When a held payment needs attention. Pure.</summary>
public static class HoldRules
{
    public static PaymentDecision Watch(PaymentFile file, DateTimeOffset now, GatewayLimits limits)
    {
        if (file.Payment is not { CaptureBefore: { } until, HeldMinor: > 0 } payment) return new(file);
        var notice = now >= until ? PaymentNotices.HoldEnded
            : now >= until - limits.GatewayHoldWarning ? payment.Notice ?? PaymentNotices.HoldEnding
            : payment.Notice;
        return notice == payment.Notice
            ? new(file)
            : new(file.With(PaymentRules.Changed(payment with { Notice = notice }, now)));
    }
}
