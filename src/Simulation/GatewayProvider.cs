using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Simulation;

/// <summary>
/// A process's way to the gateway, over a wire that loses requests and answers. It takes the place of the sandbox, whose
/// name it bears.
/// </summary>
sealed class GatewayProvider(Node node) : IPaymentProvider
{
    public const string ProviderName = "sandbox";

    static readonly TimeSpan LongestHop = TimeSpan.FromMilliseconds(120);

    // Longer than anybody waits for an answer.
    static readonly TimeSpan LatestArrival = TimeSpan.FromSeconds(45);

    public string Name => ProviderName;

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: true, PartialRefund: false)
    {
        SeveralCaptures = true,
    };

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) => AskAsync(request, cancel);

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) => AskAsync(request, cancel);

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) => AskAsync(request, cancel);

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) => AskAsync(request, cancel);

    public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) =>
        AskAsync(request, cancel, isLookUp: true);

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        new WebhookReading.Genuine([World.Gateway.EventOf(headers["Event"].ToString())]);

    World World => node.World;

    async Task<GatewayResult> AskAsync(GatewayRequest request, CancellationToken cancel, bool isLookUp = false)
    {
        Begin(request, isLookUp);
        var result = await CarryAsync(request, isLookUp, cancel);
        node.Pass(FaultPoint.AfterGatewayCall);
        return result;
    }

    // A request may be on the wire already when its process dies.
    void Begin(GatewayRequest request, bool isLookUp)
    {
        try
        {
            node.Pass(FaultPoint.BeforeGatewayCall);
        }
        catch (CrashedException) when (!isLookUp && World.GatewayChance.Hit(0.5))
        {
            World.Pump.After(LongestHop, () => World.Gateway.Do(request));
            throw;
        }
    }

    async Task<GatewayResult> CarryAsync(GatewayRequest request, bool isLookUp, CancellationToken cancel)
    {
        var chance = World.GatewayChance;
        await Task.Delay(chance.Between(TimeSpan.Zero, LongestHop), node.Time, cancel);
        if (World.Weather.OfGateway is { } trouble)
        {
            if (chance.Hit(trouble.Unavailable))
            {
                Note(request, "gateway 503");
                return new GatewayResult.Unavailable("503 Service Unavailable");
            }
            if (chance.Hit(trouble.LostBefore))
            {
                Note(request, "gateway request lost");
                return await NeverAsync(cancel);
            }
            if (World.Plan.Webhooks && !isLookUp && chance.Hit(trouble.LateBefore))
            {
                Note(request, "gateway request late");
                World.Pump.After(chance.Between(TimeSpan.FromSeconds(4), LatestArrival), () => World.Gateway.Do(request));
                return await NeverAsync(cancel);
            }
            if (chance.Hit(trouble.Broken))
            {
                Note(request, "gateway 502");
                if (!isLookUp && chance.Hit(0.5)) World.Gateway.Do(request);
                return new GatewayResult.Unknown("502 Bad Gateway");
            }
            if (chance.Hit(trouble.LostAfter))
            {
                Note(request, "gateway answer lost");
                if (!isLookUp) World.Gateway.Do(request);
                return await NeverAsync(cancel);
            }
        }
        var result = isLookUp ? World.Gateway.Find(request) : World.Gateway.Do(request);
        await Task.Delay(chance.Between(TimeSpan.Zero, LongestHop), node.Time, cancel);
        return result;
    }

    void Note(GatewayRequest request, string kind)
    {
        World.Weather.Count(kind);
        World.Trace.Tell(request.OrderId, $"{kind}: {request.Key[37..]}");
    }

    async Task<GatewayResult> NeverAsync(CancellationToken cancel)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, node.Time, cancel);
        throw new InvalidOperationException("This never comes.");
    }
}
