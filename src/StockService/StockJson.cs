using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.StockService;

/// <summary>Body of <c>PUT /products/{sku}</c>.</summary>
public sealed record ProductRequest(
    [Length(1, ProductApi.MaxNameLength)] string Name, [Range(0, Check.Most)] long UnitPrice, string Currency);

/// <summary>Body of <c>PUT /stock/{sku}</c>.</summary>
public sealed record CountRequest([Range(0, Check.Most)] long OnHand);

/// <summary>Body of <c>POST /stock/{sku}/adjustments</c>.</summary>
public sealed record AdjustmentRequest(
    [Range(-Check.Most, Check.Most)] long Delta,
    [OneOf("received", "damaged", "lost", "found", "returned", "other")] string Reason,
    [Length(1, StockApi.MaxNoteLength)] string? Note = null);

/// <summary>Level in a response.</summary>
public sealed record StockResponse(
    string Sku, long OnHand, long Allocated, long Reserved, long Available, long Version)
{
    public static StockResponse Of(StockLevel level) =>
        new(level.Sku, level.OnHand, level.Allocated, level.Reserved, level.Available, level.Version);
}

/// <summary>JSON of the API: strict on reading; every property is written.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ProductRequest))]
[JsonSerializable(typeof(CountRequest))]
[JsonSerializable(typeof(AdjustmentRequest))]
[JsonSerializable(typeof(Product))]
[JsonSerializable(typeof(Page<Product>))]
[JsonSerializable(typeof(StockResponse))]
[JsonSerializable(typeof(Page<StockResponse>))]
[JsonSerializable(typeof(StockMovement))]
[JsonSerializable(typeof(Page<StockMovement>))]
[JsonSerializable(typeof(Page<Reservation>))]
public sealed partial class StockJson : JsonSerializerContext;
