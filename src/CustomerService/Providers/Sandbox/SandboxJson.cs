using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>What the sandbox's webhooks say.</summary>
/// <param name="Id">The same for the same event, however often it comes.</param>
/// <param name="Type"><c>charge.</c> and the charge's state.</param>
/// <param name="Key">The key under which the charge was asked for.</param>
/// <param name="Charge">The sandbox's id of it.</param>
/// <param name="Code">Of a refusal.</param>
/// <param name="Message">Of a refusal.</param>
public sealed record SandboxEvent(
    string Id, string Type, string Key, string Charge, string? Code = null, string? Message = null);

/// <summary>What the customer decides on the page of their bank.</summary>
public sealed record SandboxAction(bool Approve);

/// <summary>How the charge stands after it.</summary>
public sealed record SandboxActed(Guid OrderId, string State);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SandboxEvent))]
[JsonSerializable(typeof(SandboxAction))]
[JsonSerializable(typeof(SandboxActed))]
sealed partial class SandboxJson : JsonSerializerContext;
