using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Simulation;

/// <summary>
/// Connects a process to the gateway over a wire that loses requests and responses. Registered under the sandbox's name, in
/// its place.
/// </summary>
sealed class GatewayProvider(Node node) : IPaymentProvider, IChargeList
{
    public const string ProviderName = "sandbox";

    static readonly TimeSpan LongestHop = TimeSpan.FromMilliseconds(120);

    // Longer than any caller waits for a response.
    static readonly TimeSpan LatestArrival = TimeSpan.FromSeconds(45);

    public string Name => ProviderName;

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: true,
        PartialRefund: node.World.Plan.RefundsInParts)
    {
        SeveralCaptures = true,
    };

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) =>
        CallAsync(request, cancel, isLookUp: true);

    public IChargeList Charges => this;

    public async Task<ChargePage> ListAsync(DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel)
    {
        await Task.Delay(World.GatewayChance.Between(TimeSpan.Zero, LongestHop), node.Time, cancel);
        node.EnsureAlive();
        if (World.Faults.OnGateway is { } fault && World.GatewayChance.Hit(fault.Unavailable))
            throw new ChargeListException("503 Service Unavailable");
        return new ChargePage(
            [.. World.Gateway.Charges.Where(charge => charge.CreatedAt >= from && charge.CreatedAt < to)
                .Select(charge => charge.Listed())],
            Next: null);
    }

    public string CallToReturn(ListedCharge charge, long amountMinor) => $"return {amountMinor} of {charge.Reference}";

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        new WebhookReading.Genuine([World.Gateway.EventOf(headers["Event"].ToString())]);

    World World => node.World;

    async Task<GatewayResult> CallAsync(GatewayRequest request, CancellationToken cancel, bool isLookUp = false)
    {
        Begin(request, isLookUp);
        var result = await SendAsync(request, isLookUp, cancel);
        node.Reach(FaultPoint.AfterGatewayCall);
        return result;
    }

    // A request may already be on the wire when its process dies.
    void Begin(GatewayRequest request, bool isLookUp)
    {
        try
        {
            node.Reach(FaultPoint.BeforeGatewayCall);
        }
        catch (CrashedException) when (!isLookUp && World.GatewayChance.Hit(0.5))
        {
            World.Gateway.DoLater(request, LongestHop);
            throw;
        }
    }

    async Task<GatewayResult> SendAsync(GatewayRequest request, bool isLookUp, CancellationToken cancel)
    {
        var chance = World.GatewayChance;
        await Task.Delay(chance.Between(TimeSpan.Zero, LongestHop), node.Time, cancel);
        if (World.Faults.OnGateway is { } fault)
        {
            if (chance.Hit(fault.Unavailable))
            {
                Count(request, "gateway 503");
                return new GatewayResult.Unavailable("503 Service Unavailable");
            }
            if (chance.Hit(fault.LostBefore))
            {
                Count(request, "gateway request lost");
                return await NeverAsync(cancel);
            }
            if (World.Plan.Webhooks && !isLookUp && chance.Hit(fault.LateBefore))
            {
                Count(request, "gateway request late");
                World.Gateway.DoLater(request, chance.Between(TimeSpan.FromSeconds(4), LatestArrival));
                return await NeverAsync(cancel);
            }
            if (chance.Hit(fault.Broken))
            {
                Count(request, "gateway 502");
                if (!isLookUp && chance.Hit(0.5)) World.Gateway.Do(request);
                return new GatewayResult.Unknown("502 Bad Gateway");
            }
            if (chance.Hit(fault.LostAfter))
            {
                Count(request, "gateway response lost");
                if (!isLookUp) World.Gateway.Do(request);
                return await NeverAsync(cancel);
            }
        }
        var result = isLookUp ? World.Gateway.Find(request) : World.Gateway.Do(request);
        await Task.Delay(chance.Between(TimeSpan.Zero, LongestHop), node.Time, cancel);
        return result;
    }

    void Count(GatewayRequest request, string kind)
    {
        World.Faults.Count(kind);
        World.Trace.Record(request.OrderId, $"{kind}: {request.Key[37..]}");
    }

    async Task<GatewayResult> NeverAsync(CancellationToken cancel)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, node.Time, cancel);
        throw new InvalidOperationException("The response was lost.");
    }
}
