using System.ComponentModel.DataAnnotations;

namespace Orderwright.Transport.RabbitMq;

/// <summary>Address of the broker, and limits of its queues. No queue is unbounded.</summary>
public sealed class RabbitMqOptions : IValidatableObject
{
    /// <summary>
    /// Broker's address: <c>amqp://user:password@host:port/vhost</c>, or <c>amqps</c> for TLS; several nodes of a cluster
    /// separated by commas. Without a path the virtual host is <c>/</c>; a slash within its name is written <c>%2f</c>.
    /// </summary>
    [Required]
    public string Url { get; set; } = "";

    /// <summary>Name of our connections in the broker's lists.</summary>
    public string ClientName { get; set; } = "orderwright";

    /// <summary>
    /// Prefix of the broker's users, where installations share a broker: with <c>staging-</c>, messages of order-service
    /// come from the user <c>staging-order-service</c>. Messages of the receiver's own user are accepted in any case.
    /// </summary>
    public string UserPrefix { get; set; } = "";

    /// <summary>
    /// Quorum queues instead of classic ones, for the services and for dead letters: they survive the loss of a cluster node, at
    /// about two thirds of the throughput. Required in a cluster. An existing queue keeps its type. Default: true if the
    /// broker's address names several nodes.
    /// </summary>
    public bool? QuorumQueues { get; set; }

    internal bool UsesQuorumQueues => QuorumQueues ?? RabbitMqAddress.Parse(Url).IsCluster;

    /// <summary>
    /// Delivery attempts of a quorum queue before a message moves to <c>orderwright.dead</c>; each lost connection with
    /// unacknowledged messages costs one attempt.
    /// </summary>
    [Range(1, 10_000)]
    public int DeliveryLimit { get; set; } = 50;

    /// <summary>
    /// AMQP messages, each a batch, that may wait in a queue; the broker refuses further messages, and their publish fails.
    /// </summary>
    [Range(10, 10_000_000)]
    public int MaxQueueLength { get; set; } = 50_000;

    /// <summary>Limit of the waiting messages' bodies in bytes.</summary>
    [Range(1L << 20, 1L << 40)]
    public long MaxQueueBytes { get; set; } = 2L << 30;

    /// <summary>
    /// Approximate maximum size of an AMQP message in bytes; larger batches are split. RabbitMQ 4 accepts 16 MiB by default.
    /// The default fits the client's buffers of 512 KiB.
    /// </summary>
    [Range(1 << 10, 8 << 20)]
    public int MaxBodyBytes { get; set; } = 480_000;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        RabbitMqAddress? address = null;
        var fault = "";
        try
        {
            address = RabbitMqAddress.Parse(Url);
        }
        catch (FormatException error)
        {
            fault = error.Message;
        }
        if (address is null)
            yield return Refuse(fault);
        else if (address.IsCluster && QuorumQueues == false)
            yield return Refuse("names several nodes, but quorum queues are off (ORDERWRIGHT_QUORUM_QUEUES)");

        // The address itself is not repeated, because it contains a password.
        static ValidationResult Refuse(string why) =>
            new($"The RabbitMQ URL {why}. Allowed: amqp://user:password@host:port/vhost.", [nameof(Url)]);
    }
}
