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
        var late = memory.LongAhead(work.Now, most);
        var sagas = late.Select(known => SagaProgress.Of(known, work.Now, memory.IsAlone(work.Now))).ToList();
        var written = await store.UpdateAsync(sagas, work);
        work.AfterCommit(() =>
        {
            foreach (var saga in sagas)
                if (written.Contains(saga.OrderId)) memory.Saved(saga, work.Now);
                else memory.Forget(saga.OrderId);
        });
        return late.Count;
    }
}
