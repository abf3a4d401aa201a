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

    /// <summary>Interval at which timers look for due rows.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan TimerInterval { get; set; } = TimeSpan.FromMilliseconds(250);
}
