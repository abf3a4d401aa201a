using System.Collections.Concurrent;

namespace Orderwright.Runtime.Tests;

/// <summary>Events of a test, in order, from all threads.</summary>
public sealed class Journal
{
    readonly ConcurrentQueue<string> lines = new();

    public IReadOnlyList<string> Lines => [.. lines];

    public void Note(string line) => lines.Enqueue(line);

    public void Clear() => lines.Clear();
}
