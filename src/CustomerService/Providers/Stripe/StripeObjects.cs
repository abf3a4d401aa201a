using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>PaymentIntent, as far as used here. Amounts in Stripe's smallest unit of the currency.</summary>
sealed record StripeIntent(
    string Id, string Status, long Amount, long AmountReceived, string Currency,
    IReadOnlyDictionary<string, string>? Metadata = null, StripeNextAction? NextAction = null,
    StripeFault? LastPaymentError = null, JsonElement? LatestCharge = null)
{
    // The end of the year 9999.
    const long MaxUnixSeconds = 253_402_300_799;

    /// <summary>Expiry of the authorization, from the charge; null unless the request expanded the charge.</summary>
    public DateTimeOffset? CaptureBefore =>
        LatestCharge is { ValueKind: JsonValueKind.Object } charge
        && charge.TryGetProperty("payment_method_details", out var details) && details.ValueKind == JsonValueKind.Object
        && details.TryGetProperty("card", out var card) && card.ValueKind == JsonValueKind.Object
        && card.TryGetProperty("capture_before", out var until) && until.ValueKind == JsonValueKind.Number
        && until.TryGetInt64(out var seconds) && seconds is >= 0 and <= MaxUnixSeconds
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}

sealed record StripeNextAction(string Type, StripeRedirect? RedirectToUrl = null);

sealed record StripeRedirect(string? Url);

sealed record StripeRefund(
    string Id, string? Status, long Amount, IReadOnlyDictionary<string, string>? Metadata = null,
    string? FailureReason = null);

/// <summary>Error in a response, or on an intent whose last attempt failed.</summary>
sealed record StripeFault(
    string Type, string? Code = null, string? DeclineCode = null, string? Message = null, string? Param = null,
    StripeIntent? PaymentIntent = null);

sealed record StripeError(StripeFault Error);

/// <summary>A page of a list or a search.</summary>
sealed record StripePage<T>(IReadOnlyList<T> Data, bool HasMore = false);

/// <summary>PaymentIntent in a list, with the charge expanded.</summary>
sealed record StripeListedIntent(
    string Id, string Status, long AmountCapturable, long AmountReceived, string Currency, long Created,
    IReadOnlyDictionary<string, string>? Metadata = null, StripeCharge? LatestCharge = null);

/// <summary>Charge, as far as used here.</summary>
sealed record StripeCharge(string Id, long AmountRefunded);

sealed record StripeEvent(string Id, string Type, StripeEventData Data);

sealed record StripeEventData(JsonElement Object);

/// <summary>JSON of Stripe's API. Unknown properties are ignored, since Stripe adds fields; duplicate names are errors.</summary>
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
