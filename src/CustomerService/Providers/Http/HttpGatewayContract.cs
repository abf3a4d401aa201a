using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.CustomerService.Providers.Http;

/// <summary>Names in the contract served by a shop's own gateway (docs/reference/http-gateway.md).</summary>
public static class HttpGatewayNames
{
    /// <summary>Name of the provider in orders and in the path of webhooks.</summary>
    public const string Provider = "http";

    /// <summary>Header of requests to the gateway and of webhooks.</summary>
    public const string SignatureHeader = "Orderwright-Signature";

    public const string Succeeded = "succeeded";
    public const string Declined = "declined";
    public const string ActionRequired = "action_required";

    /// <summary>Outcome of a request that certainly had no effect and may be retried later.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>Outcome of a look-up, with 404: no request with the key was ever executed.</summary>
    public const string UnknownKey = "unknown_key";

    /// <summary>Signed text that precedes a request's body.</summary>
    public static string SigningPrefix(string method, string pathAndQuery) => $"{method} {pathAndQuery}\n";
}

/// <summary>Body of <c>POST authorize, capture, void, refund</c>.</summary>
/// <param name="Key">Our idempotency key: a repetition has no second effect and returns the first response.</param>
/// <param name="Reference">Order id.</param>
/// <param name="Amount">Minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Token">For authorize: token of the customer's payment method.</param>
/// <param name="Charge">For the other operations: the gateway's id of the authorization.</param>
/// <param name="Final">For capture: false when another capture may follow, so that the rest has to stay held.</param>
public sealed record HttpGatewayRequest(
    string Key, Guid Reference, long Amount, string Currency, string? Token = null, string? Charge = null,
    bool? Final = null);

/// <summary>A gateway's response to a request or a look-up, also contained in webhooks.</summary>
/// <param name="Outcome">One of <see cref="HttpGatewayNames"/>; any other value leaves the request in doubt.</param>
/// <param name="Id">The gateway's id of the operation; for an authorization, of the charge.</param>
/// <param name="Captured">True when authorizing captured the money at once.</param>
/// <param name="Code">Reason of a refusal; <c>insufficient_funds</c> is passed on.</param>
/// <param name="Message">Explanation of a refusal: one sentence without personal data.</param>
/// <param name="ActionUrl">For <c>action_required</c>: the page to send the customer to.</param>
/// <param name="RetryAfter">For <c>unavailable</c>: pause in seconds.</param>
/// <param name="CaptureBefore">Expiry of an authorization.</param>
public sealed record HttpGatewayResponse(
    string Outcome, string? Id = null, bool Captured = false, string? Code = null, string? Message = null,
    string? ActionUrl = null, int? RetryAfter = null, DateTimeOffset? CaptureBefore = null);

/// <summary>Body of a webhook.</summary>
/// <param name="Id">Identifies the event in every delivery.</param>
/// <param name="Type">The gateway's event type.</param>
/// <param name="Key">Our key of the request concerned.</param>
/// <param name="Answer">Current result of the request.</param>
public sealed record HttpGatewayEvent(string Id, string Type, string Key, HttpGatewayResponse Answer);

/// <summary>A charge in the gateway's own list.</summary>
public sealed record HttpGatewayCharge(
    string Id, string Key, Guid Reference, string Currency, string State, long Amount, long Authorized,
    long Captured, long Refunded, bool Voided, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A page of the list as received: the last page may omit the cursor.</summary>
public sealed record HttpGatewayPage(IReadOnlyList<HttpGatewayCharge> Items, string? NextCursor = null);

/// <summary>JSON of the contract. Unknown properties are ignored; duplicate names are errors.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HttpGatewayRequest))]
[JsonSerializable(typeof(HttpGatewayResponse))]
[JsonSerializable(typeof(HttpGatewayEvent))]
[JsonSerializable(typeof(HttpGatewayCharge))]
[JsonSerializable(typeof(Page<HttpGatewayCharge>))]
[JsonSerializable(typeof(HttpGatewayPage))]
public sealed partial class HttpGatewayJson : JsonSerializerContext;
