using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.CustomerService.Providers.Http;

/// <summary>Names of the contract that a shop's own gateway serves (docs/http-gateway.md).</summary>
public static class HttpGatewayNames
{
    /// <summary>The provider, in orders and in the webhook's path.</summary>
    public const string Provider = "http";

    /// <summary>On requests to the gateway and on its webhooks.</summary>
    public const string SignatureHeader = "Orderwright-Signature";

    public const string Succeeded = "succeeded";
    public const string Declined = "declined";
    public const string ActionRequired = "action_required";

    /// <summary>Certainly nothing was done; ask again later.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>With 404, to a look-up: no request with this key was ever carried out.</summary>
    public const string UnknownKey = "unknown_key";

    /// <summary>What stands before a request's body under its signature.</summary>
    public static string Signed(string method, string pathAndQuery) => $"{method} {pathAndQuery}\n";
}

/// <summary>Body of <c>POST authorize, capture, void, refund</c>.</summary>
/// <param name="Key">Ours; the same key again has no second effect and gets the first answer.</param>
/// <param name="Reference">The order's id.</param>
/// <param name="Amount">Minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Token">With authorize: stands for the customer's means of payment.</param>
/// <param name="Charge">With all others: the gateway's id of the authorization.</param>
/// <param name="Final">With capture: false where another may follow, so that what is left has to stay held.</param>
public sealed record HttpGatewayRequest(
    string Key, Guid Reference, long Amount, string Currency, string? Token = null, string? Charge = null,
    bool? Final = null);

/// <summary>What a gateway answers to a request, to a look-up, and by webhook.</summary>
/// <param name="Outcome">One of <see cref="HttpGatewayNames"/>; another one counts as not known.</param>
/// <param name="Id">The gateway's id of what was done; of an authorization, its charge.</param>
/// <param name="Captured">True when authorizing took the money at once.</param>
/// <param name="Code">Of a refusal; <c>insufficient_funds</c> is passed on.</param>
/// <param name="Message">Of a refusal: one sentence without personal data.</param>
/// <param name="ActionUrl">With <c>action_required</c>: where the customer goes.</param>
/// <param name="RetryAfter">With <c>unavailable</c>: seconds.</param>
/// <param name="CaptureBefore">Of an authorization: the money is held until then.</param>
public sealed record HttpGatewayAnswer(
    string Outcome, string? Id = null, bool Captured = false, string? Code = null, string? Message = null,
    string? ActionUrl = null, int? RetryAfter = null, DateTimeOffset? CaptureBefore = null);

/// <summary>A webhook's body.</summary>
/// <param name="Id">The same for the same event, however often it comes.</param>
/// <param name="Type">The gateway's name for it.</param>
/// <param name="Key">The key of ours that it is about.</param>
/// <param name="Answer">How that request stands now.</param>
public sealed record HttpGatewayEvent(string Id, string Type, string Key, HttpGatewayAnswer Answer);

/// <summary>A line of the gateway's own list.</summary>
public sealed record HttpGatewayCharge(
    string Id, string Key, Guid Reference, string Currency, string State, long Amount, long Authorized,
    long Captured, long Refunded, bool Voided, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A page of that list, as it is read: the last one may leave out where the next begins.</summary>
public sealed record HttpGatewayPage(IReadOnlyList<HttpGatewayCharge> Items, string? NextCursor = null);

/// <summary>Read leniently, as a gateway may say more than we ask for; but no name twice.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HttpGatewayRequest))]
[JsonSerializable(typeof(HttpGatewayAnswer))]
[JsonSerializable(typeof(HttpGatewayEvent))]
[JsonSerializable(typeof(HttpGatewayCharge))]
[JsonSerializable(typeof(Page<HttpGatewayCharge>))]
[JsonSerializable(typeof(HttpGatewayPage))]
public sealed partial class HttpGatewayJson : JsonSerializerContext;
