using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Rules.Tests;

/// <summary>Batch of commands: decided in sequence, saved once.</summary>
public class StockBatchTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);

    static Guid Order(int n) => new($"01980000-0000-7000-8000-{n:D12}");

    static StockItem Mugs(long onHand, long allocated = 0, long reserved = 0) =>
        new(new("MUG", onHand, allocated, reserved, Version: 7), 255, "GBP");

    static ReserveStock Want(int quantity) => new("GBP", [new(1, "MUG", quantity, null)], false);

    static Reservation Known(int n, string state, int quantity) =>
        new(Order(n), state, null, null, "GBP", [new(1, "MUG", quantity, 255)], Now, Now);

    [Fact]
    public void Orders_are_served_in_order_of_arrival_until_stock_runs_out()
    {
        var batch = new StockBatch([], [Mugs(50)], Now);
        var outcomes = Enumerable.Range(1, 500).Select(n => batch.Decide(Order(n), Want(1)).Outcome).ToArray();
        Assert.All(outcomes[..50], outcome => Assert.Equal(StepOutcome.Completed, outcome));
        Assert.All(outcomes[50..], outcome => Assert.Equal(StepOutcome.Rejected, outcome));
        Assert.Equal([new StockLevel("MUG", 50, 0, 50, Version: 8)], batch.Levels);
        Assert.Equal((500, 50), (batch.Created.Count, batch.HoldsNew.Count));
    }

    [Fact]
    public void A_refusal_does_not_fail_its_neighbours()
    {
        var batch = new StockBatch([], [Mugs(5)], Now);
        Assert.Equal(StepOutcome.Completed, batch.Decide(Order(1), Want(3)).Outcome);
        Assert.Equal(StepOutcome.Rejected, batch.Decide(Order(2), Want(3)).Outcome);
        Assert.Equal(StepOutcome.Completed, batch.Decide(Order(3), Want(2)).Outcome);
        Assert.Equal(5, Assert.Single(batch.Levels).Reserved);
    }

    [Fact]
    public void A_duplicate_in_one_batch_is_held_once()
    {
        var batch = new StockBatch([], [Mugs(5)], Now);
        var first = batch.Decide(Order(1), Want(3));
        var second = batch.Decide(Order(1), Want(3));
        Assert.Equal((first.Outcome, first.Priced), (second.Outcome, second.Priced));
        Assert.Equal(3, Assert.Single(batch.Levels).Reserved);
        Assert.Single(batch.Created);
    }

    [Fact]
    public void All_commands_of_an_order_in_one_batch_leave_one_row_in_the_last_state()
    {
        var batch = new StockBatch([], [Mugs(5)], Now);
        batch.Decide(Order(1), Want(3));
        batch.Decide(Order(1), new CommitStock());
        Assert.Equal("committed", Assert.Single(batch.Created).State);
        Assert.Empty(batch.Changed);
        Assert.Empty(batch.HoldsNew);
        Assert.Equal([new OrderMovement("MUG", Order(1), MovementKinds.Allocated, 3, 0)], batch.Movements);
        Assert.Equal([new StockLevel("MUG", 5, 3, 0, Version: 8)], batch.Levels);
    }

    [Fact]
    public void An_unchanged_level_is_not_written()
    {
        var batch = new StockBatch([], [Mugs(5)], Now);
        batch.Decide(Order(1), Want(3));
        batch.Decide(Order(1), new ReleaseStock());
        Assert.Empty(batch.Levels);
        Assert.Empty(batch.HoldsNew);
        Assert.Equal("released", Assert.Single(batch.Created).State);
    }

    [Fact]
    public void Goods_released_in_a_batch_can_be_held_later_in_the_batch()
    {
        var batch = new StockBatch([Known(1, "held", 5)], [Mugs(5, reserved: 5)], Now);
        Assert.Equal(StepOutcome.Rejected, batch.Decide(Order(2), Want(5)).Outcome);
        batch.Decide(Order(1), new ReleaseStock());
        Assert.Equal(StepOutcome.Completed, batch.Decide(Order(3), Want(5)).Outcome);
        Assert.Equal([Order(1)], batch.HoldsGone);
        Assert.Equal([Order(3)], batch.HoldsNew);
    }

    [Fact]
    public void Releasing_an_allocation_is_a_negative_movement()
    {
        var batch = new StockBatch([Known(1, "committed", 2)], [Mugs(5, allocated: 2)], Now);
        batch.Decide(Order(1), new ReleaseStock());
        Assert.Equal([new OrderMovement("MUG", Order(1), MovementKinds.Deallocated, -2, 0)], batch.Movements);
    }

    [Fact]
    public void A_hold_on_a_sku_without_a_level_is_a_broken_invariant() =>
        Assert.Throws<InvalidOperationException>(
            () => new StockBatch([Known(1, "held", 2)], [], Now).Decide(Order(1), new ReleaseStock()));

    static ShipGoods Ship(int fulfilment, int quantity) => new(fulfilment, [new(1, "MUG", quantity)]);

    [Fact]
    public void Shipped_goods_leave_allocated_and_on_hand_once()
    {
        var batch = new StockBatch([Known(1, "committed", 5)], [Mugs(9, allocated: 7)], Now);
        Assert.Equal(new GoodsShipped(1), batch.Ship(Order(1), Ship(1, 2)));
        Assert.Equal(new GoodsShipped(1), batch.Ship(Order(1), Ship(1, 2)));
        batch.Ship(Order(1), Ship(2, 3));
        Assert.Equal([new StockLevel("MUG", 4, 2, 0, Version: 8)], batch.Levels);
        Assert.Equal(
            [
                new OrderMovement("MUG", Order(1), MovementKinds.Shipped, -2, -2),
                new OrderMovement("MUG", Order(1), MovementKinds.Shipped, -3, -3),
            ],
            batch.Movements);
        Assert.Equal([1, 2], batch.Shipments.Select(shipment => shipment.Fulfilment));
        Assert.Empty(batch.Changed);
    }

    [Fact]
    public void A_fulfilment_of_an_earlier_batch_gets_the_same_reply_and_moves_nothing()
    {
        var batch = new StockBatch(
            [Known(1, "committed", 5)], [Mugs(9, allocated: 5)], Now, [new Shipment(Order(1), 1, [new(1, "MUG", 2)])]);
        Assert.Equal(new GoodsShipped(1), batch.Ship(Order(1), Ship(1, 2)));
        Assert.Empty(batch.Levels);
        Assert.Empty(batch.Shipments);
        IsRefused(batch.Ship(Order(1), Ship(2, 4)), 2, "4 MUG were shipped, and 3 are allocated");
    }

    [Theory]
    [InlineData("released")]
    [InlineData("refused")]
    public void Unallocated_goods_cannot_be_shipped(string state)
    {
        var batch = new StockBatch([Known(1, state, 5)], [Mugs(9, allocated: 5)], Now);
        IsRefused(batch.Ship(Order(1), Ship(1, 2)), 1, $"its reservation is {state}");
        Assert.Empty(batch.Levels);
        Assert.Empty(batch.Shipments);
    }

    [Fact]
    public void Goods_of_an_order_lost_with_the_database_are_refused_and_no_poison()
    {
        var batch = new StockBatch([], [Mugs(9)], Now);
        IsRefused(batch.Ship(Order(1), Ship(1, 2)), 1, "its reservation is missing");
        IsRefused(batch.Close(Order(1), [new(1, "MUG", 3)], consumed: false), 0, "its reservation is missing");
    }

    [Fact]
    public void Goods_that_ship_before_the_commit_of_their_order_are_committed_first()
    {
        var batch = new StockBatch([Known(1, "held", 5)], [Mugs(9, reserved: 5)], Now);
        Assert.Equal(new GoodsShipped(1), batch.Ship(Order(1), Ship(1, 2)));
        Assert.Equal(StepOutcome.Completed, batch.Decide(Order(1), new CommitStock()).Outcome);
        Assert.Equal([new StockLevel("MUG", 7, 3, 0, Version: 8)], batch.Levels);
        Assert.Equal(
            [
                new OrderMovement("MUG", Order(1), MovementKinds.Allocated, 5, 0),
                new OrderMovement("MUG", Order(1), MovementKinds.Shipped, -2, -2),
            ],
            batch.Movements);
        Assert.Equal((Order(1), "committed"), (Assert.Single(batch.HoldsGone), Assert.Single(batch.Changed).State));
    }

    [Theory]
    [InlineData(true, MovementKinds.Consumed, 4)]
    [InlineData(false, MovementKinds.Deallocated, 9)]
    public void Goods_of_an_order_completed_before_its_commit_end_with_the_order(bool consumed, string kind, long onHand)
    {
        var batch = new StockBatch([Known(1, "held", 5)], [Mugs(9, reserved: 5)], Now);
        Assert.Equal(new GoodsShipped(0), batch.Close(Order(1), [new(1, "MUG", 5)], consumed));
        Assert.Equal([new StockLevel("MUG", onHand, 0, 0, Version: 8)], batch.Levels);
        Assert.Equal([MovementKinds.Allocated, kind], batch.Movements.Select(movement => movement.Kind));
    }

    static void IsRefused(IMessageBody reply, int fulfilment, string why)
    {
        var refused = Assert.IsType<FulfilmentRefused>(reply);
        Assert.Equal((fulfilment, ReasonCodes.NotAllocated), (refused.Fulfilment, refused.Code));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unshipped_goods_of_a_closed_order_are_released_once()
    {
        var batch = new StockBatch(
            [Known(1, "committed", 5)], [Mugs(7, allocated: 6)], Now, [new Shipment(Order(1), 1, [new(1, "MUG", 2)])]);
        OrderLine[] rest = [new(1, "MUG", 3)];
        Assert.Equal(new GoodsShipped(0), batch.Close(Order(1), rest, consumed: false));
        Assert.Equal(new GoodsShipped(0), batch.Close(Order(1), rest, consumed: false));
        Assert.Equal([new StockLevel("MUG", 7, 3, 0, Version: 8)], batch.Levels);
        Assert.Equal([new OrderMovement("MUG", Order(1), MovementKinds.Deallocated, -3, 0)], batch.Movements);
        Assert.Equal([new OrderLine(1, "MUG", 3)], Assert.Single(batch.Shipments).Lines);
        IsRefused(batch.Ship(Order(1), Ship(2, 1)), 2, "0 are allocated");
    }

    [Fact]
    public void Unshipped_goods_of_a_closed_order_are_consumed_once_with_one_movement_per_sku()
    {
        var batch = new StockBatch(
            [Known(1, "committed", 5)], [Mugs(7, allocated: 6)], Now, [new Shipment(Order(1), 1, [new(1, "MUG", 2)])]);
        OrderLine[] rest = [new(1, "MUG", 1), new(2, "MUG", 2)];
        Assert.Equal(new GoodsShipped(0), batch.Close(Order(1), rest, consumed: true));
        Assert.Equal(new GoodsShipped(0), batch.Close(Order(1), rest, consumed: false));
        Assert.Equal([new StockLevel("MUG", 4, 3, 0, Version: 8)], batch.Levels);
        Assert.Equal([new OrderMovement("MUG", Order(1), MovementKinds.Consumed, -3, -3)], batch.Movements);
        Assert.Equal(0, Assert.Single(batch.Shipments).Fulfilment);
    }

    [Fact]
    public void A_shipment_after_the_release_of_the_rest_is_still_deducted()
    {
        var batch = new StockBatch([Known(1, "committed", 5)], [Mugs(7, allocated: 5)], Now);
        batch.Close(Order(1), [new(1, "MUG", 3)], consumed: false);
        batch.Ship(Order(1), Ship(1, 2));
        Assert.Equal([new StockLevel("MUG", 5, 0, 0, Version: 8)], batch.Levels);
    }
}
