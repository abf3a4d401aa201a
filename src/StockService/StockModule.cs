using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.StockService;

/// <summary>Parts of stock-service. The simulation changes the catalogue without a web server.</summary>
/// <param name="Catalogue">Changes to products and stock levels.</param>
public sealed record StockParts(ChangeCatalogue Catalogue) : HttpParts;

/// <summary>stock-service: products, stock levels, reservations, the stock ledger.</summary>
public sealed class StockModule : IServiceModule
{
    public string Name => ServiceNames.Stock;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public StockParts Build(ServiceContext context)
    {
        var stock = new StockStore(context.Sql);
        var changes = new ChangeCatalogue(context, new CatalogueStore(context.Sql), stock);
        var products = new ProductApi(context.Database, context.Sql, changes);
        var levels = new StockApi(context.Database, context.Sql, changes);
        return new StockParts(changes)
        {
            Handlers = [new MoveGoods(stock)],
            Jobs = [new ExpireHolds(stock).Job],
            Loops = changes.Loops,
            Routes = routes =>
            {
                products.Map(routes);
                levels.Map(routes);
            },
        };
    }
}
