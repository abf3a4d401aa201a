using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>What we read of a PaymentIntent. Amounts in Stripe's smallest unit of the currency.</summary>
sealed record StripeIntent(
    string Id, string Status, long Amount, long AmountReceived, string Currency,
    IReadOnlyDictionary<string, string>? Metadata = null, StripeNextAction? NextAction = null,
    StripeFault? LastPaymentError = null, JsonElement? LatestCharge = null)
{
    /// <summary>Until when the money is held: in the charge, where it was asked for in full.</summary>
    public DateTimeOffset? CaptureBefore =>
        LatestCharge is { ValueKind: JsonValueKind.Object } charge
        && charge.TryGetProperty("payment_method_details", out var details) && details.ValueKind == JsonValueKind.Object
        && details.TryGetProperty("card", out var card) && card.ValueKind == JsonValueKind.Object
        && card.TryGetProperty("capture_before", out var until) && until.TryGetInt64(out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}

sealed record StripeNextAction(string Type, StripeRedirect? RedirectToUrl = null);

sealed record StripeRedirect(string? Url);

sealed record StripeRefund(
    string Id, string? Status, long Amount, IReadOnlyDictionary<string, string>? Metadata = null,
    string? FailureReason = null);

/// <summary>What went wrong, in an error's body or on an intent whose last try failed.</summary>
sealed record StripeFault(
    string Type, string? Code = null, string? DeclineCode = null, string? Message = null, string? Param = null,
    StripeIntent? PaymentIntent = null);

sealed record StripeError(StripeFault Error);

/// <summary>A page of a list or of a search.</summary>
sealed record StripePage<T>(IReadOnlyList<T> Data, bool HasMore = false);

/// <summary>A PaymentIntent in a list, with its charge in the place of the charge's id.</summary>
sealed record StripeListedIntent(
    string Id, string Status, long AmountCapturable, long AmountReceived, string Currency, long Created,
    IReadOnlyDictionary<string, string>? Metadata = null, StripeCharge? LatestCharge = null);

/// <summary>What is read of a Charge: what was given back of it.</summary>
sealed record StripeCharge(string Id, long AmountRefunded);

sealed record StripeEvent(string Id, string Type, StripeEventData Data);

sealed record StripeEventData(JsonElement Object);

/// <summary>Read leniently: Stripe adds fields within a version. But no name twice.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StripeIntent))]
[JsonSerializable(typeof(StripeRefund))]
[JsonSerializable(typeof(StripeError))]
[JsonSerializable(typeof(StripePage<StripeIntent>))]
[JsonSerializable(typeof(StripePage<StripeRefund>))]
[JsonSerializable(typeof(StripePage<StripeListedIntent>))]
[JsonSerializable(typeof(StripeEvent))]
sealed partial class StripeJson : JsonSerializerContext;
