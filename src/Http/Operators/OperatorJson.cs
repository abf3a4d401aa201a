using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.Http.Operators;

/// <param name="Reason">Operator's own words: 1 to 500 characters.</param>
public sealed record ReasonRequest([Length(1, ReasonRequest.MaxReason)] string Reason)
{
    public const int MaxReason = 500;
}

/// <summary>JSON of the operator API; strict when read.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ReasonRequest))]
[JsonSerializable(typeof(ReplayResponse))]
[JsonSerializable(typeof(DeadLetterResponse))]
[JsonSerializable(typeof(Page<DeadLetterResponse>))]
[JsonSerializable(typeof(Page<AuditEntry>))]
[JsonSerializable(typeof(JsonNode))]
public sealed partial class OperatorJson : JsonSerializerContext;
