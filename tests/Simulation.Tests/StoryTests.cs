using Orderwright.Contracts;

namespace Orderwright.Simulation.Tests;

/// <summary>What a seed once found, told as a story of its own: each would fail again without its mend.</summary>
public sealed class StoryTests
{
    [Fact]
    public void A_payment_in_doubt_is_known_within_a_minute_after_the_gateway_is_back() => Holds(
        (0, Order(CardTokens.Good)),
        (0, new GatewayTrouble(0, 0, 0, LostAfter: 1, 0) { For = TimeSpan.FromMinutes(8) }));

    [Theory]
    [InlineData(ServiceNames.Order)]
    [InlineData(ServiceNames.Coordinator)]
    [InlineData(ServiceNames.Customer)]
    [InlineData(ServiceNames.Stock)]
    public void What_a_clock_that_was_ahead_has_put_off_is_done_once_it_is_set_right(string service) => Holds(
        (0, new ClockWrong(service, 1, TimeSpan.FromHours(2)) { For = TimeSpan.FromSeconds(20) }),
        (1, Order(CardTokens.Good)),
        (1, new LinkTrouble(service, null, Loss: 1, 0, 0, default) { For = TimeSpan.FromSeconds(19) }),
        (1, new CrashAt(service, FaultPoint.BeforeGatewayCall, 1, TimeSpan.FromSeconds(5))));

    [Fact]
    public void Who_waits_for_a_decision_and_who_asks_at_a_clock_that_is_off_get_one_answer() => Holds(
        (0, new Place(1, "ada", [("TEA", 1)], $"{CardTokens.Approved}8", HasKey: true, Copies: 2, WaitSeconds: 20)),
        (1, new ClockWrong(ServiceNames.Order, 1, TimeSpan.FromMinutes(20)) { For = TimeSpan.FromSeconds(15) }));

    [Fact]
    public void What_an_incident_keeps_breaks_no_sum()
    {
        var outcome = Holds((0, Order(CardTokens.RefundFails)), (5, new Cancel(1)));
        Assert.Equal(1, outcome.Ends["incident"]);
    }

    [Theory]
    [InlineData(ServiceNames.Stock)]
    [InlineData(ServiceNames.Customer)]
    public void What_is_asked_for_before_its_undo_and_comes_after_it_is_refused(string late)
    {
        var outcome = Holds(
            (0, Order(CardTokens.Good)),
            (0, Network(late, loss: 1, late: 0, For: 585)),
            (585, Network(late, loss: 0, late: 1, For: 15)),
            (600, Network(late, loss: 1, late: 0, For: 31)));
        Assert.Equal(1, outcome.Ends["expired"]);

        static LinkTrouble Network(string to, double loss, double late, double For) =>
            new(null, to, loss, Twice: 0, late, TimeSpan.FromMinutes(10)) { For = TimeSpan.FromSeconds(For) };
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
