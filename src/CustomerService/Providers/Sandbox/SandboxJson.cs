using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>Body of the sandbox's webhooks.</summary>
/// <param name="Id">Identifies the event in every delivery.</param>
/// <param name="Type"><c>charge.</c> followed by the charge's state.</param>
/// <param name="Key">Our key of the authorization.</param>
/// <param name="Charge">The sandbox's id of the charge.</param>
/// <param name="Code">Reason of a refusal.</param>
/// <param name="Message">Explanation of a refusal.</param>
public sealed record SandboxEvent(
    string Id, string Type, string Key, string Charge, string? Code = null, string? Message = null);

/// <summary>The customer's decision on the page of the bank.</summary>
public sealed record SandboxActionRequest(bool Approve);

/// <summary>State of the charge after the decision.</summary>
public sealed record SandboxActionResponse(Guid OrderId, string State);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SandboxEvent))]
[JsonSerializable(typeof(SandboxActionRequest))]
[JsonSerializable(typeof(SandboxActionResponse))]
sealed partial class SandboxJson : JsonSerializerContext;
