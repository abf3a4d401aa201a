using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Transport;

public sealed class InProcessTransportTests : TransportConformance
{
    protected override ITransport Open(RuntimeOptions limits) => new InProcessTransport(limits, TimeProvider.System);

    protected override ITransport OpenSmall() =>
        new InProcessTransport(
            new RuntimeOptions { InboxCapacity = 1_000, PublishTimeout = TimeSpan.FromMilliseconds(300) }, TimeProvider.System);

    [Fact]
    public async Task Two_services_that_fill_each_other_up_both_go_on()
    {
        await using var transport = OpenSmall();
        await transport.PublishAsync("left", Samples.Many(1_000), default);
        await transport.PublishAsync("right", Samples.Many(1_000), default);
        Assert.NotNull(transport.Trouble);

        var toLeft = transport.PublishAsync("left", Samples.Many(1), default);
        var toRight = transport.PublishAsync("right", Samples.Many(1), default);

        await Assert.ThrowsAsync<PublishFailedException>(() => toLeft.WaitAsync(Patience));
        await Assert.ThrowsAsync<PublishFailedException>(() => toRight.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_sender_that_waits_for_room_goes_on_as_soon_as_there_is_some()
    {
        await using var transport = Open(new RuntimeOptions { InboxCapacity = 16, PublishTimeout = Patience });
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        await transport.PublishAsync(Service, Samples.Many(16), default);
        var waiting = transport.PublishAsync(Service, Samples.Many(10), default);
        Assert.False(waiting.IsCompleted);

        await inbox.ReceiveAsync(100, default);

        await waiting.WaitAsync(Patience);
        Assert.Null(transport.Trouble);
        Assert.Equal(10, inbox.Backlog);
    }

    [Fact]
    public async Task More_than_a_mailbox_holds_goes_into_an_empty_one()
    {
        await using var transport = Open(new RuntimeOptions { InboxCapacity = 16 });
        await transport.PublishAsync(Service, Samples.Many(100), default);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        Assert.Equal(100, (await TakeAsync(inbox, 100)).Count);
    }
}
