using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The heart of the coordinator: placed orders, cancellations and the participants' replies advance their sagas. All messages
/// about one saga in a batch are decided in order of arrival and saved once, in the transaction of the batch.
/// </summary>
/// <remarks>
/// A saga is loaded only where a guess fails. A newly placed order is inserted, and a saga that this instance wrote last is
/// updated, both without a read. Where the insert finds a row, or the update finds another version, nothing is written: the
/// saga is then locked, loaded and decided on again (docs/adr/0011).
/// </remarks>
public sealed partial class AdvanceSagas(
    SagaStore store, SagaMemory memory, SignsOfLife signs, ILogger<AdvanceSagas> log)
    : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } =
        [typeof(OrderPlaced), typeof(CancelRequested), typeof(StepAnswered)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var sagas = new SagaBatch(batch, memory, work.Now);
        sagas.Confirm(sagas.Remembered, await store.UpdateAsync(sagas.Remembered, work));
        sagas.Decide(await store.LockAsync(sagas.ToLock, work));
        sagas.Confirm(sagas.New, await store.InsertAsync(sagas.New, work));

        // Orders that only looked new: sent twice, or begun by another instance a moment ago.
        sagas.Decide(await store.LockAsync(sagas.ToLock, work));
        await store.UpdateLockedAsync(sagas.Locked, work);

        store.MoveTimers(sagas.All, work);
        foreach (var saga in sagas.All) saga.Send(work);
        signs.Hear(batch, work.Now);
        work.AfterCommit(() => memory.Remember(sagas.All));
        if (sagas.Unknown > 0) LogUnknown(sagas.Unknown);
    }

    [LoggerMessage(3001, LogLevel.Warning, "Replies about {Count} orders without a saga were dropped")]
    partial void LogUnknown(int count);
}
