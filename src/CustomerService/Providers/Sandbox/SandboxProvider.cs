using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>
/// The sandbox's near side: a provider like any other, whose requests and answers may get lost. Webhooks are
/// signed with HMAC-SHA256 over <c>{unix seconds}.{body}</c> in the header <c>Sandbox-Signature:
/// t=…,v1=…</c>, as Stripe does it.
/// </summary>
public sealed class SandboxProvider(
    SandboxLedger gateway, SandboxSettings settings, TimeProvider time,
    Func<IHeaderDictionary, ReadOnlyMemory<byte>, Task> deliver) : IPaymentProvider, IChargeList
{
    public const string ProviderName = "sandbox";
    public const string SignatureHeader = "Sandbox-Signature";

    readonly Signature signature = new(settings.Secret);

    public string Name => ProviderName;

    public IReadOnlyList<BackgroundLoop> Loops => [gateway.Loop];

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: true, PartialRefund: true)
    {
        SeveralCaptures = true,
    };

    public IChargeList Charges => this;

    public async Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel)
    {
        if (request.Token == SandboxTokens.Slow) await Task.Delay(settings.SandboxSlow, time, cancel);
        return await AskAsync(request, cancel);
    }

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
        AskAsync(request, cancel);

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
        AskAsync(request, cancel);

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
        AskAsync(request, cancel);

    public async Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) =>
        (await gateway.FindAsync(request)).Result!;

    public Task<ChargePage> ListAsync(
        DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel) =>
        gateway.ListAsync(from, to, cursor, cancel);

    // Nobody else's system: there is no other way to it than this database.
    public string CallToReturn(ListedCharge charge, long amountMinor) => amountMinor == 0
        ? $"UPDATE sandbox_charges SET state = 'voided', voided = true WHERE id = '{charge.Reference}'"
        : $"UPDATE sandbox_charges SET refunded = refunded + {amountMinor} WHERE id = '{charge.Reference}'";

    /// <summary>
    /// The customer's act on the sandbox's page; then its webhook is sent. Null: no charge of this order.
    /// </summary>
    public async Task<SandboxLedger.Reply?> ActAsync(Guid orderId, bool approve)
    {
        var reply = await gateway.ActAsync(orderId, approve);
        if (reply is not { Result: not null, Charge: { } charge }) return reply;
        var (headers, body) = Webhook(charge, time.Now());
        await deliver(headers, body);
        return reply;
    }

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        if (!signature.Fits(headers[SignatureHeader].ToString(), "", body.Span, now))
            return new WebhookReading.Forged("The signature does not fit, or is older than 5 minutes.");
        try
        {
            var told = JsonSerializer.Deserialize(body.Span, SandboxJson.Default.SandboxEvent)!;
            GatewayResult? result = told.Type switch
            {
                "charge.authorized" => new GatewayResult.Succeeded(told.Charge),
                "charge.declined" =>
                    new GatewayResult.Declined(told.Code ?? "declined", told.Message ?? "It was declined."),
                _ => null,
            };
            return new WebhookReading.Genuine(
                [new GatewayEvent(told.Id, told.Type, told.Key, result, Encoding.UTF8.GetString(body.Span))]);
        }
        catch (JsonException)
        {
            return new WebhookReading.Unreadable("This is not an event of the sandbox.");
        }
    }

    /// <summary>The webhook that tells how a charge stands, signed for <paramref name="now"/>.</summary>
    public (IHeaderDictionary Headers, byte[] Body) Webhook(SandboxCharge charge, DateTimeOffset now)
    {
        var type = $"charge.{charge.State}";
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new SandboxEvent(
                SandboxRules.IdOf("evt", $"{charge.Id}:{type}"), type, charge.Key, charge.Id, charge.Code,
                charge.Message),
            SandboxJson.Default.SandboxEvent);
        return (new HeaderDictionary { [SignatureHeader] = signature.Write("", body, now) }, body);
    }

    async Task<GatewayResult> AskAsync(GatewayRequest request, CancellationToken cancel)
    {
        var reply = await gateway.DoAsync(request);
        if (reply.Lost) await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel);
        return reply.Result!;
    }
}
