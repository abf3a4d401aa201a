using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http.Operators;
using Orderwright.Runtime;

namespace Orderwright.Http.Approvals;

/// <summary>States of an approval. All but <see cref="Pending"/> are final.</summary>
public static class ApprovalStates
{
    public const string Pending = "pending";
    public const string Approved = "approved";
    public const string Rejected = "rejected";
    public const string Expired = "expired";

    public static readonly IReadOnlyList<string> All = [Pending, Approved, Rejected, Expired];
}

/// <summary>Operations that may wait for a second person.</summary>
public static class ApprovedOperations
{
    public const string Refund = "refund";
    public const string Credit = "credit";

    /// <summary>Outcome of a payment's attempt in doubt.</summary>
    public const string ResolvePayment = "resolve-payment";

    /// <summary>Outcome of a step of the process.</summary>
    public const string ResolveStep = "resolve-step";
}

/// <summary>Operation that waits for a second person, or waited.</summary>
/// <param name="Id">UUIDv7; also the order of the list.</param>
/// <param name="Operation">One of <see cref="ApprovedOperations"/>.</param>
/// <param name="OrderId">Order acted on; null for a credit.</param>
/// <param name="CustomerId">Customer concerned; null if unknown.</param>
/// <param name="Channel">Channel of the order; null for a credit, which concerns all channels.</param>
/// <param name="AmountMinor">Amount in minor units that made the approval necessary.</param>
/// <param name="Currency">Currency of the amount.</param>
/// <param name="Effect">Effect of the operation, one sentence.</param>
/// <param name="Reason">Words of the requesting person; may be empty.</param>
/// <param name="Command">Request as JSON, for the service that carries the operation out.</param>
/// <param name="RequestedBy">Name of the requesting person.</param>
/// <param name="RequestedAt">Time of the request.</param>
/// <param name="ExpiresAt">Time from which the operation can no longer be approved.</param>
/// <param name="State">One of <see cref="ApprovalStates"/>.</param>
/// <param name="DecidedBy">Name of the deciding person; null while pending, and for an expired approval.</param>
/// <param name="DecidedAt">Time of the decision, or of the expiry.</param>
/// <param name="DecisionReason">Words of the deciding person.</param>
/// <param name="TraceId">Trace id of the request.</param>
public sealed record Approval(
    Guid Id, string Operation, Guid? OrderId, string? CustomerId, string? Channel, long AmountMinor, string Currency,
    string Effect, string Reason, string Command, string RequestedBy, DateTimeOffset RequestedAt, DateTimeOffset ExpiresAt,
    string State = ApprovalStates.Pending, string? DecidedBy = null, DateTimeOffset? DecidedAt = null,
    string? DecisionReason = null, string? TraceId = null)
{
    /// <summary>Cursor after an approval, valid in the list of any service.</summary>
    public static string PositionOf(Guid id) => id.ToString("N");

    /// <summary>Response to a request whose operation waits: 202, with the place to look.</summary>
    public Answer Waiting(string service) => Answer.Json(
        202, ApprovalResponse.Of(this, service), ApprovalJson.Default.ApprovalResponse, location: $"/api/v1/approvals/{Id}");
}

/// <summary>Approval in the HTTP API.</summary>
/// <param name="Id">Id of the approval.</param>
/// <param name="Service">Service that carries the operation out.</param>
/// <param name="Operation">Operation that waits.</param>
/// <param name="State">Pending, or the decision.</param>
/// <param name="Effect">Effect of the operation, one sentence.</param>
/// <param name="OrderId">Order acted on; null for a credit.</param>
/// <param name="CustomerId">Customer concerned; null if unknown.</param>
/// <param name="Channel">Channel of the order; null for a credit.</param>
/// <param name="Amount">Amount in minor units that made the approval necessary.</param>
/// <param name="Currency">Currency of the amount.</param>
/// <param name="Reason">Words of the requesting person; may be empty.</param>
/// <param name="RequestedBy">Name of the requesting person.</param>
/// <param name="RequestedAt">Time of the request.</param>
/// <param name="ExpiresAt">Time from which the operation can no longer be approved.</param>
/// <param name="DecidedBy">Name of the deciding person.</param>
/// <param name="DecidedAt">Time of the decision, or of the expiry.</param>
/// <param name="DecisionReason">Words of the deciding person.</param>
/// <param name="Result">In the response to an approval: response of the operation, as a direct request would have got.</param>
public sealed record ApprovalResponse(
    Guid Id, string Service, [OneOf(typeof(ApprovedOperations))] string Operation,
    [OneOf(typeof(ApprovalStates))] string State, string Effect, Guid? OrderId, string? CustomerId, string? Channel, long Amount,
    string Currency, string Reason, string RequestedBy, DateTimeOffset RequestedAt, DateTimeOffset ExpiresAt, string? DecidedBy,
    DateTimeOffset? DecidedAt, string? DecisionReason, JsonElement? Result)
{
    public static ApprovalResponse Of(Approval approval, string service, JsonElement? result = null) => new(
        approval.Id, service, approval.Operation, approval.State, approval.Effect, approval.OrderId, approval.CustomerId,
        approval.Channel, approval.AmountMinor, approval.Currency, approval.Reason, approval.RequestedBy, approval.RequestedAt,
        approval.ExpiresAt, approval.DecidedBy, approval.DecidedAt, approval.DecisionReason, result);
}

/// <summary>Body of <c>POST /approvals/{id}/approve</c>.</summary>
/// <param name="Reason">Words of the deciding person, 1 to 500 characters.</param>
public sealed record ApproveRequest([Length(1, ReasonRequest.MaxReason)] string? Reason = null);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ApproveRequest))]
[JsonSerializable(typeof(ApprovalResponse))]
[JsonSerializable(typeof(Page<ApprovalResponse>))]
public sealed partial class ApprovalJson : JsonSerializerContext;
