using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>
/// Our side of the sandbox: a provider like any other, whose requests and responses may get lost. Webhooks carry a
/// <see cref="Signature"/> in the header <c>Sandbox-Signature</c>.
/// </summary>
public sealed class SandboxProvider(
    SandboxLedger ledger, SandboxSettings settings, TimeProvider time,
    Func<IHeaderDictionary, ReadOnlyMemory<byte>, Task> deliver) : IPaymentProvider, IChargeList
{
    public const string ProviderName = "sandbox";
    public const string SignatureHeader = "Sandbox-Signature";

    readonly Signature signature = new(settings.Secret);

    public string Name => ProviderName;

    public IReadOnlyList<BackgroundLoop> Loops => [ledger.Loop];

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: true, PartialRefund: true)
    {
        SeveralCaptures = true,
    };

    public IChargeList Charges => this;

    public async Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel)
    {
        if (request.Token == SandboxTokens.Slow) await Task.Delay(settings.SandboxSlow, time, cancel);
        return await SendAsync(request, cancel);
    }

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
        SendAsync(request, cancel);

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
        SendAsync(request, cancel);

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
        SendAsync(request, cancel);

    public async Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) =>
        (await ledger.FindAsync(request)).Result!;

    public Task<ChargePage> ListAsync(
        DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel) =>
        ledger.ListAsync(from, to, cursor, cancel);

    // The sandbox has no API of its own; only the database can be changed.
    public string CallToReturn(ListedCharge charge, long amountMinor) => amountMinor == 0
        ? $"UPDATE sandbox_charges SET state = 'voided', voided = true WHERE id = '{charge.Reference}'"
        : $"UPDATE sandbox_charges SET refunded = refunded + {amountMinor} WHERE id = '{charge.Reference}'";

    /// <summary>Applies the customer's decision and sends the webhook. Null when the order has no charge.</summary>
    public async Task<SandboxReply?> ActAsync(Guid orderId, bool approve)
    {
        var reply = await ledger.ActAsync(orderId, approve);
        if (reply is not { Result: not null, Charge: { } charge }) return reply;
        var (headers, body) = Webhook(charge, time.Now());
        await deliver(headers, body);
        return reply;
    }

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        if (!signature.IsValid(headers[SignatureHeader].ToString(), "", body.Span, now))
            return new WebhookReading.Forged("The signature does not match, or is more than 5 minutes old.");
        try
        {
            var received = WebhookJson.Read(body.Span, SandboxJson.Default.SandboxEvent);
            GatewayResult? result = received.Type switch
            {
                "charge.authorized" => new GatewayResult.Succeeded(received.Charge),
                "charge.declined" =>
                    new GatewayResult.Declined(received.Code ?? "declined", received.Message ?? "The payment was declined."),
                _ => null,
            };
            return new WebhookReading.Genuine(
                [new GatewayEvent(received.Id, received.Type, received.Key, result, Encoding.UTF8.GetString(body.Span))]);
        }
        catch (JsonException)
        {
            return new WebhookReading.Unreadable("The body is not an event of the sandbox.");
        }
    }

    /// <summary>Webhook that reports a charge's state, signed at <paramref name="now"/>.</summary>
    public (IHeaderDictionary Headers, byte[] Body) Webhook(SandboxCharge charge, DateTimeOffset now)
    {
        var type = $"charge.{charge.State}";
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new SandboxEvent(
                SandboxRules.IdOf("evt", $"{charge.Id}:{type}"), type, charge.Key, charge.Id, charge.Code,
                charge.Message),
            SandboxJson.Default.SandboxEvent);
        return (new HeaderDictionary { [SignatureHeader] = signature.Sign("", body, now) }, body);
    }

    async Task<GatewayResult> SendAsync(GatewayRequest request, CancellationToken cancel)
    {
        var reply = await ledger.ExecuteAsync(request);
        if (reply.Lost) await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel);
        return reply.Result!;
    }
}
