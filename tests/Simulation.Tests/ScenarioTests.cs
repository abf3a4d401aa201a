using Orderwright.Contracts;

namespace Orderwright.Simulation.Tests;

/// <summary>Scenarios found by seeds, written down: each fails again without the fix.</summary>
public sealed class ScenarioTests
{
    [Fact]
    public void A_payment_in_doubt_is_resolved_within_a_minute_after_the_gateway_recovers() => Holds(
        (0, Order(CardTokens.Good)),
        (0, new GatewayFault(0, 0, 0, LostAfter: 1, 0) { For = TimeSpan.FromMinutes(8) }));

    [Theory]
    [InlineData(ServiceNames.Order)]
    [InlineData(ServiceNames.Coordinator)]
    [InlineData(ServiceNames.Customer)]
    [InlineData(ServiceNames.Stock)]
    public void Work_delayed_by_a_clock_that_was_ahead_runs_once_the_clock_is_right(string service) => Holds(
        (0, new ClockSkewed(service, 1, TimeSpan.FromHours(2)) { For = TimeSpan.FromSeconds(20) }),
        (1, Order(CardTokens.Good)),
        (1, new LinkFault(service, null, Loss: 1, 0, 0, default) { For = TimeSpan.FromSeconds(19) }),
        (1, new CrashAt(service, FaultPoint.BeforeGatewayCall, 1, TimeSpan.FromSeconds(5))));

    [Fact]
    public void Two_copies_of_a_request_get_one_response_although_one_waits_and_a_clock_is_wrong() => Holds(
        (0, new Place(1, "ada", [("TEA", 1)], $"{CardTokens.Approved}8", HasKey: true, Copies: 2, WaitSeconds: 20)),
        (1, new ClockSkewed(ServiceNames.Order, 1, TimeSpan.FromMinutes(20)) { For = TimeSpan.FromSeconds(15) }));

    [Fact]
    public void Money_kept_by_an_incident_breaks_no_sum()
    {
        var outcome = Holds((0, Order(CardTokens.RefundFails)), (5, new Cancel(1)));
        Assert.Equal(1, outcome.OrderCounts["incident"]);
    }

    [Theory]
    [InlineData(ServiceNames.Stock)]
    [InlineData(ServiceNames.Customer)]
    public void A_command_that_arrives_after_its_undo_is_refused(string late)
    {
        var outcome = Holds(
            (0, Order(CardTokens.Good)),
            (0, Network(late, loss: 1, late: 0, For: 585)),
            (585, Network(late, loss: 0, late: 1, For: 15)),
            (600, Network(late, loss: 1, late: 0, For: 31)));
        Assert.Equal(1, outcome.OrderCounts["expired"]);

        static LinkFault Network(string to, double loss, double late, double For) =>
            new(null, to, loss, Twice: 0, late, TimeSpan.FromMinutes(10)) { For = TimeSpan.FromSeconds(For) };
    }

    // One of the moments lies between the two replies of the gateway.
    [Theory]
    [InlineData(0.05)]
    [InlineData(0.1)]
    [InlineData(0.15)]
    [InlineData(0.2)]
    [InlineData(0.25)]
    public void A_capture_stays_complete_when_an_operator_refunds_before_the_coordinator_hears_of_it(double cutOff) => Holds(
        (0, Order(CardTokens.Good)),
        (cutOff, new LinkFault(ServiceNames.Customer, ServiceNames.Coordinator, Loss: 1, 0, 0, default)
        {
            For = TimeSpan.FromSeconds(20),
        }),
        (2, new Refund(1, null)));

    [Fact]
    public void An_order_that_no_standby_received_was_never_acknowledged() => Holds(
        (0, new StandbyStalled(ServiceNames.Order, TakesOver: true) { For = TimeSpan.FromSeconds(10) }),
        (1, Order(CardTokens.Good)));

    [Fact]
    public void A_cancellation_unknown_to_a_restored_coordinator_returns_money_and_goods()
    {
        var outcome = Holds(
            (0, new Restored(ServiceNames.Coordinator, TimeSpan.FromSeconds(1)) { For = TimeSpan.FromSeconds(10) }),
            (1, Order(CardTokens.Good)),
            (12, new Cancel(1)));
        Assert.Equal(1, outcome.OrderCounts["cancelled"]);
    }

    [Fact]
    public void A_cancellation_returns_the_money_of_a_payment_that_a_restore_lost()
    {
        var outcome = Holds(
            (0, new Restored(ServiceNames.Customer, TimeSpan.FromSeconds(1)) { For = TimeSpan.FromSeconds(10) }),
            (1, Order(CardTokens.Good)),
            (12, new Cancel(1)));
        Assert.Equal(1, outcome.OrderCounts["cancelled"]);
    }

    [Theory]
    [InlineData(null, Forgery.OrderConfirmed)]
    [InlineData(ServiceNames.Stock, Forgery.PaymentAuthorized)]
    [InlineData(null, Forgery.GoodsReserved)]
    [InlineData(ServiceNames.Customer, Forgery.CancelRequested)]
    public void A_forged_message_changes_nothing(string? user, Forgery what)
    {
        var outcome = Holds(
            (0, Order(CardTokens.Declined)),
            (0, new LinkFault(null, ServiceNames.Customer, Loss: 1, 0, 0, default) { For = TimeSpan.FromSeconds(20) }),
            (2, new Forged(user, what, 1)));
        Assert.Equal(1, outcome.OrderCounts["rejected"]);
    }

    [Theory]
    [InlineData(ServiceNames.Order)]
    [InlineData(ServiceNames.Coordinator)]
    [InlineData(ServiceNames.Customer)]
    [InlineData(ServiceNames.Stock)]
    public void Work_waits_for_a_full_disk_and_goes_on_once_there_is_room(string service) => Holds(
        (0.02, Order(CardTokens.Good)),
        (0, new DiskFull(service) { For = TimeSpan.FromMinutes(3) }));

    static Place Order(string? token) => new(1, "ada", [("TEA", 2)], token, HasKey: true, Copies: 1, WaitSeconds: 0);

    static Outcome Holds(params (double AtSeconds, object What)[] items)
    {
        using var arena = Arena.Open();
        var outcome = new World(Plan.Of(items), arena).Run();
        Assert.Empty(outcome.Findings);
        return outcome;
    }
}
