using Orderwright.OrderService;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>How many orders are let in at once.</summary>
public class OrdersInFlightTests
{
    static OrdersInFlight Of(int limit, int maxWaiting = 10, TimeSpan? patience = null) =>
        new(limit, maxWaiting, patience ?? TimeSpan.FromMinutes(1), TimeProvider.System);

    [Fact]
    public async Task Past_the_limit_a_request_is_refused_after_its_patience()
    {
        var inFlight = Of(1, patience: TimeSpan.Zero);
        using (var place = await inFlight.EnterAsync()) place.Keep();
        await Assert.ThrowsAsync<OverloadedException>(() => inFlight.EnterAsync());
        Assert.Equal(1, inFlight.Count);
    }

    [Fact]
    public async Task A_place_that_was_not_used_is_free_again()
    {
        var inFlight = Of(1, patience: TimeSpan.Zero);
        (await inFlight.EnterAsync()).Dispose();
        (await inFlight.EnterAsync()).Dispose();
        Assert.Equal(0, inFlight.Count);
    }

    [Fact]
    public async Task Those_who_wait_come_in_by_turns_as_orders_settle()
    {
        var inFlight = Of(2);
        for (var i = 0; i < 2; i++)
            using (var place = await inFlight.EnterAsync()) place.Keep();
        var (first, second) = (inFlight.EnterAsync(), inFlight.EnterAsync());
        inFlight.Settled(1);
        using var one = await first;
        Assert.False(second.IsCompleted);
        one.Keep();
        inFlight.Settled(1);
        using var two = await second;
        Assert.Equal(2, inFlight.Count);
    }

    [Fact]
    public async Task The_line_has_an_end()
    {
        var inFlight = Of(1, maxWaiting: 1);
        using (var place = await inFlight.EnterAsync()) place.Keep();
        var waits = inFlight.EnterAsync();
        await Assert.ThrowsAsync<OverloadedException>(() => inFlight.EnterAsync());
        inFlight.Settled(1);
        (await waits).Dispose();
    }

    [Fact]
    public async Task What_the_table_says_lets_the_waiting_in()
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
