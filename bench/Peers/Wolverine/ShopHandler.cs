using Orderwright.Peers.Shop;
using Wolverine.Runtime;

namespace Orderwright.Peers.Wolverine;

/// <summary>
/// The handlers of all services; a service receives the messages in its own queue only. Public, because Wolverine generates
/// code that calls the methods.
/// </summary>
public static class ShopHandler
{
    public static Task Handle(StartOrder message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(StockReserved message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(StockRefused message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(PaymentAuthorized message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(PaymentRefused message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(StockCommitted message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(StockReleased message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(ReserveStock message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(CommitStock message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(ReleaseStock message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(AuthorizePayment message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(OrderConfirmed message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);

    public static Task Handle(OrderRejected message, Outbox outbox, MessageContext context, CancellationToken cancel) =>
        outbox.TakeAsync(message, context, cancel);
}
