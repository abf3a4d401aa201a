using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli.Import;

/// <summary>
/// Brings in what the orders need: products with their opening stock, customers with their credits. What is there
/// already, from an earlier run or otherwise, is left as it is.
/// </summary>
sealed class Preparation(Patience patience, Ledger ledger, ImportPlan plan)
{
    const int InFlight = 32;

    public async Task RunAsync(Action<int, int> onProgress, CancellationToken cancel)
    {
        var products = await ListAsync(ServiceNames.Stock, "/products", "sku", cancel);
        var customers = await ListAsync(ServiceNames.Customer, "/customers", "id", cancel);
        foreach (var product in plan.Products.Where(product => !products.Contains(product.Sku))) ledger.IsNew(product.Sku);
        var (done, all) = (0, plan.Products.Count + plan.Customers.Count);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = cancel };
        await Parallel.ForEachAsync(plan.Products, parallel, async (product, stop) =>
        {
            await BringAsync(product, products.Contains(product.Sku), stop);
            onProgress(Interlocked.Increment(ref done), all);
        });
        await Parallel.ForEachAsync(plan.Customers, parallel, async (customer, stop) =>
        {
            await BringAsync(customer, customers.Contains(customer.Id), stop);
            onProgress(Interlocked.Increment(ref done), all);
        });
    }

    async Task BringAsync(OpeningProduct product, bool known, CancellationToken cancel)
    {
        if (!known)
            await PutAsync(ServiceNames.Stock, $"/products/{product.Sku}", JsonBody.Of(json =>
            {
                json.WriteString("name", product.Name);
                json.WriteNumber("unitPrice", product.UnitPriceMinor);
                json.WriteString("currency", product.Currency);
            }), cancel);
        if (product.Opening > 0)
            Expect(
                await ledger.AdjustAsync(product.Sku, product.Opening, "received", "opening stock", cancel),
                $"stock of {product.Sku}");
    }

    async Task BringAsync(OpeningCustomer customer, bool known, CancellationToken cancel)
    {
        if (!known)
            await PutAsync(
                ServiceNames.Customer, $"/customers/{customer.Id}",
                JsonBody.Of(json => json.WriteString("name", customer.Name)), cancel);
        foreach (var (currency, amount) in customer.Credits)
        {
            var reference = $"import-{plan.Id}-{currency}";
            var answer = await patience.AskAsync(
                HttpMethod.Post, ServiceNames.Customer, $"/customers/{customer.Id}/credits",
                JsonBody.Of(json =>
                {
                    json.WriteNumber("amount", amount);
                    json.WriteString("currency", currency);
                    json.WriteString("reference", reference);
                }),
                RequestKey.Of(plan.Id, "credit", $"{customer.Id} {currency}"), 0, cancel);
            if (answer.Code != "duplicate_reference") Expect(answer, $"credit of {customer.Id}");
            patience.Moved();
        }
    }

    async Task PutAsync(string service, string path, byte[] body, CancellationToken cancel)
    {
        Expect(await patience.AskAsync(HttpMethod.Put, service, path, body, null, 0, cancel), path);
        patience.Moved();
    }

    async Task<HashSet<string>> ListAsync(string service, string path, string id, CancellationToken cancel)
    {
        var found = new HashSet<string>();
        string? cursor = null;
        do
        {
            var page = await patience.AskAsync(
                HttpMethod.Get, service, $"{path}?limit=200{(cursor is null ? "" : $"&cursor={cursor}")}", null, null, 0, cancel);
            found.UnionWith(Expect(page, path).Body.Items().Select(item => item.Text(id)));
            cursor = page.Body.TextOrNull("nextCursor");
        }
        while (cursor is not null);
        return found;
    }

    // Without its stock or credit an order would be refused for a wrong reason: better to stop.
    static ApiAnswer Expect(ApiAnswer answer, string what) =>
        answer.IsSuccess ? answer : throw new ToolException(Exit.Failed, $"The {what} could not be brought in: {answer.Detail}");
}
