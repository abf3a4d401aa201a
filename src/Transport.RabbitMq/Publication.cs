using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Messages of one sender, in as many AMQP messages as necessary: queued, then sent, then confirmed or failed. The first
/// claim, by the publishing loop or by a sender that gives up, decides whether they are sent at all.
/// </summary>
sealed class Publication(string service, IReadOnlyList<Message> messages)
{
    readonly TaskCompletionSource confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int claimed;
    // One for the loop, until the last AMQP message is sent.
    int unconfirmed = 1;

    public string Service => service;

    public IReadOnlyList<Message> Messages => messages;

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

    public void GiveUp()
    {
        TryClaim();
        confirmed.TrySetCanceled();
    }
}
