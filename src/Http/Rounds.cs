namespace Orderwright.Http;

/// <summary>Order of the requests of a batch that may concern the same row.</summary>
public static class Rounds
{
    /// <summary>
    /// Puts requests with the same key into successive rounds, in order of arrival: each decides on the result of the one before.
    /// </summary>
    /// <param name="batch">Requests.</param>
    /// <param name="keyOf">Key of the row that a request concerns.</param>
    /// <returns>Places in the batch, by round.</returns>
    public static IEnumerable<IReadOnlyList<int>> Of<T>(IReadOnlyList<T> batch, Func<T, Guid> keyOf)
    {
        var counts = new Dictionary<Guid, int>();
        return Enumerable.Range(0, batch.Count)
            .Select(at =>
            {
                var round = counts.GetValueOrDefault(keyOf(batch[at]));
                counts[keyOf(batch[at])] = round + 1;
                return (At: at, Round: round);
            })
            .GroupBy(item => item.Round).OrderBy(round => round.Key)
            .Select(round => (IReadOnlyList<int>)[.. round.Select(item => item.At)]);
    }
}
