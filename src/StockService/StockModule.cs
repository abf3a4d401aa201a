using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.StockService;

/// <summary>stock-service: products, stock levels, reservations, the stock ledger.</summary>
public sealed class StockModule : IServiceModule
{
    public string Name => ServiceNames.Stock;

    public ServiceParts Build(ServiceContext context) => Build(context, out _);

    /// <summary>With what changes the catalogue, for who does so without a web server: the simulation.</summary>
    public ServiceParts Build(ServiceContext context, out ChangeCatalogue changes)
    {
        var stock = new StockTables(context.Sql);
        changes = new ChangeCatalogue(context, new CatalogueTables(context.Sql), stock);
        var products = new ProductApi(context.Database, context.Sql, changes);
        var levels = new StockApi(context.Database, context.Sql, changes);
        return new ServiceParts
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
