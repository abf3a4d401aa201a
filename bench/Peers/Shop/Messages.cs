namespace Orderwright.Peers.Shop;

/// <summary>Line of an order.</summary>
public sealed record Line(string Sku, long Quantity);

/// <summary>Starts the process of a placed order: the first of eight messages that a confirmed order takes.</summary>
public sealed record StartOrder(Guid OrderId, string CustomerId, string Currency, Line[] Lines);

public sealed record ReserveStock(Guid OrderId, Line[] Lines);

public sealed record StockReserved(Guid OrderId, long Total);

public sealed record StockRefused(Guid OrderId);

public sealed record AuthorizePayment(Guid OrderId, string CustomerId, string Currency, long Amount);

/// <summary>Store credit is captured at its authorization, as in Orderwright, so no message captures the payment.</summary>
public sealed record PaymentAuthorized(Guid OrderId);

public sealed record PaymentRefused(Guid OrderId);

public sealed record OrderConfirmed(Guid OrderId, long Total);

public sealed record OrderRejected(Guid OrderId, string Reason);

public sealed record CommitStock(Guid OrderId);

public sealed record StockCommitted(Guid OrderId);

/// <summary>Compensation of a refused payment.</summary>
public sealed record ReleaseStock(Guid OrderId);

public sealed record StockReleased(Guid OrderId);

/// <summary>The services, which are also the names of their queues, and the messages that each receives.</summary>
static class Services
{
    public const string Order = "order-service";
    public const string Coordinator = "saga-coordinator";
    public const string Customer = "customer-service";
    public const string Stock = "stock-service";

    public static readonly Dictionary<string, Type[]> Receives = new()
    {
        [Order] = [typeof(OrderConfirmed), typeof(OrderRejected)],
        [Coordinator] =
        [
            typeof(StartOrder), typeof(StockReserved), typeof(StockRefused), typeof(PaymentAuthorized), typeof(PaymentRefused),
            typeof(StockCommitted), typeof(StockReleased),
        ],
        [Customer] = [typeof(AuthorizePayment)],
        [Stock] = [typeof(ReserveStock), typeof(CommitStock), typeof(ReleaseStock)],
    };
}
