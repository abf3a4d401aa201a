using System.Net;
using Orderwright.Hosting.Http;

namespace Orderwright.Rules.Tests;

/// <summary>Budgets of requests, on a clock of the test.</summary>
public sealed class RequestBudgetTests
{
    static readonly RateLimit TenInTenSeconds = new("test", 10, TimeSpan.FromSeconds(10));

    readonly StoppedClock time = new();

    [Fact]
    public void A_full_budget_allows_the_quota_at_once_and_then_one_request_per_share_of_the_window()
    {
        var budget = new Budget();
        for (var i = 0; i < 10; i++) Assert.Null(budget.Take(TenInTenSeconds, time));
        Assert.Equal(TimeSpan.FromSeconds(1), budget.Take(TenInTenSeconds, time));
        Assert.Equal(TimeSpan.FromSeconds(1), budget.Take(TenInTenSeconds, time));

        time.Pass(TimeSpan.FromSeconds(1));
        Assert.Null(budget.Take(TenInTenSeconds, time));
        Assert.NotNull(budget.Take(TenInTenSeconds, time));

        Assert.False(budget.IsFull(time.GetTimestamp()));
        time.Pass(TimeSpan.FromHours(1));
        Assert.True(budget.IsFull(time.GetTimestamp()));
        for (var i = 0; i < 10; i++) Assert.Null(budget.Take(TenInTenSeconds, time));
        Assert.NotNull(budget.Take(TenInTenSeconds, time));
    }

    [Fact]
    public void Concurrent_requests_share_the_quota_exactly()
    {
        var budget = new Budget();
        var limit = new RateLimit("test", 5_000, TimeSpan.FromSeconds(10));
        var taken = 0;
        Parallel.For(0, 20_000, _ =>
        {
            if (budget.Take(limit, time) is null) Interlocked.Increment(ref taken);
        });
        Assert.Equal(5_000, taken);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::1", "127.0.0.1", false)]
    public void An_address_of_IPv4_and_a_network_of_IPv6_have_a_budget(string one, string other, bool shared)
    {
        var budgets = new AddressBudgets(new("test", 1, TimeSpan.FromMinutes(1)), time);
        Assert.Null(budgets.Take(IPAddress.Parse(one)));
        Assert.Equal(shared, budgets.Take(IPAddress.Parse(other)) is not null);
    }

    [Fact]
    public void A_flood_of_addresses_takes_a_bounded_amount_of_memory_and_known_addresses_keep_their_budgets()
    {
        var budgets = new AddressBudgets(new("test", 100, TimeSpan.FromMinutes(1)), time);
        var known = IPAddress.Parse("192.0.2.1");
        Assert.Null(budgets.Take(known));
        var refused = 0;
        for (var i = 0; i < 50_000; i++)
            if (budgets.Take(new IPAddress((uint)(10 + i * 256))) is not null) refused++;

        Assert.Equal(AddressBudgets.MaxAddresses, budgets.Count);
        // The addresses beyond the limit share a single budget of 100.
        Assert.Equal(50_000 - (AddressBudgets.MaxAddresses - 1) - 100, refused);
        Assert.Null(budgets.Take(known));

        time.Pass(TimeSpan.FromMinutes(2));
        Assert.Null(budgets.Take(IPAddress.Parse("198.51.100.7")));
        Assert.InRange(budgets.Count, 1, 2);
    }

    sealed class StoppedClock : TimeProvider
    {
        long now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now;

        public void Pass(TimeSpan time) => now += time.Ticks;
    }
}
