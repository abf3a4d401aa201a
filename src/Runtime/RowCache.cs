namespace Orderwright.Runtime;

/// <summary>
/// Rows last written by the instance. The next message about a row usually reaches the writer of the row,
/// which need not load the row. An entry is only a guess, because another instance may have changed the row, and counts only
/// if the next write finds the expected version (docs/adr/0011).
/// </summary>
/// <param name="capacity">Approximate number of rows; the cache keeps up to twice as many.</param>
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

    /// <summary>Drops a row when few further messages are expected.</summary>
    public void Forget(Guid id)
    {
        lock (gate)
        {
            young.Remove(id);
            old.Remove(id);
        }
    }
}
