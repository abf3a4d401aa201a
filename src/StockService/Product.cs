namespace Orderwright.StockService;

/// <summary>Product that can be ordered.</summary>
/// <param name="Sku">Caller's own key.</param>
/// <param name="Name">Name for people.</param>
/// <param name="UnitPrice">Price of one unit, in minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Version">1 and up, raised by every change.</param>
/// <param name="CreatedAt">Time of creation.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
public sealed record Product(
    string Sku, string Name, long UnitPrice, string Currency, long Version, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <summary>Product and its level, created and removed together.</summary>
public sealed record CatalogueEntry(Product Product, StockLevel Level);
