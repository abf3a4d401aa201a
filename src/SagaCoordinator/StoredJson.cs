using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Runtime.Http;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// What stands in the JSON columns of <c>sagas</c>: nothing that is null, no name that code may rename.
/// </summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    Converters =
    [
        typeof(UtcMillisecondsConverter), typeof(SnakeCaseConverter<LegPhase>),
        typeof(SnakeCaseConverter<Announcement>),
    ])]
[JsonSerializable(typeof(SagaState))]
[JsonSerializable(typeof(OrderFacts))]
public sealed partial class StoredJson : JsonSerializerContext;

/// <summary><c>InDoubt</c> as <c>in_doubt</c>.</summary>
public sealed class SnakeCaseConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower)
    where T : struct, Enum;
