using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.StockService;

/// <summary>Loads and saves products with their levels, a set per statement.</summary>
public sealed class CatalogueTables(SqlCatalog sql)
{
    /// <summary>The entries that exist, out of those asked for; product and level are locked.</summary>
    public Task<List<CatalogueEntry>> LockAsync(Work work, IReadOnlyList<string> skus) => work.QueryAsync(
        sql["lock_products"], SqlArgs.OfTexts("sku", skus),
        row => new CatalogueEntry(
            ReadProduct(row),
            new(row.Text(0), row.BigInt(7), row.BigInt(8), row.BigInt(9), row.BigInt(10))));

    public async Task InsertAsync(Work work, IReadOnlyList<CatalogueEntry> entries)
    {
        if (entries.Count == 0) return;
        await work.ExecuteAsync(
            sql["insert_products"], ProductRows([.. entries.Select(entry => entry.Product)]));
        await work.ExecuteAsync(
            sql["insert_levels"], StockTables.LevelRows([.. entries.Select(entry => entry.Level)]));
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
        row.Text(0), row.Text(1), row.BigInt(2), row.Text(3), row.BigInt(4), row.Time(5), row.Time(6));

    static SqlArgs ProductRows(IReadOnlyList<Product> products) => SqlArgs.Over(products)
        .Text("sku", product => product.Sku)
        .Text("name", product => product.Name)
        .BigInt("unit_price", product => product.UnitPrice)
        .Text("currency", product => product.Currency)
        .BigInt("version", product => product.Version)
        .Time("created_at", product => product.CreatedAt)
        .Time("updated_at", product => product.UpdatedAt);
}
