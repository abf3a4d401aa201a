using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Conformance.Customer;

/// <summary>Gateway whose results and timing are controlled by a test.</summary>
sealed class ScriptedGateway : IPaymentProvider
{
    readonly ConcurrentDictionary<string, TaskCompletionSource<GatewayResult>> calls = new();
    readonly ConcurrentQueue<GatewayEvent> hooks = new();
    int inFlight;

    public string Name => "scripted";

    public ProviderCapabilities Capabilities { get; init; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: false, PartialRefund: false);

    public int InFlight => Volatile.Read(ref inFlight);

    /// <summary>Keys of all calls, in order.</summary>
    public ConcurrentQueue<string> Called { get; } = new();

    /// <summary>Runs before a call returns.</summary>
    public Func<GatewayRequest, Task> Sees { get; set; } = _ => Task.CompletedTask;

    /// <summary>Result of look-ups.</summary>
    public Func<GatewayRequest, GatewayResult> Finds { get; set; } = _ => new GatewayResult.Unknown("It does not answer.");

    /// <summary>Completes all current and future calls under a key.</summary>
    public void Answer(string key, GatewayResult result) => Of(key).TrySetResult(result);

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) => CallAsync(request, cancel);

    public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) => Task.FromResult(Finds(request));

    /// <summary>Sets the content of the next webhook, regardless of its body.</summary>
    public void Hook(string key, GatewayResult? result, string? id = null) => hooks.Enqueue(
        new GatewayEvent(id ?? Guid.NewGuid().ToString(), "scripted", key, result, "{}"));

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        hooks.TryDequeue(out var hook)
            ? new WebhookReading.Genuine([hook])
            : new WebhookReading.Forged("The gateway sends no webhooks.");

    async Task<GatewayResult> CallAsync(GatewayRequest request, CancellationToken cancel)
    {
        Called.Enqueue(request.Key);
        Interlocked.Increment(ref inFlight);
        try
        {
            await Sees(request);
            return await Of(request.Key).Task.WaitAsync(cancel);
        }
        finally
        {
            Interlocked.Decrement(ref inFlight);
        }
    }

    TaskCompletionSource<GatewayResult> Of(string key) =>
        calls.GetOrAdd(key, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
