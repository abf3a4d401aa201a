using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Integration of a payment gateway. Requests run outside any transaction, after the intent was committed; the deadline
/// arrives as cancellation. An implementation never retries and never guesses: an inconclusive result is
/// <see cref="GatewayResult.Unknown"/>, and so is every exception.
/// </summary>
public interface IPaymentProvider
{
    /// <summary>Name used by orders and in the path of webhooks, for example <c>sandbox</c>.</summary>
    string Name { get; }

    ProviderCapabilities Capabilities { get; }

    /// <summary>The gateway's list of charges, for reconciliation. Null when the gateway offers none.</summary>
    IChargeList? Charges => null;

    Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel);

    Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel);

    Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel);

    Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel);

    /// <summary>
    /// Looks up a request by key or by the gateway's reference: any result, or
    /// <see cref="GatewayResult.NeverHappened"/>. Has no effect at the gateway.
    /// </summary>
    Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel);

    /// <summary>Verifies a webhook's signature and age, and parses the body. Never throws because of the content.</summary>
    WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now);
}

/// <summary>Features of a gateway; the rules depend on these, never on a gateway's name.</summary>
/// <param name="IdempotentKeys">A request repeated under the same key has no second effect and returns the first result.</param>
/// <param name="LookUpByKey">Requests can be looked up by key. Otherwise only a webhook or a person settles a doubt.</param>
/// <param name="CapturesLater">Authorizing only holds the money; capture takes it.</param>
/// <param name="PartialCapture">Less than the held amount can be captured.</param>
/// <param name="PartialRefund">Less than the captured amount can be refunded, repeatedly.</param>
public sealed record ProviderCapabilities(
    bool IdempotentKeys, bool LookUpByKey, bool CapturesLater, bool PartialCapture, bool PartialRefund)
{
    /// <summary>The rest of a partial capture stays held for later captures. Default: the gateway releases the rest.</summary>
    public bool SeveralCaptures { get; init; }

    /// <summary>Time during which a look-up may miss a completed request. Default none.</summary>
    public TimeSpan LookUpLag { get; init; }
}

/// <summary>Request to a gateway.</summary>
/// <param name="Key">Deterministic idempotency key: the same for every repetition.</param>
/// <param name="OrderId">Our reference, for the gateway's own lists.</param>
/// <param name="Operation">Operation of <see cref="GatewayOperations"/>.</param>
/// <param name="AmountMinor">Minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Token">Token of the customer's payment method; never a card number.</param>
/// <param name="Reference">The gateway's id of the authorization, once known.</param>
public sealed record GatewayRequest(
    string Key, Guid OrderId, string Operation, long AmountMinor, string Currency, string? Token,
    string? Reference)
{
    /// <summary>Amount already captured from the authorization.</summary>
    public long CapturedMinor { get; init; }

    /// <summary>True for the last capture; the gateway may then release the rest.</summary>
    public bool IsLast { get; init; } = true;
}

/// <summary>Result of a request to a gateway: a closed set of cases.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "is")]
[JsonDerivedType(typeof(Succeeded), "succeeded")]
[JsonDerivedType(typeof(Declined), "declined")]
[JsonDerivedType(typeof(ActionRequired), "action_required")]
[JsonDerivedType(typeof(NeverHappened), "never_happened")]
public abstract record GatewayResult
{
    GatewayResult()
    {
    }

    /// <param name="Reference">The gateway's id of the result.</param>
    /// <param name="Captured">True when authorizing captured the money at once.</param>
    public sealed record Succeeded(string Reference, bool Captured = false) : GatewayResult
    {
        /// <summary>Expiry of an authorization, when reported by the gateway.</summary>
        public DateTimeOffset? HoldsUntil { get; init; }
    }

    /// <summary>The gateway's own record of an order's charge, looked up for a payment that our record lacks.</summary>
    public sealed record Listed(ListedCharge Charge) : GatewayResult;

    /// <summary>Final refusal.</summary>
    /// <param name="Code">The gateway's code; <c>insufficient_funds</c> is passed on, all others mean declined.</param>
    /// <param name="Message">A sentence for people, without personal or card data.</param>
    public sealed record Declined(string Code, string Message) : GatewayResult
    {
        public string Message { get; init; } = CardNumbers.Masked(Message);
    }

    /// <summary>The customer has to act first, at <paramref name="Url"/>.</summary>
    public sealed record ActionRequired(string Reference, string Url) : GatewayResult;

    /// <summary>Certainly without effect; the same request may be sent again after <paramref name="After"/>.</summary>
    public sealed record Unavailable(string Why, TimeSpan? After = null) : GatewayResult;

    /// <summary>The request may have taken effect.</summary>
    public sealed record Unknown(string Why) : GatewayResult
    {
        public string Why { get; init; } = CardNumbers.Masked(Why);

        /// <summary>True when the gateway answered: the request is not settled.</summary>
        public bool IsAnswer { get; init; }
    }

    /// <summary>Not sent: the circuit breaker is open or the retry budget is used up. Never returned by a provider.</summary>
    /// <param name="Why">A sentence for people.</param>
    /// <param name="LookUp">True for a look-up, false for a request.</param>
    /// <param name="After">Pause before the next try.</param>
    public sealed record NotAsked(string Why, bool LookUp, TimeSpan After) : GatewayResult;

    /// <summary>Result of a look-up: the request is unknown to the gateway.</summary>
    /// <param name="Final">True when a request still in transit can no longer take effect either.</param>
    public sealed record NeverHappened(bool Final) : GatewayResult;
}

/// <summary>Result of reading a webhook: a closed set of cases.</summary>
public abstract record WebhookReading
{
    WebhookReading()
    {
    }

    public sealed record Genuine(IReadOnlyList<GatewayEvent> Events) : WebhookReading;

    /// <summary>Unsigned, altered, or too old: 401.</summary>
    public sealed record Forged(string Why) : WebhookReading;

    /// <summary>Signed, but not of the announced version: 400, to make the gateway send the webhook again later.</summary>
    public sealed record Unreadable(string Why) : WebhookReading;
}

/// <summary>Event reported by a gateway's webhook.</summary>
/// <param name="Id">The gateway's id; the same event may arrive any number of times, in any order.</param>
/// <param name="Type">The gateway's event type.</param>
/// <param name="Key">Our key of the request concerned; null for none.</param>
/// <param name="Result">Result of that request; null when the event settles nothing.</param>
/// <param name="Body">Body as received, with card numbers masked (ADR 12).</param>
public sealed record GatewayEvent(string Id, string Type, string? Key, GatewayResult? Result, string Body)
{
    public string Body { get; init; } = CardNumbers.Masked(Body);
}
