namespace Orderwright.SagaCoordinator;

/// <summary>
/// The sagas that this instance advanced last, as it left them: the answer to a command mostly comes to the
/// one who asked, and need not load what it wrote a moment ago. It is a guess: another instance, or a timer,
/// may have advanced the saga since. So it counts only where the row's version confirms it. For one thread at
/// a time.
/// </summary>
/// <param name="capacity">Sagas, about: it keeps between this many and twice as many.</param>
public sealed class RecentSagas(int capacity)
{
    Dictionary<Guid, SagaRecord> young = [];
    Dictionary<Guid, SagaRecord> old = [];

    public SagaRecord? Find(Guid orderId) =>
        young.GetValueOrDefault(orderId) ?? old.GetValueOrDefault(orderId);

    /// <summary>One that has ended is forgotten: there is little to hear of it.</summary>
    public void Remember(SagaRecord saga)
    {
        if (saga.State.EndedAt is not null)
        {
            young.Remove(saga.OrderId);
            old.Remove(saga.OrderId);
            return;
        }
        if (young.Count >= capacity) (young, old) = ([], young);
        young[saga.OrderId] = saga;
    }
}
