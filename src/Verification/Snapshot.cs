using Orderwright.Runtime.Database;

namespace Orderwright.Verification;

/// <summary>
/// A consistent view of a database that stays open until disposed, so that several ordered streams can be read side by side
/// (<see cref="IDatabase.ReadAsync"/> keeps a snapshot only for the length of a callback).
/// </summary>
sealed class Snapshot : IAsyncDisposable
{
    readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task<bool> reading = Task.FromResult(true);

    Snapshot(IQueries queries) => Queries = queries;

    public IQueries Queries { get; }

    public static async Task<Snapshot> OpenAsync(IDatabase database, CancellationToken cancel)
    {
        var opened = new TaskCompletionSource<Snapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = database.ReadAsync(
            async queries =>
            {
                var snapshot = new Snapshot(queries);
                opened.SetResult(snapshot);
                await snapshot.closed.Task;
                return true;
            },
            cancel);
        if (await Task.WhenAny(opened.Task, reading) == reading) await reading;
        var result = await opened.Task;
        result.reading = reading;
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        closed.TrySetResult();
        await reading;
    }
}

/// <summary>Rows ordered by order id, taken one order at a time.</summary>
sealed class ByOrder<T>(IAsyncEnumerable<T> rows, Func<T, Guid> idOf, CancellationToken cancel) : IAsyncDisposable
{
    readonly IAsyncEnumerator<T> cursor = rows.GetAsyncEnumerator(cancel);
    readonly List<T> taken = [];
    bool some;

    /// <summary>Number of rows read so far.</summary>
    public long Count { get; private set; }

    /// <summary>The next order with a row in this stream, or null at the end.</summary>
    public Guid? Next => some ? idOf(cursor.Current) : null;

    public async Task StartAsync() => some = await cursor.MoveNextAsync();

    /// <summary>Takes the rows of <paramref name="orderId"/>, which must be the smallest id left in any stream.</summary>
    public async Task<IReadOnlyList<T>> TakeAsync(Guid orderId)
    {
        if (Next != orderId) return [];
        taken.Clear();
        while (Next == orderId)
        {
            taken.Add(cursor.Current);
            Count++;
            some = await cursor.MoveNextAsync();
        }
        return [.. taken];
    }

    /// <summary>Takes the row of a stream keyed by order id.</summary>
    public async Task<T?> TakeOneAsync(Guid orderId) => await TakeAsync(orderId) is [var row, ..] ? row : default;

    public ValueTask DisposeAsync() => cursor.DisposeAsync();
}
