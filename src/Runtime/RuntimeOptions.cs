using System.ComponentModel.DataAnnotations;

namespace Orderwright.Runtime;

/// <summary>
/// The limits of a service. Settings: <c>ORDERWRIGHT_{NAME}</c>, such as <c>ORDERWRIGHT_MAXMESSAGES=256</c>. Every
/// queue, wait and retry has one; there is no "unlimited".
/// </summary>
public sealed class RuntimeOptions
{
    /// <summary>Messages or requests in one transaction, at most. 1 to 8,192; default 1,024.</summary>
    [Range(1, 8_192)]
    public int MaxMessages { get; set; } = 1_024;

    /// <summary>AMQP messages (each a batch) fetched ahead. 1 to 4,096; default 64.</summary>
    [Range(1, 4_096)]
    public int Prefetch { get; set; } = 64;

    /// <summary>HTTP requests that wait for a transaction; one more is answered 503. 1 to 100,000; default 4,096.</summary>
    [Range(1, 100_000)]
    public int MaxWaitingRequests { get; set; } = 4_096;

    /// <summary>Messages that wait in one in-process inbox; one more is not taken. Default 100,000.</summary>
    [Range(16, 10_000_000)]
    public int InboxCapacity { get; set; } = 100_000;

    /// <summary>Unsettled orders one order-service admits before it answers 503. Default 2,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxOrdersInFlight { get; set; } = 2_000;

    /// <summary>
    /// Unsettled orders of any age, those included that wait for a person or for a service that is down; past it
    /// order-service answers 503, give or take what comes in within a second. Default 20,000.
    /// </summary>
    [Range(1, 100_000_000)]
    public int MaxUnsettledOrders { get; set; } = 20_000;

    /// <summary>Attempts at a batch that throws before it is halved. 1 to 10; default 2.</summary>
    [Range(1, 10)]
    public int BatchAttempts { get; set; } = 2;

    /// <summary>How long a publish may take before it counts as lost. 10 ms to 1 min; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request waits for its transaction before it is answered 503. 10 ms to 1 min; default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one transaction may take. 100 ms to 10 min; default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan TransactionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Transactions at a time on PostgreSQL; one more waits. SQLite has one writer. 1 to 100; default 8.</summary>
    [Range(1, 100)]
    public int MaxWriters { get; set; } = 8;

    /// <summary>
    /// Connections for reads, apart from the writers', so that a flood of reads never holds up an order. 1 to 100;
    /// default 8.
    /// </summary>
    [Range(1, 100)]
    public int MaxReaders { get; set; } = 8;

    /// <summary>How often timers look at their rows. 10 ms to 1 min; default 250 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan TimerInterval { get; set; } = TimeSpan.FromMilliseconds(250);
}
