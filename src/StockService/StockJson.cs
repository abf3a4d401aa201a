using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.StockService;

/// <summary>Body of <c>PUT /products/{sku}</c>.</summary>
public sealed record ProductBody(string Name, long UnitPrice, string Currency);

/// <summary>Body of <c>PUT /stock/{sku}</c>.</summary>
public sealed record CountBody(long OnHand);

/// <summary>Body of <c>POST /stock/{sku}/adjustments</c>.</summary>
public sealed record AdjustmentBody(long Delta, string Reason, string? Note = null);

/// <summary>A level as the API tells it.</summary>
public sealed record StockView(
    string Sku, long OnHand, long Allocated, long Reserved, long Available, long Version)
{
    public static StockView Of(StockLevel level) =>
        new(level.Sku, level.OnHand, level.Allocated, level.Reserved, level.Available, level.Version);
}

/// <summary>JSON of the API, and of the lines column.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ProductBody))]
[JsonSerializable(typeof(CountBody))]
[JsonSerializable(typeof(AdjustmentBody))]
[JsonSerializable(typeof(Product))]
[JsonSerializable(typeof(Page<Product>))]
[JsonSerializable(typeof(StockView))]
[JsonSerializable(typeof(Page<StockView>))]
[JsonSerializable(typeof(Movement))]
[JsonSerializable(typeof(Page<Movement>))]
[JsonSerializable(typeof(Page<Reservation>))]
public sealed partial class StockJson : JsonSerializerContext;
