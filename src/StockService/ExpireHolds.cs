using Orderwright.Runtime;

namespace Orderwright.StockService;

/// <summary>
/// Releases holds not committed in time. A later commit allocates the goods again if still available, so an early or late sweep
/// costs at worst a sale, never correctness.
/// </summary>
public sealed class ExpireHolds(StockStore store)
{
    /// <summary>
    /// Grace after the expiry of a hold. The coordinator's clock sets the expiry and the local clock judges: the grace covers
    /// the skew of two synchronized clocks, and a renewal or commit already in transit.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public TimedJob Job => new("expire-holds", TimeSpan.FromSeconds(1), RunAsync) { NeedsCertainTime = true };

    public async Task<int> RunAsync(Work work, int most)
    {
        var dueBefore = work.Now - Grace;
        var due = await store.LockDueReservationsAsync(work, dueBefore, most);
        if (due.Count == 0) return 0;
        var skus = due.SelectMany(row => row.Lines).Select(line => line.Sku);
        var batch = new StockBatch(due, await store.LockItemsAsync(work, skus), work.Now);
        batch.Expire(dueBefore);
        store.Save(work, batch, "expire-holds");
        return due.Count;
    }
}
