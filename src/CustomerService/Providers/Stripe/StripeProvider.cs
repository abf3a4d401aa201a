using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Payments through Stripe's PaymentIntents. Each request carries our key twice: as Idempotency-Key, so that a repetition has
/// no second effect, and as metadata, so that look-ups can find the object.
/// </summary>
public sealed class StripeProvider : IPaymentProvider
{
    public const string ProviderName = "stripe";
    public const string SignatureHeader = "Stripe-Signature";
    const string KeyName = "orderwright_key";
    internal const string OrderName = "orderwright_order";

    // "Data is searchable in less than a minute", but later during outages: https://docs.stripe.com/search#data-freshness.
    static readonly TimeSpan SearchLag = TimeSpan.FromMinutes(10);

    readonly StripeClient client;
    readonly StripeSettings settings;
    readonly Signature? signature;

    StripeProvider(StripeClient client, StripeSettings settings)
    {
        (this.client, this.settings) = (client, settings);
        Charges = new StripeChargeList(client, settings.Url);
        signature = settings.StripeWebhookSecret.Length == 0 ? null : new Signature(settings.WebhookSecret);
    }

    public static StripeProvider Create(StripeSettings settings, GatewayLimits limits) =>
        new(new StripeClient(GatewayHttp.CreateClient(settings.Url, limits), settings.StripeKey), settings);

    public string Name => ProviderName;

