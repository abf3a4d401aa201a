using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// What one sender wants published, in as many AMQP messages as it takes: in line, then sent, then confirmed or failed.
/// Whoever claims it first, the publishing loop or a sender that gives up, decides whether it is sent at all.
/// </summary>
sealed class Publication(string service, IReadOnlyList<Message> messages)
{
    readonly TaskCompletionSource confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int claimed;
    // One for the loop, until it has sent the last of them.
    int unconfirmed = 1;

    public string Service => service;

    public IReadOnlyList<Message> Messages => messages;

    public Task Confirmed => confirmed.Task;

    /// <summary>Set when the broker found no queue for it.</summary>
    public string? Returned { get; set; }

    public bool TryClaim() => Interlocked.Exchange(ref claimed, 1) == 0;

    /// <summary>Before each AMQP message of it is sent.</summary>
    public void Expect() => Interlocked.Increment(ref unconfirmed);

    /// <summary>The broker has confirmed one of its AMQP messages, or the loop has sent the last.</summary>
    public void Confirm()
    {
        if (Interlocked.Decrement(ref unconfirmed) == 0) confirmed.TrySetResult();
    }

    public void Fail(string why) => confirmed.TrySetException(new PublishFailedException(why));

    public void GiveUp()
    {
        TryClaim();
        confirmed.TrySetCanceled();
    }
}
