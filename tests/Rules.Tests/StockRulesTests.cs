using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Rules.Tests;

/// <summary>Decisions on the commands of one order, by state of its reservation.</summary>
public class StockRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");

    static readonly Dictionary<string, StockItem> Shop = new()
    {
        ["MUG"] = new(new("MUG", OnHand: 10, Allocated: 2, Reserved: 3, Version: 7), 255, "GBP"),
        ["PEN"] = new(new("PEN", OnHand: 100, Allocated: 0, Reserved: 0, Version: 1), 99, "GBP"),
        ["HAT"] = new(new("HAT", OnHand: 100, Allocated: 0, Reserved: 0, Version: 1), 1_500, "EUR"),
    };

    static StockItem? ItemOf(string sku) => Shop.GetValueOrDefault(sku);

    static OrderLine Line(int line, string sku, int quantity, long? price = null) =>
        new(line, sku, quantity, price);

    static StockDecision Reserve(Reservation? known, bool maySetPrice, params OrderLine[] lines) =>
        StockRules.Reserve(Order, new ReserveStock("GBP", lines, maySetPrice), known, ItemOf, Now);

    static StockDecision Reserve(params OrderLine[] lines) => Reserve(null, false, lines);

    static StockDecision Commit(Reservation? known, params OrderLine[]? lines) => StockRules.Commit(
        Order, lines is [] or null ? new() : new("GBP", lines), known, ItemOf, Now);

    static Reservation In(string state, params OrderLine[] lines) =>
        new(Order, state, null, null, "GBP", lines, Now, Now);

    static IEnumerable<Reservation?> EveryState() =>
        [null, In("held"), In("committed"), In("refused"), In("released")];

    static void IsRefused(string code, StockDecision decision)
    {
        Assert.Equal(
            (StepOutcome.Rejected, code, false),
            (decision.Answer!.Outcome, decision.Answer.Code, decision.Answer.Undo));
        Assert.Empty(decision.Shifts);
    }

    [Fact]
    public void All_lines_are_held_at_the_catalogues_prices()
    {
        var decision = Reserve(Line(1, "MUG", 5), Line(2, "PEN", 1));
        OrderLine[] priced = [Line(1, "MUG", 5, 255), Line(2, "PEN", 1, 99)];
        Assert.Equal(StepOutcome.Completed, decision.Answer!.Outcome);
        Assert.Equal(priced, decision.Answer.Priced);
        Assert.Equal(priced, decision.Next!.Lines);
        Assert.Equal(("held", "GBP"), (decision.Next.State, decision.Next.Currency));
        Assert.Equal([new("MUG", 5, 0), new("PEN", 1, 0)], decision.Shifts);
    }

    [Fact]
    public void One_unavailable_line_refuses_the_whole_order()
    {
        var decision = Reserve(Line(1, "PEN", 1), Line(2, "MUG", 6));
        IsRefused(ReasonCodes.OutOfStock, decision);
        Assert.Equal("MUG: 6 wanted, 5 available.", decision.Answer!.Message);
        Assert.Equal("refused", decision.Next!.State);
    }

    [Fact]
    public void Two_lines_of_one_sku_are_summed()
    {
        IsRefused(ReasonCodes.OutOfStock, Reserve(Line(1, "MUG", 3), Line(2, "MUG", 3)));
        var both = Reserve(Line(1, "MUG", 3), Line(2, "PEN", 1), Line(3, "MUG", 2));
        Assert.Equal([new("MUG", 5, 0), new("PEN", 1, 0)], both.Shifts);
        Assert.Equal(3, both.Answer!.Priced!.Count);
    }

    [Fact]
    public void Quantities_of_one_sku_that_overflow_an_int_are_out_of_stock() =>
        IsRefused(ReasonCodes.OutOfStock, Reserve(Line(1, "PEN", int.MaxValue), Line(2, "PEN", int.MaxValue)));

    [Fact]
    public void An_unknown_sku_is_refused() =>
        IsRefused(ReasonCodes.UnknownSku, Reserve(Line(1, "CUP", 1)));

    [Fact]
    public void A_price_other_than_the_catalogues_is_refused()
    {
        var decision = Reserve(Line(1, "MUG", 1, 254));
        IsRefused(ReasonCodes.PriceChanged, decision);
        Assert.Equal("MUG costs 2.55 GBP, the order says 2.54 GBP.", decision.Answer!.Message);
    }

    [Fact]
    public void The_catalogues_own_price_is_accepted() =>
        Assert.Equal(StepOutcome.Completed, Reserve(Line(1, "MUG", 1, 255)).Answer!.Outcome);

    [Fact]
    public void A_permitted_caller_sets_prices_and_missing_ones_are_filled_in()
    {
        var decision = Reserve(null, true, Line(1, "MUG", 1, 1), Line(2, "PEN", 1), Line(3, "HAT", 1, 0));
        Assert.Equal([1L, 99L, 0L], decision.Answer!.Priced!.Select(line => line.UnitPrice!.Value));
    }

    [Fact]
    public void A_sku_in_another_currency_is_refused_unless_a_permitted_caller_sets_the_price()
    {
        IsRefused(ReasonCodes.CurrencyMismatch, Reserve(Line(1, "HAT", 1)));
        IsRefused(ReasonCodes.CurrencyMismatch, Reserve(null, true, Line(1, "HAT", 1)));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(-1, null)]
    [InlineData(1, -1L)]
    public void A_message_that_breaks_the_contract_is_poison(int quantity, long? price) =>
        Assert.Throws<InvalidOperationException>(() => Reserve(null, true, Line(1, "MUG", quantity, price)));

    [Theory]
    [InlineData("held")]
    [InlineData("committed")]
    public void A_repeated_reserve_gets_the_same_priced_lines_whatever_they_cost_now(string state)
    {
        var decision = Reserve(In(state, Line(1, "MUG", 5, 111)), false, Line(1, "MUG", 5));
        Assert.Equal(StepOutcome.Completed, decision.Answer!.Outcome);
        Assert.Equal([Line(1, "MUG", 5, 111)], decision.Answer.Priced);
        Assert.Null(decision.Next);
        Assert.Empty(decision.Shifts);
    }

    [Fact]
    public void A_repeated_reserve_gets_the_same_refusal_even_when_goods_are_available_now()
    {
        var first = Reserve(Line(1, "MUG", 6)).Next!;
        var again = Reserve(first, false, Line(1, "MUG", 1));
        IsRefused(ReasonCodes.OutOfStock, again);
        Assert.Equal(first.Message, again.Answer!.Message);
        Assert.Null(again.Next);
    }

    [Fact]
    public void A_reserve_after_its_release_is_refused()
    {
        var tombstone = StockRules.Release(Order, null, Now).Next!;
        Assert.Equal(("released", 0), (tombstone.State, tombstone.Lines.Count));
        IsRefused(ReasonCodes.AlreadyUndone, Reserve(tombstone, false, Line(1, "MUG", 1)));
        IsRefused(ReasonCodes.AlreadyUndone, Commit(tombstone));
    }

    [Fact]
    public void A_commit_turns_the_hold_into_an_allocation()
    {
        var decision = Commit(In("held", Line(1, "MUG", 2, 255), Line(2, "MUG", 1, 255)));
        Assert.Equal(StepOutcome.Completed, decision.Answer!.Outcome);
        Assert.Equal("committed", decision.Next!.State);
        Assert.Equal([new("MUG", -3, 3)], decision.Shifts);
    }

    [Fact]
    public void A_repeated_commit_changes_nothing()
    {
        var decision = Commit(In("committed", Line(1, "MUG", 2, 255)));
        Assert.Equal((StepOutcome.Completed, null), (decision.Answer!.Outcome, decision.Next));
        Assert.Empty(decision.Shifts);
    }

    [Fact]
    public void A_commit_without_a_reservation_is_asked_again_with_the_goods()
    {
        var decision = Commit(null);
        Assert.Equal(
            (StepOutcome.Retry, ReasonCodes.NotReserved, null),
            (decision.Answer!.Outcome, decision.Answer.Code, decision.Next));
        var again = Commit(null, Line(1, "MUG", 5, 255));
        Assert.Equal(
            (StepOutcome.Completed, "committed", "GBP"),
            (again.Answer!.Outcome, again.Next!.State, again.Next.Currency));
        Assert.Equal([new("MUG", 0, 5)], again.Shifts);
    }

    [Theory]
    [InlineData("MUG", 6)]
    [InlineData("GONE", 1)]
    public void A_commit_of_lost_goods_that_were_sold_is_refused_and_may_succeed_later(string sku, int quantity)
    {
        var decision = Commit(null, Line(1, "PEN", 1, 99), Line(2, sku, quantity, 255));
        IsRefused(ReasonCodes.OutOfStock, decision);
        Assert.Null(decision.Next);
    }

    [Fact]
    public void A_commit_of_a_refused_order_gets_the_refusal() =>
        IsRefused(ReasonCodes.OutOfStock, Commit(Reserve(Line(1, "MUG", 6)).Next));

    [Fact]
    public void A_release_returns_held_or_allocated_goods_once()
    {
        var line = Line(1, "MUG", 2, 255);
        Assert.Equal([new("MUG", -2, 0)], StockRules.Release(Order, In("held", line), Now).Shifts);
        Assert.Equal([new("MUG", 0, -2)], StockRules.Release(Order, In("committed", line), Now).Shifts);
        foreach (var state in new[] { "refused", "released" })
            Assert.Empty(StockRules.Release(Order, In(state, line), Now).Shifts);
    }

    [Fact]
    public void A_release_cannot_be_refused_and_is_final()
    {
        foreach (var known in EveryState())
        {
            var decision = StockRules.Release(Order, known, Now);
            Assert.Equal(new StepAnswered(Undo: true, StepOutcome.Completed), decision.Answer);
            Assert.Equal("released", (decision.Next ?? known)!.State);
        }
    }

    [Fact]
    public void A_level_never_falls_below_promised_units()
    {
        var level = new StockLevel("MUG", 10, 2, 3, 1);
        Assert.Equal(new StockLevel("MUG", 10, 5, 0, 1), level.Shift(-3, 3));
        Assert.Throws<InvalidOperationException>(() => level.Shift(6, 0));
        Assert.Throws<InvalidOperationException>(() => level.Shift(-4, 0));
        Assert.Throws<InvalidOperationException>(() => level.Shift(0, -3));
        Assert.Throws<OverflowException>(() => level.Shift(long.MaxValue, 0));
    }
}
