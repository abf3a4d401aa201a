using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.StepService;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Handler at the heart of the coordinator: placed orders, cancellations and the participants' replies advance the sagas.
/// All messages of a batch about one saga are decided in order of arrival and saved once, in the transaction of the batch.
/// </summary>
/// <remarks>
/// A saga is loaded only where a guess fails. A newly placed order is inserted, and a saga that this instance wrote last is
/// updated, both without a read. Where the insert finds a row, or the update finds another version, nothing is written: the
/// saga is then locked, loaded and decided on again (docs/adr/0011).
/// </remarks>
public sealed partial class AdvanceSagas(
    SagaStore store, SagaMemory memory, ProcessVersions versions, TakeCall calls, ILogger<AdvanceSagas> log) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } =
        [typeof(OrderPlaced), typeof(CancelRequested), typeof(StepAnswered), typeof(AskSaga), typeof(OrderRecalled)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var sagas = new SagaBatch(batch, memory, versions.Current, work.Now);
        sagas.Confirm(await store.UpdateAsync(work, sagas.Remembered), sagas.Remembered);
        sagas.Decide(await store.LockAsync(work, sagas.ToLock));
        sagas.Confirm(await store.InsertAsync(work, sagas.New), sagas.New);

        // Orders that only looked new: sent twice, or begun by another instance a moment ago.
        sagas.Decide(await store.LockAsync(work, sagas.ToLock));
        await store.UpdateLockedAsync(work, sagas.Locked);

        var decided = sagas.All;
        store.MoveTimers(work, decided);
        foreach (var saga in decided) saga.Send(work, calls);
        foreach (var (orderId, (body, step, _, _)) in sagas.AboutUnknown) work.Send(orderId, body, step);
        work.AfterCommit(() => memory.Remember(decided));
        if (sagas.Unknown > 0) LogUnknown(sagas.Unknown);
    }

    [LoggerMessage(3001, LogLevel.Warning, "Replies about {Count} orders without a saga were dropped")]
    partial void LogUnknown(int count);
}
