using System.Text;
using System.Text.Json;
using Orderwright.Http;
using Orderwright.StockService;

namespace Orderwright.Rules.Tests;

/// <summary>Decisions on changes of products, counts and adjustments.</summary>
public class StockCatalogueRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly DateTimeOffset Before = Now.AddDays(-1);

    static readonly CatalogueEntry Mug = new(
        new("MUG", "A mug", 255, "GBP", Version: 3, Before, Before),
        new("MUG", OnHand: 10, Allocated: 2, Reserved: 3, Version: 7));

    static readonly Precondition Stale = new(new EntityTags(false, [2]), null);

    static CatalogueDecision Decide(CatalogueChange change, CatalogueEntry? known) =>
        CatalogueRules.Decide(change, known, "local", Now);

    static CatalogueChange Put(string name = "A mug", long price = 255, Precondition? ifMatch = null) =>
        new CatalogueChange.Put("MUG", name, price, "GBP", ifMatch);

    static CatalogueChange Count(long onHand, Precondition? ifMatch = null) =>
        new CatalogueChange.Count("MUG", onHand, ifMatch);

    static CatalogueChange Adjust(long delta) => new CatalogueChange.Adjust("MUG", delta, "damaged", "fell");

    static void Refuses(int status, string code, CatalogueDecision decision, CatalogueEntry? known)
    {
        Assert.Equal(status, decision.Answer!.Status);
        using var problem = JsonDocument.Parse(decision.Answer.Body);
        Assert.Equal(code, problem.RootElement.GetProperty("code").GetString());
        Assert.Same(known, decision.Next);
        Assert.Null(decision.Movement);
    }

    [Fact]
    public void A_new_product_starts_with_an_empty_level()
    {
        var decision = Decide(Put(), null);
        Assert.Equal((201, "/api/v1/products/MUG", 1L),
            (decision.Answer!.Status, decision.Answer.Location, decision.Answer.Version));
        Assert.Equal(new StockLevel("MUG", 0, 0, 0, 1), decision.Next!.Level);
        Assert.Equal(
            """
            {"sku":"MUG","name":"A mug","unitPrice":255,"currency":"GBP","version":1,
            "createdAt":"2026-01-31T09:30:00.000Z","updatedAt":"2026-01-31T09:30:00.000Z"}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(decision.Answer.Body.Span));
    }

    [Fact]
    public void A_changed_product_has_the_next_version_and_keeps_its_level()
    {
        var decision = Decide(Put(price: 300), Mug);
        Assert.Equal((200, 4L), (decision.Answer!.Status, decision.Answer.Version));
        Assert.Equal(Mug.Product with { UnitPrice = 300, Version = 4, UpdatedAt = Now }, decision.Next!.Product);
        Assert.Same(Mug.Level, decision.Next.Level);
    }

    [Fact]
    public void An_unchanged_product_writes_nothing()
    {
        var decision = Decide(Put(), Mug);
        Assert.Equal((200, 3L), (decision.Answer!.Status, decision.Answer.Version));
        Assert.Same(Mug, decision.Next);
    }

    [Fact]
    public void A_precondition_on_another_version_is_refused()
    {
        Refuses(412, "version_mismatch", Decide(Put(ifMatch: Stale), Mug), Mug);
        Refuses(412, "version_mismatch", Decide(Put(ifMatch: new(new EntityTags(true, []), null)), null), null);
        Refuses(412, "version_mismatch", Decide(new CatalogueChange.Remove("MUG", Stale), Mug), Mug);
        Refuses(412, "version_mismatch", Decide(Count(12, new(new EntityTags(false, [3]), null)), Mug), Mug);
        Assert.Equal(200, Decide(Count(12, new(new EntityTags(false, [7]), null)), Mug).Answer!.Status);
        Assert.Equal(200, Decide(Put(ifMatch: new(new EntityTags(true, []), null)), Mug).Answer!.Status);
    }

    [Fact]
    public void An_unknown_product_cannot_be_counted_adjusted_or_removed()
    {
        Refuses(404, "not_found", Decide(Count(1), null), null);
        Refuses(404, "not_found", Decide(Adjust(1), null), null);
        Refuses(404, "not_found", Decide(new CatalogueChange.Remove("MUG", null), null), null);
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(1, 1, 0)]
    [InlineData(1, 0, 1)]
    public void A_product_with_stock_cannot_be_removed(long onHand, long allocated, long reserved)
    {
        var entry = Mug with { Level = new("MUG", onHand, allocated, reserved, 1) };
        Refuses(409, "product_in_use", Decide(new CatalogueChange.Remove("MUG", null), entry), entry);
    }

    [Fact]
    public void A_product_without_stock_is_removed()
    {
        var entry = Mug with { Level = new("MUG", 0, 0, 0, 9) };
        var decision = Decide(new CatalogueChange.Remove("MUG", null), entry);
        Assert.Equal((204, null), (decision.Answer!.Status, decision.Next));
    }

    [Fact]
    public void A_count_moves_the_level_and_writes_the_ledger()
    {
        var decision = Decide(Count(5), Mug);
        Assert.Equal(
            """{"sku":"MUG","onHand":5,"allocated":2,"reserved":3,"available":0,"version":8}""",
            Encoding.UTF8.GetString(decision.Answer!.Body.Span));
        Assert.Equal(Mug.Level with { OnHand = 5, Version = 8 }, decision.Next!.Level);
        Assert.Equal(new NewMovement("MUG", null, "counted", -5, 0, null, "local"), decision.Movement);
    }

    [Fact]
    public void A_count_without_difference_writes_nothing()
    {
        var decision = Decide(Count(10), Mug);
        Assert.Equal((200, 7L, null), (decision.Answer!.Status, decision.Answer.Version, decision.Movement));
        Assert.Same(Mug, decision.Next);
    }

    [Fact]
    public void On_hand_never_falls_below_promised_units()
    {
        Refuses(409, "below_promised", Decide(Count(4), Mug), Mug);
        Refuses(409, "below_promised", Decide(Adjust(-6), Mug), Mug);
        Refuses(409, "below_promised", Decide(Adjust(-Check.Most), Mug), Mug);
        Assert.Equal(5, Decide(Adjust(-5), Mug).Next!.Level.OnHand);
    }

    [Fact]
    public void An_adjustment_returns_its_movement()
    {
        var decision = Decide(Adjust(-3), Mug);
        Assert.Null(decision.Answer);
        Assert.Equal(new NewMovement("MUG", null, "damaged", -3, 0, "fell", "local"), decision.Movement);
        Assert.Equal(Mug.Level with { OnHand = 7, Version = 8 }, decision.Next!.Level);
    }

    [Fact]
    public void Exceeding_the_range_of_a_level_is_a_bad_request() =>
        Refuses(400, "invalid_request", Decide(Adjust(Check.Most), Mug), Mug);
}
