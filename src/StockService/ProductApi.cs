using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.StockService;

/// <summary>Catalogue over HTTP: <c>/api/v1/products</c>.</summary>
public sealed class ProductApi(IDatabase database, SqlCatalog sql, ChangeCatalogue changes)
{
    public const int MaxNameLength = 200;

    public static string PathOf(string sku) => $"/api/v1/products/{sku}";

    public void Map(IEndpointRouteBuilder routes)
    {
        var products = routes.MapGroup("/api/v1/products").WithTags("products").Require(Scopes.StockRead);
        products.MapGet("", (Delegate)ListAsync).WithName("listProducts").Lists()
            .WithSummary("List the catalogue by SKU").Produces<Page<Product>>();
        products.MapGet("/{sku}", GetAsync).WithName("getProduct").WithSummary("Get a product")
            .Produces<Product>().Conditional();
        products.MapPut("/{sku}", PutAsync).Require(Scopes.Stock).WithName("putProduct")
            .WithSummary("Create or replace a product")
            .Accepts<ProductRequest>("application/json")
            .Produces<Product>().Produces<Product>(StatusCodes.Status201Created).Conditional();
        products.MapDelete("/{sku}", DeleteAsync).Require(Scopes.Stock).WithName("deleteProduct")
            .WithSummary("Remove a product without stock or reservations").Produces(StatusCodes.Status204NoContent).Conditional();
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http);
        if (query.Refusal is { } refusal) return refusal;
        var products = await database.QueryAsync(
            sql["products"], SqlArgs.With("after", query.Position ?? "").And("most", query.Limit + 1),
            CatalogueStore.ReadProduct, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, Pages.Of(products, query.Limit, product => product.Sku),
            StockJson.Default.PageProduct);
    }

    async Task<IResult> GetAsync(string sku, HttpContext http)
    {
        if (new Check().Id("sku", sku).Refusal is { } refusal) return refusal;
        var found = await database.QueryAsync(
            sql["product"], SqlArgs.With("sku", sku), CatalogueStore.ReadProduct, http.RequestAborted);
        return found is [var product]
            ? Answer.Json(StatusCodes.Status200OK, product, StockJson.Default.Product, version: product.Version)
            : Problem.NotFound("product");
    }

    async Task<IResult> PutAsync(string sku, HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, StockJson.Default.ProductRequest);
        if (command is null) return refusal!;
        var (name, unitPrice, currency) = command.Body;
        var check = new Check().Id("sku", sku)
            .Text("/name", name, MaxNameLength)
            .Range("/unitPrice", unitPrice, 0, Check.Most)
            .Currency("/currency", currency);
        return check.Refusal ?? await changes.SubmitAsync(command.For<ProductRequest, CatalogueChange>(
            new CatalogueChange.Put(sku, name, unitPrice, currency, Precondition.Read(http))));
    }

    async Task<IResult> DeleteAsync(string sku, HttpContext http)
    {
        if (new Check().Id("sku", sku).Refusal is { } invalid) return invalid;
        var (command, refusal) = Commands.WithoutBody<CatalogueChange>(
            http, new CatalogueChange.Remove(sku, Precondition.Read(http)));
        return command is null ? refusal! : await changes.SubmitAsync(command);
    }
}
