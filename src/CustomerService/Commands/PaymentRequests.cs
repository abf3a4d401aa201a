using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.CustomerService.Commands;

/// <summary>Body of <c>POST /payments/{id}/capture</c>; an amount, if given, must be the whole amount held.</summary>
public sealed record CapturePaymentRequest(
    [Range(1, Check.Most)] long? Amount = null, [Length(1, OperatorApi.MaxReason)] string? Reason = null);

/// <summary>Body of <c>POST /payments/{id}/void</c>.</summary>
public sealed record VoidPaymentRequest([Length(1, OperatorApi.MaxReason)] string? Reason = null);

/// <summary>Body of <c>POST /payments/{id}/refunds</c>; minor units of the payment's currency.</summary>
public sealed record RefundPaymentRequest(
    [Range(1, Check.Most)] long Amount, [Length(1, OperatorApi.MaxReason)] string Reason);

/// <summary>
/// Body of <c>POST /payments/{id}/resolve</c>: <paramref name="Outcome"/> is <c>completed</c> (the operation happened) or
/// <c>rejected</c> (nothing happened), <paramref name="Reference"/> the gateway's id.
/// </summary>
public sealed record ResolvePaymentRequest(
    [OneOf("completed", "rejected")] string Outcome, [Length(1, OperatorApi.MaxReason)] string Reason,
    [Length(1, OperatorApi.MaxReference)] string? Reference = null);

/// <summary>
/// Body of <c>POST /payments/{id}/adopt</c>. <paramref name="Provider"/> and <paramref name="Reference"/> choose among several
/// charges of the order; without them the gateways are searched.
/// </summary>
public sealed record AdoptPaymentRequest(
    [Length(1, OperatorApi.MaxReason)] string Reason, [Length(1, OperatorApi.MaxReference)] string? Provider = null,
    [Length(1, OperatorApi.MaxReference)] string? Reference = null);

/// <summary>State before or after an adoption, with a sentence.</summary>
public sealed record AdoptionSnapshot(string State, string Summary);

/// <summary>Message sent by an adoption.</summary>
public sealed record AdoptionMessage(string Type, string Destination);

/// <summary>
/// Result of taking a charge over, or of its preview: <paramref name="Payment"/> as created, or as it would be.
/// <paramref name="AuditId"/> is null for a preview.
/// </summary>
public sealed record AdoptionResponse(
    Guid OrderId, string Action, bool Preview, AdoptionSnapshot Before, AdoptionSnapshot After,
    IReadOnlyList<AdoptionMessage> Messages, PaymentResponse Payment, Guid? AuditId);

/// <summary>JSON of payments in the HTTP API.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(PaymentResponse))]
[JsonSerializable(typeof(Page<PaymentResponse>))]
[JsonSerializable(typeof(CapturePaymentRequest))]
[JsonSerializable(typeof(VoidPaymentRequest))]
[JsonSerializable(typeof(RefundPaymentRequest))]
[JsonSerializable(typeof(ResolvePaymentRequest))]
[JsonSerializable(typeof(AdoptPaymentRequest))]
[JsonSerializable(typeof(AdoptionResponse))]
public sealed partial class PaymentJson : JsonSerializerContext;
