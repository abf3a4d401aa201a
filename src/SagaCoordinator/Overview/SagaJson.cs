using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.SagaCoordinator.Overview;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(OverviewResponse))]
[JsonSerializable(typeof(Page<IncidentItem>))]
[JsonSerializable(typeof(Page<TimerItem>))]
[JsonSerializable(typeof(Page<SagaItem>))]
[JsonSerializable(typeof(SagaResponse))]
[JsonSerializable(typeof(DefinitionResponse))]
[JsonSerializable(typeof(ProcessCensus))]
public sealed partial class SagaJson : JsonSerializerContext;
