using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// A payment gateway. Calls run outside any transaction, under a deadline that comes as cancellation; the
/// intent of each was committed before. An implementation never retries by itself and never guesses: what it
/// cannot tell is <see cref="GatewayResult.Unknown"/>, and so is whatever it throws.
/// </summary>
public interface IPaymentProvider
{
    /// <summary>What orders call it, and part of its webhook's path: <c>sandbox</c>.</summary>
    string Name { get; }

    ProviderCapabilities Capabilities { get; }

    /// <summary>Its own list of charges. Null where it has none: our record cannot be compared with it then.</summary>
    IChargeList? Charges => null;

    Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel);

    Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel);

    Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel);

    Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel);

    /// <summary>
    /// What became of a request, by its key or by the gateway's reference: any result, or
    /// <see cref="GatewayResult.NeverHappened"/>. Has no effect at the gateway.
    /// </summary>
    Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel);

    /// <summary>
    /// Checks a webhook's signature and age, and reads it. Never throws for what a sender wrote.
    /// </summary>
    WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now);
}

/// <summary>What a gateway can do; the rules ask here instead of by name.</summary>
/// <param name="IdempotentKeys">
/// A request repeated under its key has no second effect and gets the first answer.
/// </param>
/// <param name="LookUpByKey">
/// It can be asked what became of a key. Without: webhooks or a person settle a doubt.
/// </param>
/// <param name="CapturesLater">Authorizing only holds the money; capture takes it.</param>
/// <param name="PartialCapture">Less than what is held may be captured.</param>
/// <param name="PartialRefund">Less than what was captured may be refunded, more than once.</param>
public sealed record ProviderCapabilities(
    bool IdempotentKeys, bool LookUpByKey, bool CapturesLater, bool PartialCapture, bool PartialRefund)
{
    /// <summary>What is left after a partial capture stays held, and can be captured too. Default: it is released.</summary>
    public bool SeveralCaptures { get; init; }

    /// <summary>How long a look-up may still miss what was done. Default none: it misses nothing.</summary>
    public TimeSpan LookUpLag { get; init; }
}

/// <summary>One request to a gateway.</summary>
/// <param name="Key">Ours, deterministic; the same for every repetition.</param>
/// <param name="OrderId">Our reference, for the gateway's own lists.</param>
/// <param name="Operation">One of <see cref="GatewayOperations"/>.</param>
/// <param name="AmountMinor">Minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Token">Stands for the customer's means of payment; never a card number.</param>
/// <param name="Reference">The gateway's id of the authorization, once there is one.</param>
public sealed record GatewayRequest(
    string Key, Guid OrderId, string Operation, long AmountMinor, string Currency, string? Token,
    string? Reference)
{
    /// <summary>What had been captured of the authorization before.</summary>
    public long CapturedMinor { get; init; }

    /// <summary>With a capture: no other follows, what is left is released.</summary>
    public bool IsLast { get; init; } = true;
}

/// <summary>What a gateway made of a request: a closed family.</summary>
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

    /// <param name="Reference">The gateway's id of what was done.</param>
    /// <param name="Captured">True when authorizing took the money at once.</param>
    public sealed record Succeeded(string Reference, bool Captured = false) : GatewayResult
    {
        /// <summary>Of an authorization: the money is held until then, if the gateway says so.</summary>
        public DateTimeOffset? HoldsUntil { get; init; }
    }

    /// <summary>Refused for good.</summary>
    /// <param name="Code">
    /// The gateway's own; <c>insufficient_funds</c> is passed on, all others mean declined.
    /// </param>
    /// <param name="Message">One sentence for people, without personal or card data.</param>
    public sealed record Declined(string Code, string Message) : GatewayResult
    {
        public string Message { get; init; } = CardNumbers.Masked(Message);
    }

    /// <summary>The customer has to act first, at <paramref name="Url"/>.</summary>
    public sealed record ActionRequired(string Reference, string Url) : GatewayResult;

    /// <summary>
    /// Certainly nothing happened; the same may be asked again, not before <paramref name="After"/>.
    /// </summary>
    public sealed record Unavailable(string Why, TimeSpan? After = null) : GatewayResult;

    /// <summary>It may have happened.</summary>
    public sealed record Unknown(string Why) : GatewayResult
    {
        public string Why { get; init; } = CardNumbers.Masked(Why);

        /// <summary>The gateway is well, and says itself that it is not settled.</summary>
        public bool IsAnswer { get; init; }
    }

    /// <summary>Ours, never a provider's: the gateway was not asked, as it fails or was asked too often.</summary>
    /// <param name="Why">For whoever wonders.</param>
    /// <param name="LookUp">It was to be looked up.</param>
    /// <param name="After">When it may be worth trying.</param>
    public sealed record NotAsked(string Why, bool LookUp, TimeSpan After) : GatewayResult;

    /// <summary>From a look-up: the gateway has no such request.</summary>
    /// <param name="Final">True when one that is still on its way can no longer take effect either.</param>
    public sealed record NeverHappened(bool Final) : GatewayResult;
}

/// <summary>What a webhook turned out to be: a closed family.</summary>
public abstract record WebhookReading
{
    WebhookReading()
    {
    }

    public sealed record Genuine(IReadOnlyList<GatewayEvent> Events) : WebhookReading;

    /// <summary>Unsigned, altered, or too old: 401.</summary>
    public sealed record Forged(string Why) : WebhookReading;

    /// <summary>
    /// Signed, but not what its version promises: 400, and the gateway sends it again later.
    /// </summary>
    public sealed record Unreadable(string Why) : WebhookReading;
}

/// <summary>One event that a gateway tells of.</summary>
/// <param name="Id">The gateway's; the same event may come any number of times, in any order.</param>
/// <param name="Type">The gateway's name for it.</param>
/// <param name="Key">The key of ours that it is about; null when it names none.</param>
/// <param name="Result">What it says of that request; null when it says nothing that settles it.</param>
/// <param name="Body">As it came, for the record, but for card numbers, which are not kept (ADR 12).</param>
public sealed record GatewayEvent(string Id, string Type, string? Key, GatewayResult? Result, string Body)
{
    public string Body { get; init; } = CardNumbers.Masked(Body);
}
