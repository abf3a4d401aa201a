using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator.Process;
using Orderwright.StepService;

namespace Orderwright.SagaCoordinator.Healing;

/// <summary>
/// Repairs sagas that were lost or set back with the database, by the facts of the other services (docs/adr/0033): the saga is
/// inserted or rewritten, its commands and announcements are sent, and a record of the request goes to the audit. A saga that
/// has advanced since it was read is left alone.
/// </summary>
public sealed class HealSagas(
    SagaStore store, SagaMemory memory, ProcessVersions versions, TakeCall calls, Audit audit)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<HealSagasRequest>> batch, Work work)
    {
        var answers = new List<Answer>(batch.Count);
        foreach (var command in batch)
        {
            var repaired = await RepairAsync(command.Body.Orders, work);
            await audit.AppendAsync(work, Repairs.EntryOf(ServiceNames.Coordinator, command, repaired, work));
            answers.Add(Repairs.Answer(repaired, command.Body.Orders.Count - repaired.Count, []));
        }
        return answers;
    }

    async Task<IReadOnlyList<Guid>> RepairAsync(IReadOnlyList<SagaRepair> repairs, Work work)
    {
        var sagas = await store.LockAsync(work, [.. repairs.Select(repair => repair.OrderId).Distinct().Order()]);
        var missing = new List<SagaProgress>();
        var changed = new List<SagaProgress>();
        foreach (var repair in repairs.DistinctBy(repair => repair.OrderId))
        {
            var known = sagas.GetValueOrDefault(repair.OrderId);
            if (known?.State.Version != repair.Version) continue;
            if (SagaRecovery.Of(repair, known, versions.Current, work.Now) is { } saga)
                (known is null ? missing : changed).Add(saga);
        }
        if ((await store.InsertAsync(work, missing)).Count < missing.Count)
            throw new StaleSagaException("Another transaction has begun a saga that was to be repaired.");
        await store.UpdateLockedAsync(work, changed);
        List<SagaProgress> all = [.. missing, .. changed];
        store.MoveTimers(work, all);
        foreach (var saga in all) saga.Send(work, calls);
        work.AfterCommit(() => memory.Remember(all));
        return [.. all.Select(saga => saga.OrderId)];
    }
}
