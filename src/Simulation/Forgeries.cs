using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>Builds messages of senders that may not send them. Each has to end as a dead letter and change nothing.</summary>
static class Forgeries
{
    /// <summary>Trace of every forged message, by which its dead letter is known.</summary>
    public const string Trace = "00-f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0-f0f0f0f0f0f0f0f0-00";

    static readonly OrderPlaced Order = new(
        Shop.Customers[0], Shop.Currency, [new OrderLine(1, Shop.Products[0].Sku, 1)], 0,
        new PaymentMethod(GatewayProvider.ProviderName, CardTokens.Good), MaySetPrice: false);

    static readonly PaymentTotals Authorized = new(1_000, 0, 0, false, 1);

    public static void Send(World world, Forged forged)
    {
        var orderId = world.Client.Tickets.GetValueOrDefault(forged.Order)?.OrderId ?? world.ForgeryChance.Uuid(world.Pump.Now);
        var (body, step) = BodyOf(forged.What);
        var message = new Message
        {
            Id = world.ForgeryChance.Uuid(world.Pump.Now), OrderId = orderId, Time = world.Pump.Now, Body = body, Step = step,
            // A service signs with its own name; a stranger claims the name of the rightful sender.
            Source = forged.User ?? MessageCatalog.SendersOf(body, step)[0],
            TraceParent = Trace,
        };
        world.Trace.Record(orderId, $"{forged}");
        world.Network.Inject(
            message.Destination,
            new Delivery([message], []) { Sender = new Sender(forged.User ?? "stranger", forged.User, IsReceiver: false) });
    }

    /// <summary>True for the service that may send the message.</summary>
    public static bool IsRightful(string user, Forgery what)
    {
        var (body, step) = BodyOf(what);
        return MessageCatalog.SendersOf(body, step).Contains(user);
    }

    static (IMessageBody Body, string? Step) BodyOf(Forgery what) => what switch
    {
        Forgery.OrderPlaced => (Order, null),
        Forgery.OrderConfirmed => (new OrderConfirmed([new OrderLine(1, Shop.Products[0].Sku, 1, 1)], 1, Authorized, []), null),
        Forgery.OrderCancelled => (new OrderCancelled(PaymentTotals.None, []), null),
        Forgery.CancelRequested => (new CancelRequested(CancelReasons.Customer, Order), null),
        Forgery.PaymentAuthorized => (
            new StepAnswered(Undo: false, StepOutcome.Completed, Payment: Authorized), StepNames.AuthorizePayment),
        Forgery.GoodsReserved => (
            new StepAnswered(Undo: false, StepOutcome.Completed, Priced: [new OrderLine(1, Shop.Products[0].Sku, 1, 1)]),
            StepNames.ReserveStock),
        Forgery.StockReleased => (new ReleaseStock(), StepNames.ReserveStock),
        Forgery.PaymentUndone => (new UndoPayment(ReasonCodes.RefundFailed), StepNames.AuthorizePayment),
        _ => (new ShipGoods(1, [new OrderLine(1, Shop.Products[0].Sku, 1)]), null),
    };
}
