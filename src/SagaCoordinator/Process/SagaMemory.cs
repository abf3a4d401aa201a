using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Running sagas in the state last written by this instance. The reply to a command usually reaches the instance that sent
/// the command, so the saga advances without a read. An entry may be outdated: updates based on an entry are guarded by the
/// row's version (docs/adr/0011).
/// </summary>
public sealed class SagaMemory
{
    const int Capacity = 5_000;

    readonly RowCache<SagaRecord> sagas = new(Capacity);

    /// <summary>The saga as last written by this instance; null without an entry.</summary>
    public SagaRecord? Find(Guid orderId) => sagas.Find(orderId);

    /// <summary>Remembers sagas as a commit left them. Ended sagas are forgotten, because few messages follow.</summary>
    public void Remember(IReadOnlyList<SagaProgress> committed)
    {
        foreach (var saga in committed)
            if (saga.State.EndedAt is null) sagas.Remember(saga.OrderId, saga.Record);
            else sagas.Forget(saga.OrderId);
    }
}
