using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;
using Orderwright.SagaCoordinator.Overview;

namespace Orderwright.SagaCoordinator.Operators;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ResolveRequest))]
[JsonSerializable(typeof(HeldResolution))]
[JsonSerializable(typeof(OperatorActionResponse))]
[JsonSerializable(typeof(BulkRequest))]
[JsonSerializable(typeof(BulkPreview))]
[JsonSerializable(typeof(BulkRun))]
[JsonSerializable(typeof(Page<BulkRun>))]
[JsonSerializable(typeof(Page<BulkOrder>))]
[JsonSerializable(typeof(IncidentNoteRequest))]
[JsonSerializable(typeof(IncidentNote))]
public sealed partial class OperatorSagaJson : JsonSerializerContext;
