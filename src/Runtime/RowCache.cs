namespace Orderwright.Runtime;

/// <summary>
/// Rows that this instance wrote last, as it left them: what is said next about a row mostly comes to the one who wrote it,
/// and need not load what it wrote a moment ago. It is a guess: another instance may have changed the row since. So it counts
/// only where the write that builds on it finds the row's version as it was (docs/adr/0011).
/// </summary>
/// <param name="capacity">Rows, about: it keeps between this many and twice as many.</param>
public sealed class RowCache<T>(int capacity) where T : class
{
    readonly Lock gate = new();
    Dictionary<Guid, T> young = [];
    Dictionary<Guid, T> old = [];

    public T? Find(Guid id)
    {
        lock (gate) return young.GetValueOrDefault(id) ?? old.GetValueOrDefault(id);
    }

    public void Remember(Guid id, T row)
    {
        lock (gate)
        {
            if (young.Count >= capacity) (young, old) = ([], young);
            young[id] = row;
        }
    }

    /// <summary>There is little to hear of it any more.</summary>
    public void Forget(Guid id)
    {
        lock (gate)
        {
            young.Remove(id);
            old.Remove(id);
        }
    }
}
