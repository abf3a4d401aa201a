using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.StockService;

/// <summary>
/// Asks the coordinator about old holds. A hold ends with its saga only, so a hold whose saga was lost, or has ended unheard,
/// would keep goods from sale for good. Each run asks about the next holds in the order of order ids, and begins again after the
/// last.
/// </summary>
public sealed class AskAboutHolds(StockStore store)
{
    /// <summary>Age of an order whose hold is asked about; hardly any order is undecided for as long.</summary>
    public static readonly TimeSpan After = TimeSpan.FromMinutes(15);

    static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    Guid askedUpTo;

    public TimedJob Job => new("ask-about-holds", Interval, RunAsync);

    public async Task<int> RunAsync(Work work, int most)
    {
        var old = await store.FindHoldsAsync(work, askedUpTo, Ids.FirstAt(work.Now - After), most);
        foreach (var orderId in old) work.Send(orderId, new AskSaga());
        work.AfterCommit(() => askedUpTo = old.Count < most ? Guid.Empty : old[^1]);
        return old.Count;
    }
}
