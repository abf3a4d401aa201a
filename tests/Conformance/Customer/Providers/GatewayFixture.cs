using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>Behaviour of a test card, independent of the gateway's token.</summary>
public enum Card
{
    Good,
    Declined,
    InsufficientFunds,
    RequiresAction,

    /// <summary>Card whose first request fails with a 5xx and has no effect.</summary>
    FailsOnce,

    /// <summary>Card whose charge succeeds, but the response is lost.</summary>
    LostAfter,

    /// <summary>Card whose first request is lost.</summary>
    LostBefore,
}

/// <summary>Charge in the gateway's own record. Minor units.</summary>
public sealed record Charge(long Authorized, long Captured, long Refunded, bool Voided);

/// <summary>Webhook as sent.</summary>
public sealed record Delivery(string SignatureHeader, string Signature, string Body)
{
    public IHeaderDictionary Headers => new HeaderDictionary { [SignatureHeader] = Signature };
}

/// <summary>Gateway with its own record, and our provider connected to the gateway.</summary>
public abstract class GatewayFixture : IAsyncDisposable
{
    public abstract IPaymentProvider Provider { get; }

    public abstract string TokenOf(Card card);

    /// <summary>Charges of an order that were authorized at least.</summary>
    public abstract Task<IReadOnlyList<Charge>> ChargesAsync(Guid order);

    /// <summary>Decides as the customer on the page of the bank.</summary>
    public abstract Task ActAsync(Guid order, bool approve);

    /// <summary>Webhook that reports the state of the order's charge, signed at a given time.</summary>
    public abstract Task<Delivery> WebhookAsync(Guid order, DateTimeOffset signedAt);

    public abstract ValueTask DisposeAsync();

    public GatewayRequest RequestFor(
        Guid order, string operation, Card card = Card.Good, string? charge = null, long amount = 1_530, int n = 1) =>
        new(
            PaymentAttempt.KeyOf(order, operation, n), order, operation, amount, "GBP",
            operation == GatewayOperations.Authorize ? TokenOf(card) : null, charge);

    public Task<GatewayResult> SendAsync(GatewayRequest request) => SendAsync(request, default);

    /// <summary>Sends a request whose response never arrives.</summary>
    public async Task SendLostAsync(GatewayRequest request)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SendAsync(request, deadline.Token));
    }

    Task<GatewayResult> SendAsync(GatewayRequest request, CancellationToken cancel) => request.Operation switch
    {
        GatewayOperations.Authorize => Provider.AuthorizeAsync(request, cancel),
        GatewayOperations.Capture => Provider.CaptureAsync(request, cancel),
        GatewayOperations.Void => Provider.VoidAsync(request, cancel),
        _ => Provider.RefundAsync(request, cancel),
    };

    public Task<GatewayResult> FindAsync(GatewayRequest request) => Provider.FindAsync(request, default);
}
