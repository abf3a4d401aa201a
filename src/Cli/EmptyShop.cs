using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>Advice for a shop without products, in which every order would be rejected.</summary>
static class EmptyShop
{
    /// <summary>The advice; null for a shop with products, and for a caller that may not see them.</summary>
    public static async Task<string?> AdviceAsync(ApiClient client, CancellationToken cancel) =>
        await client.GetAsync(ServiceNames.Stock, "/products?limit=1", cancel) is { IsSuccess: true } reply && !reply.Items.Any()
            ? "This shop has no products yet: ./orderwright dev and ./orderwright up --demo fill an empty shop, and "
                + "./orderwright import FILE --derive creates the products of a file with orders."
            : null;
}
