using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService;

/// <summary>
/// Reads <c>order_events</c> for the outside, and wakes the live streams when there is something new. One
/// look at the table serves all streams; each then reads what concerns it.
/// </summary>
/// <remarks>
/// The feed is read up to a horizon: the last number before that of the oldest writer still at work.
/// PostgreSQL gives numbers before the commit, so a number above the horizon may be visible while a lower one
/// is not yet. Every number up to the horizon is either visible to a snapshot taken afterwards, or was rolled
/// back and never will be. The numbers given are asked for before the writers, and the rows are read after
/// both, by a statement of its own: in any other order a writer could slip through between.
/// </remarks>
public sealed partial class EventFeed(
    IDatabase database, SqlCatalog sql, TimeProvider time, ILogger<EventFeed> log)
{
    /// <summary>Live streams open at once, in one instance.</summary>
    public const int MaxStreams = 512;

    // A merchant's own events may be far apart in the feed of all; a read stops somewhere.
    const int Window = 10_000;

    // Other instances commit events as well, and do not raise ours.
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    // Between two looks, however many commits there are.
    static readonly TimeSpan RestAtLeast = TimeSpan.FromMilliseconds(20);

    readonly ConcurrentDictionary<Subscription, bool> streams = new();
    readonly Channel<bool> raised = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    long lastHorizon;
    int open;

    /// <summary>A stream's place here. It is woken whenever there may be something for it.</summary>
    public sealed class Subscription(EventFeed feed, Guid? orderId) : IDisposable
    {
        readonly Channel<bool> woken = Channel.CreateBounded<bool>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public Guid? OrderId => orderId;

        // What was committed between its first read and the first look of the feed is found by waking it
        // once.
        public bool IsNew { get; set; } = true;

        public ChannelReader<bool> Woken => woken.Reader;

        public void Wake() => woken.Writer.TryWrite(true);

        public void Dispose()
        {
            if (feed.streams.TryRemove(this, out _)) Interlocked.Decrement(ref feed.open);
        }
    }

    public BackgroundLoop Loop => new("feed", RunAsync);

    /// <summary>This instance has committed events: no need to wait for the next look.</summary>
    public void Raise() => raised.Writer.TryWrite(true);

    /// <summary>
    /// Opens a stream of one order, or of all. Throws <see cref="OverloadedException"/> past the limit.
    /// </summary>
    public Subscription Subscribe(Guid? orderId)
    {
        if (Interlocked.Increment(ref open) > MaxStreams)
        {
            Interlocked.Decrement(ref open);
            throw new OverloadedException($"{MaxStreams} event streams are open.");
        }
        var subscription = new Subscription(this, orderId);
        streams.TryAdd(subscription, true);
        Raise();
        return subscription;
    }

    /// <summary>Events of one order with a number above <paramref name="after"/>, in order.</summary>
    public Task<List<EventBody>> ReadOrderAsync(Guid orderId, long after, int limit, CancellationToken cancel) =>
        // An order's events are written one transaction after the other, so none can slip in before another.
        database.QueryAsync(
            sql["load_order_events"],
            SqlArgs.With("order_id", orderId).And("after", after).And("limit", limit), ReadEvent, cancel);

    /// <summary>
    /// Events of all orders, or of a merchant's, above <paramref name="after"/>: at most <paramref
    /// name="limit"/>, in order, and where to go on; null at the present end.
    /// </summary>
    /// <param name="merchant">Whose; null for all.</param>
    /// <param name="after">The last number known.</param>
    /// <param name="limit">Events, at most.</param>
    /// <param name="isFresh">Looks how far the feed goes now; a stream that was just woken takes the last
    /// look.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task<(List<EventBody> Events, long? Next)> ReadAsync(
        string? merchant, long after, int limit, bool isFresh, CancellationToken cancel)
    {
        var horizon = isFresh ? await HorizonAsync(cancel) : Interlocked.Read(ref lastHorizon);
        if (after >= horizon) return ([], null);
        var until = Math.Min(horizon, after + Window);
        var args = SqlArgs.With("after", after).And("until", until).And("limit", limit);
        var events = merchant is null
            ? await database.QueryAsync(sql["load_feed"], args, ReadEvent, cancel)
            : await database.QueryAsync(sql["load_merchant_feed"], args.And("merchant", merchant), ReadEvent, cancel);
        var read = events.Count == limit ? events[^1].Seq : until;
        return (events, read < horizon ? read : null);
    }

    /// <summary>The highest number up to which the feed is complete.</summary>
    public async Task<long> HorizonAsync(CancellationToken cancel)
    {
        var given = (await database.QueryAsync(sql["feed_given"], SqlArgs.None, row => row.BigInt(0), cancel))[0];
        var oldest = await database.QueryAsync(
            sql["feed_writers"], SqlArgs.None, row => row.BigIntOrNull(0), cancel);
        return Math.Min(given, oldest[0] ?? given);
    }

    async Task RunAsync(CancellationToken cancel)
    {
        var raise = NextRaiseAsync(cancel);
        while (true)
        {
            if (streams.IsEmpty)
                await raise;
            else
                await LookAsync(cancel);
            await Task.Delay(RestAtLeast, time, cancel);
            await Task.WhenAny(raise, Task.Delay(LookEvery, time, cancel));
            if (raise.IsCompleted) raise = NextRaiseAsync(cancel);
        }
    }

    Task<bool> NextRaiseAsync(CancellationToken cancel) => raised.Reader.ReadAsync(cancel).AsTask();

    async Task LookAsync(CancellationToken cancel)
    {
        try
        {
            var seen = lastHorizon;
            var horizon = await HorizonAsync(cancel);
            var present = streams.Keys.ToList();
            var orders = present.Where(stream => !stream.IsNew).Select(stream => stream.OrderId).OfType<Guid>()
                .Distinct().ToList();
            var touched = horizon == seen || orders.Count == 0 ? [] : (await database.QueryAsync(
                sql["touched_orders"], SqlArgs.OfUuids("id", orders).And("after", seen), row => row.Uuid(0), cancel))
                .ToHashSet();
            Interlocked.Exchange(ref lastHorizon, horizon);
            foreach (var stream in present)
            {
                if (stream.IsNew || (stream.OrderId is { } order ? touched.Contains(order) : horizon != seen))
                    stream.Wake();
                stream.IsNew = false;
            }
        }
        catch (DatabaseUnavailableException error)
        {
            LogDatabaseAway(error.Message);
        }
    }

    static EventBody ReadEvent(IRow row) => new(
        row.BigInt(0), row.Uuid(1), row.BigInt(2), row.Text(3), row.Text(4), row.Time(5), row.Text(6),
        row.TextOrNull(7), StoredEventData.Read(row.Text(8), row.Time(5)));

    [LoggerMessage(4011, LogLevel.Warning, "The database is away for the event streams: {Why}")]
    partial void LogDatabaseAway(string why);
}
