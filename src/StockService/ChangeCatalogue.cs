using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.StockService;

/// <summary>
/// Applies changes from the HTTP API: products, counts and adjustments of concurrent requests share one transaction, decided
/// in order of arrival against rows locked in SKU order.
/// </summary>
public sealed class ChangeCatalogue
{
    readonly CommandGroup<CatalogueChange> group;
    readonly CatalogueStore catalogue;
    readonly StockStore stock;

    public ChangeCatalogue(ServiceContext context, CatalogueStore catalogue, StockStore stock)
    {
        this.catalogue = catalogue;
        this.stock = stock;
        group = new("change-catalogue", HandleAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => group.Loops;

    public Task<Answer> SubmitAsync(Command<CatalogueChange> command) => group.SubmitAsync(command);

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<CatalogueChange>> batch, Work work)
    {
        var skus = batch.Select(command => command.Body.Sku).Distinct().ToArray();
        var before = (await catalogue.LockAsync(work, skus)).ToDictionary(entry => entry.Product.Sku);
        var after = new Dictionary<string, CatalogueEntry>(before);
        var decisions = new CatalogueDecision[batch.Count];
        for (var i = 0; i < decisions.Length; i++)
        {
            var sku = batch[i].Body.Sku;
            decisions[i] = CatalogueRules.Decide(
                batch[i].Body, after.GetValueOrDefault(sku), batch[i].Caller.Name, work.Now);
            if (decisions[i].Next is { } next) after[sku] = next;
            else after.Remove(sku);
        }
        await SaveAsync(work, before, after);
        return await AnswerAsync(work, decisions);
    }

    async Task SaveAsync(
        Work work, Dictionary<string, CatalogueEntry> before, Dictionary<string, CatalogueEntry> after)
    {
        await catalogue.DeleteAsync(work, [.. before.Keys.Where(sku => !after.ContainsKey(sku))]);
        await catalogue.InsertAsync(
            work, [.. after.Values.Where(entry => !before.ContainsKey(entry.Product.Sku))]);
        var kept = after.Values.Where(entry => before.ContainsKey(entry.Product.Sku)).ToArray();
        await catalogue.UpdateProductsAsync(
            work,
            [.. kept.Select(entry => entry.Product).Where(product => product != before[product.Sku].Product)]);
        stock.UpdateLevels(
            work, [.. kept.Select(entry => entry.Level).Where(level => level != before[level.Sku].Level)]);
    }

    // A movement gets its seq on insertion, so the response to an adjustment is built afterwards.
    async Task<IReadOnlyList<Answer>> AnswerAsync(Work work, CatalogueDecision[] decisions)
    {
        var movements = decisions.Select(decision => decision.Movement).OfType<NewMovement>().ToArray();
        var seqs = new Queue<long>(await stock.InsertMovementsAsync(work, movements));
        var answers = new Answer[decisions.Length];
        for (var i = 0; i < answers.Length; i++)
        {
            var (answer, _, movement) = decisions[i];
            var inserted = movement is null ? null : Respond(movement, seqs.Dequeue(), work.Now);
            answers[i] = answer ?? inserted!;
        }
        return answers;
    }

    static Answer Respond(NewMovement moved, long seq, DateTimeOffset at) => Answer.Json(
        StatusCodes.Status201Created,
        new(seq, moved.Sku, moved.OrderId, moved.Kind, moved.OnHandDelta, moved.AllocatedDelta, at, moved.Note,
            moved.Actor),
        StockJson.Default.StockMovement);
}
