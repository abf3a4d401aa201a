using Orderwright.OrderService;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>Admission of orders.</summary>
public class OrdersInFlightTests
{
    static OrdersInFlight Of(int limit, int maxWaiting = 10, TimeSpan? patience = null) =>
        new(limit, maxWaiting, patience ?? TimeSpan.FromMinutes(1), TimeProvider.System);

    [Fact]
    public async Task Past_the_limit_a_request_is_refused_after_its_patience()
    {
        var inFlight = Of(1, patience: TimeSpan.Zero);
        using (var slot = await inFlight.EnterAsync()) slot.Keep();
        await Assert.ThrowsAsync<OverloadedException>(() => inFlight.EnterAsync());
        Assert.Equal(1, inFlight.Count);
    }

    [Fact]
    public async Task An_unused_slot_is_free_again()
    {
        var inFlight = Of(1, patience: TimeSpan.Zero);
        (await inFlight.EnterAsync()).Dispose();
        (await inFlight.EnterAsync()).Dispose();
        Assert.Equal(0, inFlight.Count);
    }

    [Fact]
    public async Task Waiting_requests_are_admitted_in_order_as_orders_settle()
    {
        var inFlight = Of(2);
        for (var i = 0; i < 2; i++)
            using (var slot = await inFlight.EnterAsync()) slot.Keep();
        var (first, second) = (inFlight.EnterAsync(), inFlight.EnterAsync());
        inFlight.Settled(1);
        using var firstSlot = await first;
        Assert.False(second.IsCompleted);
        firstSlot.Keep();
        inFlight.Settled(1);
        using var secondSlot = await second;
        Assert.Equal(2, inFlight.Count);
    }

    [Fact]
    public async Task The_queue_is_bounded()
    {
        var inFlight = Of(1, maxWaiting: 1);
        using (var slot = await inFlight.EnterAsync()) slot.Keep();
        var waits = inFlight.EnterAsync();
        await Assert.ThrowsAsync<OverloadedException>(() => inFlight.EnterAsync());
        inFlight.Settled(1);
        (await waits).Dispose();
    }

    [Fact]
    public async Task The_count_of_the_table_admits_waiting_requests()
    {
        var inFlight = Of(5);
        inFlight.SetTo(7);
        var waits = inFlight.EnterAsync();
        inFlight.Settled(2);
        Assert.False(waits.IsCompleted);
        inFlight.SetTo(0);
        (await waits).Dispose();
        inFlight.Settled(3);
        Assert.Equal(0, inFlight.Count);
    }
}
