using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.StockService;

/// <summary>Loads and saves products with their levels, a statement per set.</summary>
public sealed class CatalogueStore(SqlCatalog sql)
{
    /// <summary>Locks and loads products with their levels; unknown SKUs are omitted.</summary>
    public Task<List<CatalogueEntry>> LockAsync(Work work, IReadOnlyList<string> skus) => work.QueryAsync(
        sql["lock_products"], SqlArgs.OfTexts("sku", skus),
        row => new CatalogueEntry(ReadProduct(row), StockStore.ReadLevel(row, "level_version")));

    public async Task InsertAsync(Work work, IReadOnlyList<CatalogueEntry> entries)
    {
        if (entries.Count == 0) return;
        await work.ExecuteAsync(
            sql["insert_products"], ProductRows([.. entries.Select(entry => entry.Product)]));
        await work.ExecuteAsync(
            sql["insert_levels"], StockStore.LevelRows([.. entries.Select(entry => entry.Level)]));
    }

    public Task UpdateProductsAsync(Work work, IReadOnlyList<Product> products) =>
        products.Count == 0
            ? Task.CompletedTask
            : work.ExecuteAsync(sql["update_products"], ProductRows(products));

    public async Task DeleteAsync(Work work, IReadOnlyList<string> skus)
    {
        if (skus.Count == 0) return;
        await work.ExecuteAsync(sql["delete_products"], SqlArgs.OfTexts("sku", skus));
        await work.ExecuteAsync(sql["delete_levels"], SqlArgs.OfTexts("sku", skus));
    }

    public static Product ReadProduct(IRow row) => new(
        row.Text("sku"), row.Text("name"), row.BigInt("unit_price"), row.Text("currency"), row.BigInt("version"),
        row.Time("created_at"), row.Time("updated_at"));

    static SqlArgs ProductRows(IReadOnlyList<Product> products) => SqlArgs.Over(products)
        .Text("sku", product => product.Sku)
        .Text("name", product => product.Name)
        .BigInt("unit_price", product => product.UnitPrice)
        .Text("currency", product => product.Currency)
        .BigInt("version", product => product.Version)
        .Time("created_at", product => product.CreatedAt)
        .Time("updated_at", product => product.UpdatedAt);
}
