using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.SagaCoordinator.Overview;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(OverviewResponse))]
[JsonSerializable(typeof(Page<IncidentItem>))]
[JsonSerializable(typeof(Page<TimerItem>))]
[JsonSerializable(typeof(Page<SagaItem>))]
[JsonSerializable(typeof(SagaResponse))]
[JsonSerializable(typeof(DefinitionResponse))]
public sealed partial class SagaJson : JsonSerializerContext;
