namespace Orderwright.Simulation.Tests;

/// <summary>What a seed once found, told as a story of its own: each would fail again without its mend.</summary>
public sealed class StoryTests
{
    [Fact]
    public void A_payment_in_doubt_is_known_within_a_minute_after_the_gateway_is_back() => Holds(
        (0, Order(CardTokens.Good)),
        (0, new GatewayTrouble(0, 0, 0, LostAfter: 1, 0) { For = TimeSpan.FromMinutes(8) }));

    [Fact]
    public void What_an_incident_keeps_breaks_no_sum()
    {
        var outcome = Holds((0, Order(CardTokens.RefundFails)), (5, new Cancel(1)));
        Assert.Equal(1, outcome.Ends["incident"]);
    }

    static Place Order(string? token) => new(1, "ada", [("TEA", 2)], token, HasKey: true, Copies: 1, WaitSeconds: 0);

    static Outcome Holds(params (double AtSeconds, object What)[] items)
    {
        using var arena = Arena.Open();
        var outcome = new World(Plan.Of(items), arena).Run();
        Assert.Empty(outcome.Findings);
        return outcome;
    }
}
