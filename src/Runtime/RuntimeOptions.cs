using System.ComponentModel.DataAnnotations;

namespace Orderwright.Runtime;

/// <summary>Limits of a service. Every queue, wait and retry has a limit; "unlimited" does not exist.</summary>
public sealed class RuntimeOptions
{
    /// <summary>Maximum number of messages or requests per transaction.</summary>
    [Range(1, 8_192)]
    public int MaxMessages { get; set; } = 1_024;

    /// <summary>AMQP messages, each a batch, fetched ahead of processing.</summary>
    [Range(1, 4_096)]
    public int Prefetch { get; set; } = 64;

    /// <summary>HTTP requests waiting for a transaction; further requests get 503.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingRequests { get; set; } = 4_096;

    /// <summary>Messages waiting in an in-process inbox; further messages are refused.</summary>
    [Range(16, 10_000_000)]
    public int InboxCapacity { get; set; } = 100_000;

    /// <summary>Orders in flight per instance of order-service; further orders get 503.</summary>
    [Range(1, 1_000_000)]
    public int MaxOrdersInFlight { get; set; } = 2_000;

    /// <summary>
    /// Unsettled orders of any age, including orders waiting for a person or for an unavailable service. Above the limit
    /// order-service replies 503; the count is refreshed every second.
    /// </summary>
    [Range(1, 100_000_000)]
    public int MaxUnsettledOrders { get; set; } = 20_000;

    /// <summary>Live event streams open in an instance; further streams get 503.</summary>
    [Range(1, 100_000)]
    public int MaxStreams { get; set; } = 512;

    /// <summary>
    /// Live event streams of a caller in an instance, so that no key shuts out the others; further streams get 429.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxStreamsPerCaller { get; set; } = 128;

    /// <summary>Attempts of a failing batch before halving.</summary>
    [Range(1, 10)]
    public int BatchAttempts { get; set; } = 2;

    /// <summary>Time limit of a publish; after that the messages count as lost.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time a request may wait for a transaction before getting 503.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time limit of a transaction.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan TransactionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Concurrent transactions on PostgreSQL; further transactions wait. SQLite has a single writer.</summary>
    [Range(1, 100)]
    public int MaxWriters { get; set; } = 8;

    /// <summary>
    /// Connections for reads, separate from the writers' so that a flood of reads never delays an order.
    /// </summary>
    [Range(1, 100)]
    public int MaxReaders { get; set; } = 8;

    /// <summary>
    /// Largest deviation of the process clock from the database's. Beyond the limit nothing expires and nothing is purged.
    /// Zero, possible in tests only, leaves the clocks uncompared.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan ClockTolerance { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Interval at which the database's state and clock are checked, and at which refused writes are tried again.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Interval at which a service exchanges a mark of its database with its neighbours, to notice a database restored to an
    /// earlier moment. 0 exchanges none.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan MarkInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Time for which a dead letter is kept after its last failure. Counted in running time of the service.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan DeadLetterKeep { get; set; } = TimeSpan.FromDays(90);

    /// <summary>
    /// Interval at which timers look for due rows; grows to a second while nothing is due.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan TimerInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Migrates the database's schema at start-up. If false, the service waits until the program has been run with
    /// <c>migrate</c>, and its role on PostgreSQL needs no right to create or alter tables.
    /// </summary>
    public bool Migrate { get; set; } = true;
}
