using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Messages of one sender, in as many AMQP messages as necessary: queued, then sent, then confirmed or failed. The first
/// claim, by the publishing loop or by a sender that gives up, decides whether they are sent at all.
/// </summary>
/// <param name="service">Receiving service.</param>
/// <param name="instance">Receiving instance; null for the inbox of the service.</param>
/// <param name="replyTo">Queue for replies; null for the inbox of the sending service.</param>
/// <param name="messages">Messages; none for a probe, which asks which instance is active.</param>
sealed class Publication(string service, string? instance, string? replyTo, IReadOnlyList<Message> messages)
{
    const string Probe = "probe";

    readonly TaskCompletionSource confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int claimed;
    // One for the loop, until the last AMQP message is sent.
    int unconfirmed = 1;

    public string Service => service;

    public string? Instance => instance;

    public string? ReplyTo => replyTo;

    public IReadOnlyList<Message> Messages => messages;

    /// <summary>Routing key of the AMQP message that begins with the message at an index.</summary>
    public string KeyAt(int index) =>
        $"{(instance is null ? service : InstanceQueue.NameOf(service, instance))}."
        + (messages.Count == 0 ? Probe : messages[index].Type);

    public Task Confirmed => confirmed.Task;

    /// <summary>Set if the broker found no queue.</summary>
    public string? Returned { get; set; }

    public bool TryClaim() => Interlocked.Exchange(ref claimed, 1) == 0;

    /// <summary>Counts an AMQP message, before it is sent.</summary>
    public void Expect() => Interlocked.Increment(ref unconfirmed);

    /// <summary>Counts a confirmed AMQP message, or the end of sending.</summary>
    public void Confirm()
    {
        if (Interlocked.Decrement(ref unconfirmed) == 0) confirmed.TrySetResult();
    }

    public void Fail(string why) => confirmed.TrySetException(new PublishFailedException(why));

    /// <summary>Fails because the broker has no queue for the messages.</summary>
    public void FailUnrouted(string why)
    {
        if (instance is null) Fail($"RabbitMQ has no queue for {service}: {why}.");
        else confirmed.TrySetException(new InstanceGoneException(instance));
    }

    public void GiveUp()
    {
        TryClaim();
        confirmed.TrySetCanceled();
    }
}

/// <summary>The queue of the receiving instance does not exist. Nothing was delivered there.</summary>
sealed class InstanceGoneException(string instance) : Exception($"RabbitMQ has no queue for the instance {instance}.");
