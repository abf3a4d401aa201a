using Orderwright.Contracts;

namespace Orderwright.Runtime.Tests;

/// <summary>What no customer waits for is sent together, everything else at once.</summary>
public sealed class PatientMessagesTests
{
    static readonly PaymentTotals Totals = new(100, 100, 0, Voided: false, 2);

    [Fact]
    public async Task Messages_that_may_wait_are_sent_together_and_others_at_once()
    {
        var time = new StoppedTime();
        await using var service = Service(time);
        for (var i = 0; i < 3; i++)
            await SendAsync(service, new PaymentMoved(Totals, i), new StepAnswered(false, StepOutcome.Completed));
        Assert.Equal(Enumerable.Repeat("publish 1 to saga-coordinator", 3), Published(service));

        time.Pass();

        await service.SeesAsync("publish 3 to order-service");
    }

    [Fact]
    public async Task Enough_messages_do_not_wait()
    {
        await using var service = Service(new StoppedTime());
        for (var i = 0; i < 63; i++) await SendAsync(service, new PaymentMoved(Totals, i));
        Assert.Empty(Published(service));
        await SendAsync(service, new PaymentMoved(Totals, 63));
        Assert.Equal(["publish 64 to order-service"], Published(service));
    }

    [Fact]
    public async Task The_end_of_the_process_sends_them_at_once()
    {
        await using var service = Service(new StoppedTime());
        await SendAsync(service, new PaymentMoved(Totals, 1));
        await service.Running.StopAsync();
        Assert.Equal(["publish 1 to order-service"], Published(service));
    }

    [Fact]
    public void Only_the_allocation_and_the_capture_and_their_news_may_wait()
    {
        StepStamp answered = new(
            StepNames.CapturePayment, Undo: false, "completed", default, 1, AnsweredAt: default(DateTimeOffset));
        var confirmed = new OrderConfirmed([], 100, Totals, [answered with { Step = StepNames.CommitStock }]);
        Assert.True(MessageCatalog.MayWait(new CapturePayment(), StepNames.CapturePayment));
        Assert.True(MessageCatalog.MayWait(new StepAnswered(false, StepOutcome.Completed), StepNames.CapturePayment));
        Assert.True(MessageCatalog.MayWait(confirmed with { Steps = [answered] }, null));
        // At the pivot the capture has only been asked for.
        Assert.False(MessageCatalog.MayWait(confirmed with { Steps = [answered with { AnsweredAt = null }] }, null));
        Assert.False(MessageCatalog.MayWait(confirmed, null));
        Assert.True(MessageCatalog.MayWait(new StepAnswered(false, StepOutcome.Completed), StepNames.CommitStock));
        Assert.True(MessageCatalog.MayWait(new CommitStock(), StepNames.CommitStock));
        // A customer may wait for a cancellation.
        Assert.False(MessageCatalog.MayWait(new StepAnswered(true, StepOutcome.Completed), StepNames.CommitStock));
        Assert.False(MessageCatalog.MayWait(new StepAnswered(false, StepOutcome.Completed), StepNames.AuthorizePayment));
    }

    static TestService Service(TimeProvider time) => new(_ => new ServiceParts(), name: ServiceNames.Customer, time: time);

    static Task SendAsync(TestService service, params IMessageBody[] bodies) => service.Context.Runner.RunOnceAsync(
        work =>
        {
            foreach (var body in bodies)
                work.Send(Guid.CreateVersion7(), body, body is StepAnswered ? StepNames.AuthorizePayment : null);
            return Task.CompletedTask;
        },
        default);

    static IEnumerable<string> Published(TestService service) =>
        service.Journal.Lines.Where(line => line.StartsWith("publish", StringComparison.Ordinal));
}
