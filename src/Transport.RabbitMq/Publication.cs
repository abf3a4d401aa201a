using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// One AMQP message on its way: in line, then sent, then confirmed or failed. Whoever claims it first, the
/// publishing loop or a sender that gives up, owns its body.
/// </summary>
sealed class Publication(string service, string routingKey, PooledBuffer body)
{
    readonly TaskCompletionSource confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int claimed;

    public string Service => service;

    public string RoutingKey => routingKey;

    public PooledBuffer Body => body;

    public Task Confirmed => confirmed.Task;

    /// <summary>Set when the broker found no queue for it.</summary>
    public string? Returned { get; set; }

    public bool TryClaim() => Interlocked.Exchange(ref claimed, 1) == 0;

    public void Confirm() => confirmed.TrySetResult();

    public void Fail(string why) => confirmed.TrySetException(new PublishFailedException(why));

    public void GiveUp()
    {
        if (TryClaim()) body.Dispose();
        confirmed.TrySetCanceled();
    }
}
