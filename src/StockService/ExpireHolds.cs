using Orderwright.Runtime;

namespace Orderwright.StockService;

/// <summary>
/// Gives back what nobody committed in time. A commit that comes later takes the goods again if they are
/// still there, so an early or a late sweep costs a sale at worst, never the truth.
/// </summary>
public sealed class ExpireHolds(StockTables tables)
{
    /// <summary>
    /// How long a hold outlives its end. The end was set by the coordinator's clock and is judged by this
    /// one: the grace covers what two synchronized clocks may differ by, and a renewal or a commit that is
    /// already under way.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public TimedJob Job => new("expire-holds", TimeSpan.FromSeconds(1), RunAsync);

    public async Task<int> RunAsync(Work work, int most)
    {
        var dueBefore = work.Now - Grace;
        var due = await tables.LockDueReservationsAsync(work, dueBefore, most);
        if (due.Count == 0) return 0;
        var skus = due.SelectMany(row => row.Lines).Select(line => line.Sku);
        var stock = new StockBatch(due, await tables.LockItemsAsync(work, skus), work.Now);
        stock.Expire(dueBefore);
        tables.Save(work, stock, "expire-holds");
        return due.Count;
    }
}
