using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli.Import;

/// <summary>
/// Creates the data that the orders need: products with opening stock, customers with credits. Existing data, from an earlier
/// run or from elsewhere, is left unchanged.
/// </summary>
sealed class Preparation(Patience patience, Ledger ledger, ImportPlan plan)
{
    const int InFlight = 32;

    public async Task RunAsync(Action<int, int> onProgress, CancellationToken cancel)
    {
        var products = await IdsAsync(ServiceNames.Stock, "/products", "sku", cancel);
        var customers = await IdsAsync(ServiceNames.Customer, "/customers", "id", cancel);
        foreach (var product in plan.Products.Where(product => !products.Contains(product.Sku))) ledger.IsNew(product.Sku);
        var (done, all) = (0, plan.Products.Count + plan.Customers.Count);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = cancel };
        await Parallel.ForEachAsync(plan.Products, parallel, async (product, stop) =>
        {
            await CreateAsync(product, products.Contains(product.Sku), stop);
            onProgress(Interlocked.Increment(ref done), all);
        });
        await Parallel.ForEachAsync(plan.Customers, parallel, async (customer, stop) =>
        {
            await CreateAsync(customer, customers.Contains(customer.Id), stop);
            onProgress(Interlocked.Increment(ref done), all);
        });
    }

    async Task CreateAsync(OpeningProduct product, bool exists, CancellationToken cancel)
    {
        if (!exists)
        {
            Require(
                await patience.SendAsync(
                    HttpMethod.Put, ServiceNames.Stock, $"/products/{product.Sku}", cancel,
                    new()
                    {
                        ["name"] = product.Name, ["unitPrice"] = product.UnitPriceMinor, ["currency"] = product.Currency,
                    }),
                $"product {product.Sku}");
            patience.Completed();
        }
        if (product.Opening > 0)
            Require(
                await ledger.AdjustAsync(product.Sku, product.Opening, "received", "opening stock", cancel),
                $"stock of {product.Sku}");
    }

    async Task CreateAsync(OpeningCustomer customer, bool exists, CancellationToken cancel)
    {
        if (!exists)
        {
            Require(
                await patience.SendAsync(
                    HttpMethod.Put, ServiceNames.Customer, $"/customers/{customer.Id}", cancel,
                    new() { ["name"] = customer.Name }),
                $"customer {customer.Id}");
            patience.Completed();
        }
        foreach (var (currency, amount) in customer.Credits)
        {
            var reply = await patience.SendAsync(
                HttpMethod.Post, ServiceNames.Customer, $"/customers/{customer.Id}/credits", cancel,
                new() { ["amount"] = amount, ["currency"] = currency, ["reference"] = $"import-{plan.Id}-{currency}" },
                RequestKey.Of(plan.Id, "credit", $"{customer.Id} {currency}"));
            if (reply.Code != "duplicate_reference") Require(reply, $"credit of {customer.Id}");
            patience.Completed();
        }
    }

    async Task<HashSet<string>> IdsAsync(string service, string path, string id, CancellationToken cancel) =>
        await patience.ListAsync(service, path, cancel).Select(item => item.Text(id)).ToHashSetAsync(cancellationToken: cancel);

    // Without stock or credit, orders would be refused for the wrong reason, so the import stops instead.
    static void Require(ApiReply reply, string subject)
    {
        if (!reply.IsSuccess) throw new ToolException(Exit.Failed, $"Cannot create the {subject}: {reply.Error}");
    }
}
