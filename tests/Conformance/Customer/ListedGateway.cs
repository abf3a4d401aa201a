using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Conformance.Customer;

/// <summary>A gateway that did nothing, and gives its empty list page by page when a test says so.</summary>
sealed class ListedGateway : IPaymentProvider, IChargeList
{
    readonly Channel<(string? Next, string? Fault)> pages = Channel.CreateUnbounded<(string?, string?)>();

    public string Name => "listed";

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: false, PartialRefund: false);

    public IChargeList Charges => this;

    /// <summary>Every cursor that was asked for.</summary>
    public ConcurrentQueue<string?> Asked { get; } = new();

    /// <summary>Whoever asks next is told that this page follows; null: none.</summary>
    public void Give(string? next) => pages.Writer.TryWrite((next, null));

    public void Fail(string why) => pages.Writer.TryWrite((null, why));

    public async Task<ChargePage> ListAsync(DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel)
    {
        Asked.Enqueue(cursor);
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
        new WebhookReading.Forged("It sends none.");

    static Task<GatewayResult> NoneAsync() => Task.FromResult<GatewayResult>(new GatewayResult.Unavailable("It does nothing."));
}
