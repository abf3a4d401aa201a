using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// Saves the sagas that have been ahead of their rows for long enough: those that take longer than most. So a row is never far
/// behind, and what people and other instances see is never old.
/// </summary>
public sealed class SaveProgress(SagaStore store, SagaMemory memory)
{
    public TimedJob Job => new("save-progress", null, RunAsync);

    async Task<int> RunAsync(Work work, int most)
    {
        var late = memory.TakeLongAhead(work.Now, most);
        var sagas = late.Select(known => SagaProgress.Of(known, work.Now, memory.IsAlone(work.Now))).ToList();
        var written = await store.UpdateAsync(sagas, work);
        work.AfterCommit(() =>
        {
            // Of one that somebody else advanced nothing is known but its row.
            foreach (var saga in sagas.Where(saga => written.Contains(saga.OrderId)))
                memory.Remember(saga, isSaved: true, work.Now);
        });
        return late.Count;
    }
}
