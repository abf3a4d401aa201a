using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService.Events;

/// <summary>
/// Reads <c>order_events</c> for external readers, and wakes live streams on new events. A single poll of the table serves all
/// streams; each stream then reads its own events.
/// </summary>
/// <remarks>
/// The feed is read up to a horizon: the last sequence value before those of the oldest open writer. PostgreSQL assigns
/// values before commit, so a value above the horizon may be visible while a lower one is not. Every value up to the horizon
/// is either visible to a later snapshot or was rolled back. The last value is read before the writers, and the rows after
/// both, in a separate statement: in any other order a writer could slip in between.
/// </remarks>
public sealed partial class EventFeed(
    IDatabase database, SqlCatalog sql, RuntimeOptions options, TimeProvider time, ILogger<EventFeed> log,
    Fence? fence = null)
{
    // A channel's own events may be far apart in the feed; a read covers at most 10,000 values of seq.
    const int Window = 10_000;

    // The closing of the fence for which this instance has begun an epoch.
    DateTimeOffset? epochOf;

    static readonly DateTimeOffset FirstEpoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Events committed by other instances raise no signal here.
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // Minimum time between two polls, however many commits raise the signal.
    static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(20);

    readonly ConcurrentDictionary<Subscription, bool> streams = new();
    readonly Channel<bool> raised = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly Lock gate = new();
    readonly Dictionary<string, int> openByCaller = [];
    long lastHorizon;
    int open;

    /// <summary>Registration of a stream, woken by new events.</summary>
    public sealed class Subscription(EventFeed feed, Guid? orderId, string caller) : IDisposable
    {
        readonly Channel<bool> woken = Channel.CreateBounded<bool>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public Guid? OrderId => orderId;

        // A new stream is woken once, for events committed between the first read and the next poll.
        public bool IsNew { get; set; } = true;

        public ChannelReader<bool> Woken => woken.Reader;

        public void Wake() => woken.Writer.TryWrite(true);

        public void Dispose()
        {
            if (feed.streams.TryRemove(this, out _)) feed.Leave(caller);
        }
    }

    public BackgroundLoop Loop => new("feed", RunAsync);

    /// <summary>Called after each commit with events of this instance; must be quick and must not throw.</summary>
    public Action Raised { get; set; } = () => { };

    /// <summary>Signals events committed by this instance, to shorten the wait for the next poll.</summary>
    public void Raise()
    {
        raised.Writer.TryWrite(true);
        Raised();
    }

    /// <summary>
    /// Opens a stream of one order, or of all; null past the limit of the caller. Throws <see cref="OverloadedException"/> past
    /// the limit of the instance.
    /// </summary>
    /// <param name="orderId">Order; null for all orders.</param>
    /// <param name="caller">Owner of the stream.</param>
    public Subscription? Subscribe(Guid? orderId, string caller)
    {
        if (!Enter(caller)) return null;
        var subscription = new Subscription(this, orderId, caller);
        streams.TryAdd(subscription, true);
        Raise();
        return subscription;
    }

    /// <summary>Reads the events of one order with a <c>seq</c> above <paramref name="after"/>, in order.</summary>
    public Task<List<EventResponse>> ReadOrderAsync(Guid orderId, long after, int limit, CancellationToken cancel) =>
        // The lock on the order's row serializes the writers of these events, so no horizon is needed.
        database.QueryAsync(
            sql["load_order_events"],
            SqlArgs.With("order_id", orderId).And("after", after).And("limit", limit), ReadEvent, cancel);

    /// <summary>
    /// Reads events of all orders, or of some channels, in order. Also returns the position for the next read; null at the
    /// present end of the feed.
    /// </summary>
    /// <param name="channels">A <see cref="ChannelSet.Filter"/>.</param>
    /// <param name="after">Last <c>seq</c> already read.</param>
    /// <param name="limit">Maximum number of events.</param>
    /// <param name="isFresh">True to query the horizon; a stream that was just woken uses the last poll's.</param>
    /// <param name="cancel">Cancels the read.</param>
    public async Task<(List<EventResponse> Events, long? Next)> ReadAsync(
        string? channels, long after, int limit, bool isFresh, CancellationToken cancel)
    {
        var horizon = isFresh ? await HorizonAsync(cancel) : Interlocked.Read(ref lastHorizon);
        var (events, through) = await ReadAsync(channels, after, limit, horizon, cancel);
        return (events, through < horizon ? through : null);
    }

    /// <summary>
    /// Reads events of all orders, or of some channels, up to a horizon. Also returns the position through which all of them
    /// were read: <paramref name="horizon"/> at the end.
    /// </summary>
    /// <param name="channels">A <see cref="ChannelSet.Filter"/>.</param>
    /// <param name="after">Last <c>seq</c> already read.</param>
    /// <param name="limit">Maximum number of events.</param>
    /// <param name="horizon">Position returned by <see cref="HorizonAsync"/>.</param>
    /// <param name="cancel">Cancels the read.</param>
    public async Task<(List<EventResponse> Events, long Through)> ReadAsync(
        string? channels, long after, int limit, long horizon, CancellationToken cancel)
    {
        if (after >= horizon) return ([], after);
        var until = Math.Min(horizon, after + Window);
        var args = SqlArgs.With("after", after).And("until", until).And("limit", limit);
        var events = channels is null
            ? await database.QueryAsync(sql["load_feed"], args, ReadEvent, cancel)
            : await database.QueryAsync(sql["load_channel_feed"], args.And("channels", channels), ReadEvent, cancel);
        var through = events.Count == limit ? events[^1].Seq : until;
        // Epochs leave large gaps.
        if (events.Count == 0 && through < horizon)
            through = (await database.QueryAsync(
                sql["next_event_seq"], SqlArgs.With("after", through), row => row.BigIntOrNull("seq"), cancel))[0] - 1 ?? horizon;
        return (events, Math.Min(through, horizon));
    }

    /// <summary>Queries the highest <c>seq</c> up to which the feed is complete.</summary>
    public async Task<long> HorizonAsync(CancellationToken cancel)
    {
        var last = await database.QueryAsync(sql["last_event_seq"], SqlArgs.None, row => row.BigInt("seq"), cancel);
        var oldest = await database.QueryAsync(
            sql["oldest_event_writer"], SqlArgs.None, row => row.BigIntOrNull("seq"), cancel);
        return Math.Min(last[0], oldest[0] ?? last[0]);
    }

    /// <summary>
    /// Begins an epoch of <c>seq</c> before the first event after a restore: above every value that a reader may have received
    /// from the lost events, so that no reader misses an event or takes one for another. Values have 48 bits; the upper 20 count
    /// units of ten minutes. No effect on an open fence, or when repeated.
    /// </summary>
    public async Task BeginEpochAsync(Work work)
    {
        if (fence?.ClosedAt is not { } closedAt || closedAt == epochOf) return;
        var args = SqlArgs.With("epoch", (long)(work.Now - FirstEpoch).TotalMinutes / 10);
        await work.ExecuteAsync(sql["begin_first_epoch"], args);
        await work.ExecuteAsync(sql["begin_epoch"], args);
        work.AfterCommit(() => epochOf = closedAt);
    }

    /// <summary>True for a position beyond the feed: the reader has seen events that a restore has removed.</summary>
    public async Task<bool> IsAheadAsync(long after, CancellationToken cancel) =>
        after > (await database.QueryAsync(sql["last_event_seq"], SqlArgs.None, row => row.BigInt("seq"), cancel))[0];

    bool Enter(string caller)
    {
        lock (gate)
        {
            var its = openByCaller.GetValueOrDefault(caller);
            if (its == options.MaxStreamsPerCaller) return false;
            if (open == options.MaxStreams) throw new OverloadedException($"{open} event streams are open.");
            openByCaller[caller] = its + 1;
            open++;
            return true;
        }
    }

    void Leave(string caller)
    {
        lock (gate)
        {
            open--;
            if (--openByCaller[caller] == 0) openByCaller.Remove(caller);
        }
    }

    async Task RunAsync(CancellationToken cancel)
    {
        var raise = NextRaiseAsync(cancel);
        while (true)
        {
            if (streams.IsEmpty)
                await raise;
            else
                await PollAsync(cancel);
            await Task.Delay(MinInterval, time, cancel);
            await Task.WhenAny(raise, Task.Delay(Interval, time, cancel));
            if (raise.IsCompleted) raise = NextRaiseAsync(cancel);
        }
    }

    Task<bool> NextRaiseAsync(CancellationToken cancel) => raised.Reader.ReadAsync(cancel).AsTask();

    async Task PollAsync(CancellationToken cancel)
    {
        try
        {
            var seen = lastHorizon;
            var horizon = await HorizonAsync(cancel);
            var present = streams.Keys.ToList();
            var orders = present.Where(stream => !stream.IsNew).Select(stream => stream.OrderId).OfType<Guid>()
                .Distinct().ToList();
            var changed = horizon == seen || orders.Count == 0 ? [] : (await database.QueryAsync(
                sql["changed_orders"], SqlArgs.OfUuids("id", orders).And("after", seen), row => row.Uuid("order_id"), cancel))
                .ToHashSet();
            Interlocked.Exchange(ref lastHorizon, horizon);
            foreach (var stream in present)
            {
                if (stream.IsNew || (stream.OrderId is { } order ? changed.Contains(order) : horizon != seen))
                    stream.Wake();
                stream.IsNew = false;
            }
        }
        catch (DatabaseUnavailableException error)
        {
            LogUnavailable(error.Message);
        }
    }

    /// <summary>Reads the columns of an event.</summary>
    public static EventResponse ReadEvent(IRow row)
    {
        var at = row.Time("at");
        return new(
            row.BigInt("seq"), row.Uuid("order_id"), row.BigInt("version"), row.Text("type"), row.Text("status"), at,
            row.Text("actor"), row.TextOrNull("trace_id"), StoredEventData.Read(row.Text("data"), at));
    }

    [LoggerMessage(4011, LogLevel.Warning, "Database unavailable; event streams are delayed: {Why}")]
    partial void LogUnavailable(string why);
}
