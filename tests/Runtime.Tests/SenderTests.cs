using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime.Tests;

/// <summary>Senders of messages: every kind of message from every sender, and the loop that refuses.</summary>
public sealed class SenderTests
{
    static readonly string[] Services = [.. ServiceNames.All];

    [Theory]
    [InlineData("orderwright.order.confirmed.v1", null, ServiceNames.Coordinator)]
    [InlineData("orderwright.order.placed.v1", null, ServiceNames.Order)]
    [InlineData("orderwright.saga.step-answered.v1", StepNames.ReserveStock, ServiceNames.Stock)]
    [InlineData("orderwright.saga.step-answered.v1", StepNames.AuthorizePayment, ServiceNames.Customer)]
    [InlineData("orderwright.saga.step-answered.v1", StepNames.CommitStock, ServiceNames.Stock)]
    [InlineData("orderwright.saga.step-answered.v1", StepNames.CapturePayment, ServiceNames.Customer)]
    [InlineData("orderwright.saga.step-answered.v1", "check-fraud", null)]
    [InlineData("orderwright.saga.step-answered.v1", null, null)]
    [InlineData("orderwright.stock.ship.v1", null, ServiceNames.Order)]
    [InlineData("orderwright.payment.moved.v1", null, ServiceNames.Customer)]
    public void A_message_is_taken_from_one_service_only(string type, string? step, string? only)
    {
        var body = Bodies.Single(body => MessageCatalog.TypeOf(body) == type);
        foreach (var claimed in Services)
            foreach (var user in (string?[])[.. Services, "mallory", null])
                Assert.Equal(
                    claimed == only && user == only,
                    Of(user).Refuses(Commands.Of(body) with { Source = claimed, Step = step }) is null);
    }

    [Fact]
    public void The_receivers_own_user_may_send_what_the_claimed_service_may_send()
    {
        var own = new Sender("shared", null, IsReceiver: true);
        foreach (var claimed in Services)
            Assert.Equal(
                claimed == ServiceNames.Coordinator,
                own.Refuses(Commands.Of(new ReleaseStock()) with { Source = claimed }) is null);
    }

    [Fact]
    public void Every_message_has_a_sender_that_differs_from_its_destination()
    {
        foreach (var destination in Services)
            Assert.DoesNotContain(destination, MessageCatalog.DestinationsOf(destination));
        Assert.Equal(
            [ServiceNames.Customer, ServiceNames.Order, ServiceNames.Stock],
            MessageCatalog.DestinationsOf(ServiceNames.Coordinator).Order());
        Assert.Equal(
            [ServiceNames.Order, ServiceNames.Coordinator], MessageCatalog.DestinationsOf(ServiceNames.Customer).Order());
    }

    [Fact]
    public async Task A_message_from_another_sender_becomes_a_dead_letter_and_its_neighbours_are_handled()
    {
        await using var service = new TestService(context => new ServiceParts
        {
            Handlers = [new NoteHandler(context, "note", typeof(ReleaseStock))],
        });
        service.Transport.Mangle = delivery => delivery with { Sender = Of(ServiceNames.Coordinator) };
        await service.StartAsync();
        var forged = Commands.Of(new ReleaseStock()) with { Source = ServiceNames.Order };
        await service.SendAsync(Commands.Of(new ReleaseStock()), forged, Commands.Of(new ReleaseStock()));
        await service.SeesAsync("acknowledge 3");

        Assert.Equal(2, (await service.NotesAsync()).Count);
        var letter = Assert.Single(await service.DeadLettersAsync());
        Assert.Equal(
            (forged.OrderId, "orderwright.stock.release.v1 comes from saga-coordinator, not from order-service."),
            (letter.Order, letter.Reason));
    }

    static Sender Of(string? user) => new(user, Services.Contains(user) ? user : null, IsReceiver: false);

    static readonly IMessageBody[] Bodies =
    [
        new OrderConfirmed([], 0, PaymentTotals.None, []),
        new OrderPlaced("ada", "GBP", [], 0, new("balance"), false),
        new StepAnswered(Undo: false, StepOutcome.Completed),
        new ShipGoods(1, []),
        new PaymentMoved(PaymentTotals.None, 1),
    ];
}
