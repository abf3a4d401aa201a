using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// Running sagas as this instance wrote them last. The reply to a command usually reaches the instance that sent it, which
/// then advances the saga without loading it. An entry may be outdated: an update that builds on one is guarded by the row's
/// version (docs/adr/0011).
/// </summary>
public sealed class SagaMemory
{
    const int Capacity = 5_000;

    readonly RowCache<SagaRecord> sagas = new(Capacity);

    /// <summary>The saga as this instance wrote it last; null where it did not, or has forgotten it.</summary>
    public SagaRecord? Find(Guid orderId) => sagas.Find(orderId);

    /// <summary>Remembers sagas as a commit left them. Ended ones are forgotten: few messages follow.</summary>
    public void Remember(IEnumerable<SagaProgress> committed)
    {
        foreach (var saga in committed)
            if (saga.State.EndedAt is null) sagas.Remember(saga.OrderId, saga.Record);
            else sagas.Forget(saga.OrderId);
    }
}
