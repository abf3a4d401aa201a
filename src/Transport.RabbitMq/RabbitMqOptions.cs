using System.ComponentModel.DataAnnotations;

namespace Orderwright.Transport.RabbitMq;

/// <summary>Where the broker is, and the limits of what waits in it. There is no unbounded queue.</summary>
public sealed class RabbitMqOptions : IValidatableObject
{
    /// <summary>
    /// <c>amqp://user:password@host:port/vhost</c>, or <c>amqps</c> for TLS. Without a path the virtual host
    /// is <c>/</c>; one that contains a slash is written with <c>%2f</c>.
    /// </summary>
    [Required]
    public string Url { get; set; } = "";

    /// <summary>How our connections are called in the broker's lists. Default <c>orderwright</c>.</summary>
    public string ClientName { get; set; } = "orderwright";

    /// <summary>
    /// Quorum queues instead of classic ones: they survive a lost node of a cluster, at about two thirds of
    /// the throughput (DESIGN.md, section 9). A queue that exists keeps its kind. Default off.
    /// </summary>
    public bool QuorumQueues { get; set; }

    /// <summary>
    /// Deliveries a quorum queue gives a message before it goes to <c>orderwright.dead</c>; each connection
    /// lost with messages unacknowledged costs one. 1 to 10,000; default 50.
    /// </summary>
    [Range(1, 10_000)]
    public int DeliveryLimit { get; set; } = 50;

    /// <summary>
    /// AMQP messages (each a batch) that wait in one queue; the broker refuses one more, and its publish
    /// fails. 10 to 10,000,000; default 50,000.
    /// </summary>
    [Range(10, 10_000_000)]
    public int MaxQueueLength { get; set; } = 50_000;

    /// <summary>The same limit in bytes of bodies. 1 MiB to 1 TiB; default 2 GiB.</summary>
    [Range(1L << 20, 1L << 40)]
    public long MaxQueueBytes { get; set; } = 2L << 30;

    /// <summary>
    /// About how large an AMQP message may become; what is more goes into another one. RabbitMQ 4 takes 16
    /// MiB by default. 1 KiB to 8 MiB; default 480 kB, which fits the client's buffers of 512 KiB.
    /// </summary>
    [Range(1 << 10, 8 << 20)]
    public int MaxBodyBytes { get; set; } = 480_000;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var url) || url.Scheme is not ("amqp" or "amqps"))
            yield return Refuse("is no amqp:// or amqps:// address");
        else if (url.UserInfo.Length > 0 && !url.UserInfo.Contains(':', StringComparison.Ordinal))
            yield return Refuse("names a user without a password");
        else if (url.Segments.Length > 2)
            yield return Refuse("names more than one virtual host; a slash in its name is written %2f");

        // The address itself is not repeated: it holds a password.
        static ValidationResult Refuse(string why) =>
            new($"The RabbitMQ URL {why}. Allowed: amqp://user:password@host:port/vhost.", [nameof(Url)]);
    }
}