    public IChargeList Charges { get; }

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: true, PartialRefund: true)
    {
        LookUpLag = SearchLag,
    };

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) =>
        WithAmountAsync(request, async amount =>
        {
            var response = await client.PostAsync(
                "v1/payment_intents", request.Key, AuthorizeForm(request, amount), StripeJson.Default.StripeIntent, cancel);
            return response.Value is { } intent ? StripeResults.OfAuthorization(intent) : FailureOf(response, request);
        });

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
        WithAmountAsync(request, async amount =>
        {
            var response = await client.PostAsync(
                $"v1/payment_intents/{Uri.EscapeDataString(request.Reference!)}/capture", request.Key,
                [StripeClient.Field("amount_to_capture", amount)], StripeJson.Default.StripeIntent, cancel);
            return response.Value is { } intent
                ? Confirmed(StripeResults.OfCapture(intent, amount))
                : FailureOf(response, request, intent => StripeResults.OfCapture(intent, amount));
        });

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            var response = await client.PostAsync(
                $"v1/payment_intents/{Uri.EscapeDataString(request.Reference!)}/cancel", request.Key,
                [], StripeJson.Default.StripeIntent, cancel);
            return response.Value is { } intent
                ? Confirmed(StripeResults.OfVoid(intent))
                : FailureOf(response, request, StripeResults.OfVoid);
        });

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
        WithAmountAsync(request, async amount =>
        {
            var response = await client.PostAsync(
                "v1/refunds", request.Key,
                [
                    StripeClient.Field("payment_intent", request.Reference!), StripeClient.Field("amount", amount),
                    .. OurMetadata(request),
                ],
                StripeJson.Default.StripeRefund, cancel);
            return response.Value is { } refund ? StripeResults.OfRefund(refund) : FailureOf(response, request);
        });

    public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel) =>
        GuardAsync(() => request switch
        {
            { Operation: GatewayOperations.Refund } => FindRefundAsync(request, cancel),
            { Reference: { } reference } => FindIntentAsync(request, reference, cancel),
            _ => SearchAsync(request, cancel),
        });

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        if (signature?.IsValid(headers[SignatureHeader].ToString(), "", body.Span, now) != true)
            return new WebhookReading.Forged("The signature does not match, or is more than 5 minutes old.");
        try
        {
            var received = WebhookJson.Read(body.Span, StripeJson.Default.StripeEvent);
            var (key, result) = ReadObject(received);
            return new WebhookReading.Genuine(
                [new GatewayEvent(received.Id, received.Type, key, result, Encoding.UTF8.GetString(body.Span))]);
        }
        catch (JsonException)
        {
            return new WebhookReading.Unreadable("The body is not an event of Stripe's API.");
        }
    }

    // An event contains the object's state at that time. Results for settled attempts are ignored later.
    static (string? Key, GatewayResult? Result) ReadObject(StripeEvent received)
    {
        switch (received.Type)
        {
            case "payment_intent.amount_capturable_updated" or "payment_intent.succeeded"
                or "payment_intent.payment_failed" or "payment_intent.canceled":
                var intent = Object(StripeJson.Default.StripeIntent);
                return (KeyOf(intent.Metadata), Settling(StripeResults.OfAuthorization(intent)));

            case "refund.created" or "refund.updated" or "refund.failed":
                var refund = Object(StripeJson.Default.StripeRefund);
                return (KeyOf(refund.Metadata), Settling(StripeResults.OfRefund(refund)));

            default:
                return (null, null);
        }

        T Object<T>(JsonTypeInfo<T> type) where T : class =>
            received.Data.Object.Deserialize(type) ?? throw new JsonException("The event has no object.");
    }

    static GatewayResult? Settling(GatewayResult result) => result is GatewayResult.Unknown ? null : result;

    static string? KeyOf(IReadOnlyDictionary<string, string>? metadata) => metadata?.GetValueOrDefault(KeyName);

    List<KeyValuePair<string, string>> AuthorizeForm(GatewayRequest request, long amount)
    {
        List<KeyValuePair<string, string>> form =
        [
            StripeClient.Field("amount", amount),
            StripeClient.Field("currency", request.Currency.ToLowerInvariant()),
            StripeClient.Field("confirm", "true"),
            StripeClient.Field("capture_method", settings.StripeCapture),
            StripeClient.Field("automatic_payment_methods[enabled]", "true"),
            // The expanded charge contains the authorization's expiry.
            StripeClient.Field("expand[]", "latest_charge"),
            .. OurMetadata(request),
        ];
        var token = request.Token ?? "";
        if (token.StartsWith("tok_", StringComparison.Ordinal))
        {
            form.Add(StripeClient.Field("payment_method_data[type]", "card"));
            form.Add(StripeClient.Field("payment_method_data[card][token]", token));
        }
        else
        {
            form.Add(StripeClient.Field("payment_method", token));
        }
        if (settings.StripeReturnUrl.Length > 0)
        {
            form.Add(StripeClient.Field("return_url", settings.StripeReturnUrl));
        }
        else
        {
            form.Add(StripeClient.Field("automatic_payment_methods[allow_redirects]", "never"));
            form.Add(StripeClient.Field("error_on_requires_action", "true"));
        }
        return form;
    }

    static KeyValuePair<string, string>[] OurMetadata(GatewayRequest request) =>
    [
        StripeClient.Field($"metadata[{KeyName}]", request.Key),
        StripeClient.Field($"metadata[{OrderName}]", request.OrderId.ToString("D")),
    ];

    async Task<GatewayResult> FindIntentAsync(GatewayRequest request, string reference, CancellationToken cancel)
    {
        var response = await client.GetAsync(
            $"v1/payment_intents/{Uri.EscapeDataString(reference)}?expand[]=latest_charge",
            StripeJson.Default.StripeIntent, cancel);
        if (response.Value is not { } intent) return NotFound(response.Status);
        return request.Operation switch
        {
            GatewayOperations.Capture when StripeAmounts.ToStripe(request.AmountMinor, request.Currency) is { } amount =>
                StripeResults.OfCapture(intent, amount),
            GatewayOperations.Void => StripeResults.OfVoid(intent),
            _ => StripeResults.OfAuthorization(intent),
        };
    }

    async Task<GatewayResult> SearchAsync(GatewayRequest request, CancellationToken cancel)
    {
        var query = Uri.EscapeDataString($"metadata['{KeyName}']:'{request.Key}'");
        var response = await client.GetAsync(
            $"v1/payment_intents/search?query={query}&limit=2&expand[]=data.latest_charge",
            StripeJson.Default.StripePageStripeIntent, cancel);
        return response.Value?.Data switch
        {
            null => NotFound(response.Status),
            [] => new GatewayResult.NeverHappened(Final: false),
            [var intent] => StripeResults.OfAuthorization(intent),
            _ => new GatewayResult.Unknown("Several payment intents have the same key."),
        };
    }

    async Task<GatewayResult> FindRefundAsync(GatewayRequest request, CancellationToken cancel)
    {
        var response = await client.GetAsync(
            $"v1/refunds?payment_intent={Uri.EscapeDataString(request.Reference!)}&limit=100",
            StripeJson.Default.StripePageStripeRefund, cancel);
        if (response.Value is not { Data: var refunds }) return NotFound(response.Status);
        return refunds.FirstOrDefault(refund => KeyOf(refund.Metadata) == request.Key) is { } found
            ? StripeResults.OfRefund(found)
            : new GatewayResult.NeverHappened(Final: false);
    }

    static GatewayResult.Unknown NotFound(HttpStatusCode status) => new($"Stripe responded to the look-up with {(int)status}.");

    /// <summary>Result of a response without the requested object.</summary>
    /// <param name="response">Response with an error, or without an object.</param>
    /// <param name="request">Request sent.</param>
    /// <param name="readIntent">
    /// Reads the result from an intent in an unexpected state, where the operation may already have been executed.
    /// </param>
    static GatewayResult FailureOf<T>(
        StripeResponse<T> response, GatewayRequest request, Func<StripeIntent, GatewayResult>? readIntent = null)
        where T : class =>
        response switch
        {
            { Fault: { Code: "payment_intent_unexpected_state", PaymentIntent: { } intent } fault } when readIntent is not null =>
                readIntent(intent) is GatewayResult.NeverHappened
                    ? StripeResults.OfFault(response.Status, fault, request.Operation)
                    : readIntent(intent),
            { Fault: null, Status: < HttpStatusCode.BadRequest } =>
                new GatewayResult.Unknown("Stripe's response is not an object."),
            _ => StripeResults.OfFault(response.Status, response.Fault, request.Operation),
        };

    // A successful response whose intent shows no effect is contradictory: in doubt.
    static GatewayResult Confirmed(GatewayResult result) => result is GatewayResult.NeverHappened
        ? new GatewayResult.Unknown("Stripe reported success, but the intent shows no effect.")
        : result;

    static Task<GatewayResult> WithAmountAsync(GatewayRequest request, Func<long, Task<GatewayResult>> call) =>
        StripeAmounts.ToStripe(request.AmountMinor, request.Currency) is { } amount
            ? GuardAsync(() => call(amount))
            : Task.FromResult<GatewayResult>(new GatewayResult.Declined(
                "amount_not_possible", $"Stripe cannot charge this amount of {request.Currency}."));

    static async Task<GatewayResult> GuardAsync(Func<Task<GatewayResult>> call)
    {
        try
        {
            return await call();
        }
        catch (HttpRequestException error)
        {
            return GatewayHttp.ResultOf(error);
        }
    }
}
