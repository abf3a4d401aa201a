using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Conformance.Customer;

/// <summary>Gateway without charges whose empty list is served page by page under control of a test.</summary>
sealed class ListedGateway : IPaymentProvider, IChargeList
{
    readonly Channel<(string? Next, string? Fault)> pages = Channel.CreateUnbounded<(string?, string?)>();

    public string Name => "listed";

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: false, PartialRefund: false);

    public IChargeList Charges => this;

    /// <summary>Cursors requested so far.</summary>
    public ConcurrentQueue<string?> Requested { get; } = new();

    /// <summary>Serves the next page, with the given cursor of the page after; null ends the list.</summary>
    public void ServePage(string? next) => pages.Writer.TryWrite((next, null));

    public void Fail(string why) => pages.Writer.TryWrite((null, why));

    public async Task<ChargePage> ListAsync(DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel)
    {
        Requested.Enqueue(cursor);
        var (next, fault) = await pages.Reader.ReadAsync(cancel);
        return fault is null ? new([], next) : throw new ChargeListException(fault);
    }

    public string CallToReturn(ListedCharge charge, long amountMinor) => "";

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) => NoneAsync();

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) => NoneAsync();

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) => NoneAsync();

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) => NoneAsync();

    public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) => NoneAsync();

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        new WebhookReading.Forged("The gateway sends no webhooks.");

    static Task<GatewayResult> NoneAsync() =>
        Task.FromResult<GatewayResult>(new GatewayResult.Unavailable("The gateway handles no requests."));
}
