using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Stripe's PaymentIntents. Each of ours carries our key twice: as Idempotency-Key, so that a repetition has no second
/// effect, and as metadata, by which it is found again.
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

    public static StripeProvider Over(StripeSettings settings, GatewayLimits limits) =>
        new(new StripeClient(GatewayHttp.ClientOf(settings.Url, limits), settings.StripeKey), settings);

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
            var answer = await client.PostAsync(
                "v1/payment_intents", request.Key, AuthorizeForm(request, amount), StripeJson.Default.StripeIntent, cancel);
            return answer.Value is { } intent ? StripeAnswers.OfAuthorization(intent) : Of(answer, request);
        });

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
        WithAmountAsync(request, async amount =>
        {
            var answer = await client.PostAsync(
                $"v1/payment_intents/{Uri.EscapeDataString(request.Reference!)}/capture", request.Key,
                [StripeClient.Field("amount_to_capture", amount)], StripeJson.Default.StripeIntent, cancel);
            return answer.Value is { } intent
                ? Done(StripeAnswers.OfCapture(intent, amount))
                : Of(answer, request, intent => StripeAnswers.OfCapture(intent, amount));
        });

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            var answer = await client.PostAsync(
                $"v1/payment_intents/{Uri.EscapeDataString(request.Reference!)}/cancel", request.Key,
                [], StripeJson.Default.StripeIntent, cancel);
            return answer.Value is { } intent
                ? Done(StripeAnswers.OfVoid(intent))
                : Of(answer, request, StripeAnswers.OfVoid);
        });

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
        WithAmountAsync(request, async amount =>
        {
            var answer = await client.PostAsync(
                "v1/refunds", request.Key,
                [
                    StripeClient.Field("payment_intent", request.Reference!), StripeClient.Field("amount", amount),
                    .. OurNames(request),
                ],
                StripeJson.Default.StripeRefund, cancel);
            return answer.Value is { } refund ? StripeAnswers.OfRefund(refund) : Of(answer, request);
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
        if (signature?.Fits(headers[SignatureHeader].ToString(), "", body.Span, now) != true)
            return new WebhookReading.Forged("The signature does not fit, or is older than 5 minutes.");
        try
        {
            var told = JsonSerializer.Deserialize(body.Span, StripeJson.Default.StripeEvent)!;
            var (key, result) = ReadObject(told);
            return new WebhookReading.Genuine(
                [new GatewayEvent(told.Id, told.Type, key, result, Encoding.UTF8.GetString(body.Span))]);
        }
        catch (JsonException)
        {
            return new WebhookReading.Unreadable("This is not an event of Stripe's API.");
        }
    }

    // An event shows its object as it was then. What it says of an attempt that is settled has no effect any more.
    static (string? Key, GatewayResult? Result) ReadObject(StripeEvent told)
    {
        switch (told.Type)
        {
            case "payment_intent.amount_capturable_updated" or "payment_intent.succeeded"
                or "payment_intent.payment_failed" or "payment_intent.canceled":
                var intent = told.Data.Object.Deserialize(StripeJson.Default.StripeIntent)!;
                return (KeyOf(intent.Metadata), Settling(StripeAnswers.OfAuthorization(intent)));

            case "refund.created" or "refund.updated" or "refund.failed":
                var refund = told.Data.Object.Deserialize(StripeJson.Default.StripeRefund)!;
                return (KeyOf(refund.Metadata), Settling(StripeAnswers.OfRefund(refund)));

            default:
                return (null, null);
        }
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
            // The charge says until when it holds.
            StripeClient.Field("expand[]", "latest_charge"),
            .. OurNames(request),
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

    static KeyValuePair<string, string>[] OurNames(GatewayRequest request) =>
    [
        StripeClient.Field($"metadata[{KeyName}]", request.Key),
        StripeClient.Field($"metadata[{OrderName}]", request.OrderId.ToString("D")),
    ];

    async Task<GatewayResult> FindIntentAsync(GatewayRequest request, string reference, CancellationToken cancel)
    {
        var answer = await client.GetAsync(
            $"v1/payment_intents/{Uri.EscapeDataString(reference)}?expand[]=latest_charge",
            StripeJson.Default.StripeIntent, cancel);
        if (answer.Value is not { } intent) return NotFound(answer.Status);
        return request.Operation switch
        {
            GatewayOperations.Capture when StripeAmounts.Of(request.AmountMinor, request.Currency) is { } amount =>
                StripeAnswers.OfCapture(intent, amount),
            GatewayOperations.Void => StripeAnswers.OfVoid(intent),
            _ => StripeAnswers.OfAuthorization(intent),
        };
    }

    async Task<GatewayResult> SearchAsync(GatewayRequest request, CancellationToken cancel)
    {
        var query = Uri.EscapeDataString($"metadata['{KeyName}']:'{request.Key}'");
        var answer = await client.GetAsync(
            $"v1/payment_intents/search?query={query}&limit=2&expand[]=data.latest_charge",
            StripeJson.Default.StripePageStripeIntent, cancel);
        return answer.Value?.Data switch
        {
            null => NotFound(answer.Status),
            [] => new GatewayResult.NeverHappened(Final: false),
            [var intent] => StripeAnswers.OfAuthorization(intent),
            _ => new GatewayResult.Unknown("There are several payment intents under one key."),
        };
    }

    async Task<GatewayResult> FindRefundAsync(GatewayRequest request, CancellationToken cancel)
    {
        var answer = await client.GetAsync(
            $"v1/refunds?payment_intent={Uri.EscapeDataString(request.Reference!)}&limit=100",
            StripeJson.Default.StripePageStripeRefund, cancel);
        if (answer.Value is not { Data: var refunds }) return NotFound(answer.Status);
        return refunds.FirstOrDefault(refund => KeyOf(refund.Metadata) == request.Key) is { } found
            ? StripeAnswers.OfRefund(found)
            : new GatewayResult.NeverHappened(Final: false);
    }

    static GatewayResult.Unknown NotFound(HttpStatusCode status) => new($"The look-up was answered {(int)status}.");

    /// <param name="answer">Not the object that was asked for.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="look">
    /// Reads an intent that does not allow what was asked: it may have been done already, by a look-up's reckoning.
    /// </param>
    static GatewayResult Of<T>(StripeAnswer<T> answer, GatewayRequest request, Func<StripeIntent, GatewayResult>? look = null)
        where T : class =>
        answer switch
        {
            { Fault: { Code: "payment_intent_unexpected_state", PaymentIntent: { } intent } fault } when look is not null =>
                look(intent) is GatewayResult.NeverHappened
                    ? StripeAnswers.OfFault(answer.Status, fault, request.Operation)
                    : look(intent),
            { Fault: null, Status: < HttpStatusCode.BadRequest } =>
                new GatewayResult.Unknown("Stripe's answer is not an object."),
            _ => StripeAnswers.OfFault(answer.Status, answer.Fault, request.Operation),
        };

    // What a call that succeeded did not bring about is no statement about it.
    static GatewayResult Done(GatewayResult result) => result is GatewayResult.NeverHappened
        ? new GatewayResult.Unknown("Stripe says neither that it was done nor why not.")
        : result;

    static Task<GatewayResult> WithAmountAsync(GatewayRequest request, Func<long, Task<GatewayResult>> call) =>
        StripeAmounts.Of(request.AmountMinor, request.Currency) is { } amount
            ? GuardAsync(() => call(amount))
            : Task.FromResult<GatewayResult>(new GatewayResult.Declined(
                "amount_not_possible", $"Stripe takes no such amount of {request.Currency}."));

    static async Task<GatewayResult> GuardAsync(Func<Task<GatewayResult>> call)
    {
        try
        {
            return await call();
        }
        catch (HttpRequestException error)
        {
            return GatewayHttp.Broken(error);
        }
    }
}
