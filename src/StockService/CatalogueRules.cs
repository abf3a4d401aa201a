using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.StockService;

/// <summary>Requested change of a product or its level.</summary>
/// <param name="Sku">SKU of the product.</param>
/// <param name="IfMatch">Required version; null for any.</param>
public abstract record CatalogueChange(string Sku, Precondition? IfMatch)
{
    public sealed record Put(string Sku, string Name, long UnitPrice, string Currency, Precondition? IfMatch)
        : CatalogueChange(Sku, IfMatch);

    public sealed record Remove(string Sku, Precondition? IfMatch) : CatalogueChange(Sku, IfMatch);

    /// <summary>Sets the quantity on hand to a counted value.</summary>
    public sealed record Count(string Sku, long OnHand, Precondition? IfMatch)
        : CatalogueChange(Sku, IfMatch);

    /// <summary>
    /// Changes the quantity on hand; <paramref name="Reason"/> is one of <see cref="MovementKinds.Adjustments"/>.
    /// </summary>
    public sealed record Adjust(string Sku, long Delta, string Reason, string? Note)
        : CatalogueChange(Sku, null);
}

/// <summary>Decision on one change.</summary>
/// <param name="Answer">Response; null for an adjustment, answered with the movement after insertion.</param>
/// <param name="Next">Entry after the change; null after a removal.</param>
/// <param name="Movement">Movement for the ledger.</param>
public sealed record CatalogueDecision(Answer? Answer, CatalogueEntry? Next, NewMovement? Movement = null);

/// <summary>
/// Decides on changes of the catalogue and of quantities on hand. Pure. A change without effect gets the usual response and
/// writes nothing, so an import can be repeated.
/// </summary>
public static class CatalogueRules
{
    public static CatalogueDecision Decide(
        CatalogueChange change, CatalogueEntry? known, string actor, DateTimeOffset now) => change switch
        {
            CatalogueChange.Put put => Put(put, known, now),
            _ when known is null => new(Problem.NotFound("product"), null),
            CatalogueChange.Remove remove => Remove(remove, known),
            CatalogueChange.Count count => Count(count, known, actor),
            CatalogueChange.Adjust adjust => Adjust(adjust, known, actor),
            _ => throw new InvalidOperationException($"{change} is not a change of the catalogue."),
        };

    static CatalogueDecision Put(CatalogueChange.Put put, CatalogueEntry? known, DateTimeOffset now)
    {
        if (put.IfMatch?.Holds(known?.Product.Version) == false) return new(Precondition.Failed(), known);
        if (known is null)
        {
            var created = new Product(put.Sku, put.Name, put.UnitPrice, put.Currency, 1, now, now);
            return new(Respond(created, StatusCodes.Status201Created), new(created, new(put.Sku, 0, 0, 0, 1)));
        }
        var wanted = known.Product with
        {
            Name = put.Name,
            UnitPrice = put.UnitPrice,
            Currency = put.Currency,
        };
        if (wanted == known.Product) return new(Respond(wanted), known);
        var changed = wanted with { Version = wanted.Version + 1, UpdatedAt = now };
        return new(Respond(changed), known with { Product = changed });
    }

    static CatalogueDecision Remove(CatalogueChange.Remove remove, CatalogueEntry known)
    {
        if (remove.IfMatch?.Holds(known.Product.Version) == false) return new(Precondition.Failed(), known);
        return known.Level is { OnHand: 0, Allocated: 0, Reserved: 0 }
            ? new(Answer.NoContent(), null)
            : new(
                Problem.Conflict("product_in_use", "The product still has units on hand, allocated or reserved."), known);
    }

    static CatalogueDecision Count(CatalogueChange.Count count, CatalogueEntry known, string actor)
    {
        if (count.IfMatch?.Holds(known.Level.Version) == false) return new(Precondition.Failed(), known);
        if (count.OnHand == known.Level.OnHand) return new(Respond(known.Level), known);
        if (BelowPromised(known.Level, count.OnHand) is { } refusal) return new(refusal, known);
        var level = WithOnHand(known.Level, count.OnHand);
        return new(
            Respond(level), known with { Level = level },
            new(count.Sku, null, MovementKinds.Counted, count.OnHand - known.Level.OnHand, 0, null, actor));
    }

    static CatalogueDecision Adjust(CatalogueChange.Adjust adjust, CatalogueEntry known, string actor)
    {
        var onHand = checked(known.Level.OnHand + adjust.Delta);
        if (onHand > Check.Most)
            return new(
                Problem.Invalid("/delta", "out_of_range", $"More than {Check.Most} units would be on hand."), known);
        if (BelowPromised(known.Level, onHand) is { } refusal) return new(refusal, known);
        return new(
            null, known with { Level = WithOnHand(known.Level, onHand) },
            new(adjust.Sku, null, adjust.Reason, adjust.Delta, 0, adjust.Note, actor));
    }

    static Answer? BelowPromised(StockLevel level, long onHand) =>
        level.Allocated + level.Reserved is var promised && onHand >= promised ? null : Problem.Conflict(
            "below_promised", $"{promised} units are allocated or reserved; the quantity on hand cannot be lower.");

    static StockLevel WithOnHand(StockLevel level, long onHand) =>
        level with { OnHand = onHand, Version = level.Version + 1 };

    static Answer Respond(Product product, int status = StatusCodes.Status200OK) => Answer.Json(
        status, product, StockJson.Default.Product,
        status == StatusCodes.Status201Created ? ProductApi.PathOf(product.Sku) : null, product.Version);

    static Answer Respond(StockLevel level) => StockApi.Respond(level);
}
