namespace Orderwright.StockService;

/// <summary>What can be ordered.</summary>
/// <param name="Sku">The caller's own key.</param>
/// <param name="Name">For people.</param>
/// <param name="UnitPrice">Of one unit, in minor units of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Version">1 and up, raised by every change.</param>
/// <param name="CreatedAt">When it was first put.</param>
/// <param name="UpdatedAt">When it last changed.</param>
public sealed record Product(
    string Sku, string Name, long UnitPrice, string Currency, long Version, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <summary>A product and its level: one comes and goes with the other.</summary>
public sealed record CatalogueEntry(Product Product, StockLevel Level);
