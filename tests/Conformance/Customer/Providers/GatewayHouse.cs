using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>What a card does, whatever the gateway calls its token.</summary>
public enum Card
{
    Good,
    Declined,
    InsufficientFunds,
    RequiresAction,

    /// <summary>The first request ends in the gateway's 5xx, with nothing done.</summary>
    FailsOnce,

    /// <summary>The charge is made, its answer is lost.</summary>
    LostAfter,

    /// <summary>The first request is lost on its way.</summary>
    LostBefore,
}

/// <summary>A charge by the gateway's own record. Minor units.</summary>
public sealed record Charge(long Authorized, long Captured, long Refunded, bool Voided);

/// <summary>A webhook on the wire.</summary>
public sealed record Delivery(string SignatureHeader, string Signature, string Body)
{
    public IHeaderDictionary Headers => new HeaderDictionary { [SignatureHeader] = Signature };
}

/// <summary>A gateway with a record of its own, and the provider of ours that talks to it.</summary>
public abstract class GatewayHouse : IAsyncDisposable
{
    public abstract IPaymentProvider Provider { get; }

    public abstract string TokenOf(Card card);

    /// <summary>Charges of an order that hold or took money, or gave it back.</summary>
    public abstract Task<IReadOnlyList<Charge>> ChargesAsync(Guid order);

    /// <summary>The customer on the page of their bank.</summary>
    public abstract Task ActAsync(Guid order, bool approve);

    /// <summary>The webhook that tells how the order's charge stands, as the gateway signs it at a moment.</summary>
    public abstract Task<Delivery> TellAsync(Guid order, DateTimeOffset signedAt);

    public abstract ValueTask DisposeAsync();

    public GatewayRequest Ask(
        Guid order, string operation, Card card = Card.Good, string? charge = null, long amount = 1_530, int n = 1) =>
        new(
            GatewayCall.KeyOf(order, operation, n), order, operation, amount, "GBP",
            operation == GatewayOperations.Authorize ? TokenOf(card) : null, charge);

    public Task<GatewayResult> DoAsync(GatewayRequest request) => DoAsync(request, default);

    /// <summary>Asks what is answered by nobody, until patience ends.</summary>
    public async Task LoseAsync(GatewayRequest request)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => DoAsync(request, deadline.Token));
    }

    Task<GatewayResult> DoAsync(GatewayRequest request, CancellationToken cancel) => request.Operation switch
    {
        GatewayOperations.Authorize => Provider.AuthorizeAsync(request, cancel),
        GatewayOperations.Capture => Provider.CaptureAsync(request, cancel),
        GatewayOperations.Void => Provider.VoidAsync(request, cancel),
        _ => Provider.RefundAsync(request, cancel),
    };

    public Task<GatewayResult> FindAsync(GatewayRequest request) => Provider.FindAsync(request, default);
}
