using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.StockService.Healing;

namespace Orderwright.StockService;

/// <summary>Parts of stock-service. The simulation changes the catalogue without a web server.</summary>
/// <param name="Catalogue">Changes to products and stock levels.</param>
/// <param name="Healing">Repairs of reservations.</param>
public sealed record StockParts(ChangeCatalogue Catalogue, CommandGroup<HealReservationsRequest> Healing) : HttpParts;

/// <summary>stock-service: products, stock levels, reservations, the stock ledger.</summary>
public sealed class StockModule : IServiceModule
{
    public string Name => ServiceNames.Stock;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public StockParts Build(ServiceContext context)
    {
        var stock = new StockStore(context.Sql);
        var catalogue = new CatalogueStore(context.Sql);
        var changes = new ChangeCatalogue(context, catalogue, stock);
        var audit = new Audit(Name, context.Database, context.RuntimeSql);
        var healing = new CommandGroup<HealReservationsRequest>(
            "heal-reservations", new HealReservations(stock, catalogue, audit).HandleAsync, context, Passage.Repairs);
        var products = new ProductApi(context.Database, context.Sql, changes);
        var levels = new StockApi(context.Database, context.Sql, changes);
        return new StockParts(changes, healing)
        {
            Handlers = [new MoveGoods(stock)],
            Jobs = [new AskAboutHolds(stock).Job],
            Loops = [.. changes.Loops, .. healing.Loops],
            Routes = routes =>
            {
                products.Map(routes);
                levels.Map(routes);
                new HealApi(healing).Map(routes);
            },
        };
    }
}
