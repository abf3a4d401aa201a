using Orderwright.Contracts;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>Choice of a payment's gateway, and failover to another.</summary>
public class PaymentRoutingTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");
    static readonly GatewayLimits Limits = new();
    static readonly At AtNow = new(Now, Limits);
    static readonly ProviderCapabilities Card = new(true, true, true, true, true);
    static readonly string[] Gateways = ["http", "sandbox", "stripe"];
    static readonly HashSet<string> AllUp = [];

    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ch_1");
    static readonly GatewayResult No = new GatewayResult.Declined("card_declined", "No.");
    static readonly GatewayResult Unavailable = new GatewayResult.Unavailable("503");
    static readonly GatewayResult Lost = new GatewayResult.Unknown("No answer within 5 s.");
    static readonly GatewayResult Never = new GatewayResult.NeverHappened(Final: false);
    static readonly GatewayResult HeldBack = new GatewayResult.NotAsked("It fails.", LookUp: false, TimeSpan.FromSeconds(5));
    static readonly GatewayResult NotLookedUp = new GatewayResult.NotAsked("It fails.", LookUp: true, TimeSpan.FromSeconds(5));

    static IReadOnlyList<PaymentRoute> Read(string text) => PaymentRoute.ReadAll(text, Gateways);

    static readonly IReadOnlyList<PaymentRoute> Routes = Read("card: stripe, then http");

    static IReadOnlyList<string>? Candidates(
        IReadOnlyList<PaymentRoute> routes, string currency, long amount, string name = "card", string token = "tok_visa",
        params string[] down) =>
        RoutingRules.Candidates(routes, new PaymentMethod(name, token), currency, amount, down.ToHashSet());

    static PaymentCase Requested(IReadOnlyList<PaymentRoute> routes, string token = "tok_visa")
    {
        var command = new AuthorizePayment("17850", 1_530, "GBP", new PaymentMethod("card", token));
        return PaymentRules.Authorize(
            PaymentCase.Empty(Order), command, Gateways.ToHashSet(), new(true, 0), AtNow,
            RoutingRules.Candidates(routes, command.Payment, "GBP", 1_530, AllUp)).Case;
    }

    static PaymentDecision Settle(
        PaymentCase current, GatewayResult result, IReadOnlyList<PaymentRoute> routes, params string[] down) =>
        AttemptRules.Settle(
        current, current.Open!.Operation, current.Open.Number, result, Card, AtNow,
        RoutingRules.Instead(routes, current, current.Open, result, down.ToHashSet()));

    [Fact]
    public void The_first_line_matching_currency_and_amount_applies()
    {
        var routes = Read(
            """
            # small amounts in yen have their own gateway
            card in JPY up to 1000: sandbox
            card in GBP EUR, from 500000: stripe
            card: http, then stripe
            """);
        Assert.Equal(["sandbox"], Candidates(routes, "JPY", 1_000));
        Assert.Equal(["http", "stripe"], Candidates(routes, "JPY", 1_001));
        Assert.Equal(["stripe"], Candidates(routes, "EUR", 500_000));
        Assert.Equal(["http", "stripe"], Candidates(routes, "EUR", 499_999));
        Assert.Equal(["stripe", "http"], Candidates(routes, "EUR", 1, down: "http"));
        Assert.Null(Candidates(routes, "EUR", 1, name: "stripe"));
        Assert.Empty(Candidates(Read("card in EUR: http"), "GBP", 1)!);
    }

    [Theory]
    [InlineData("card")]
    [InlineData("card: ")]
    [InlineData(": http")]
    [InlineData("balance: http")]
    [InlineData("card: paypal")]
    [InlineData("card: http, then http")]
    [InlineData("card in: http")]
    [InlineData("card in XXX: http")]
    [InlineData("card from: http")]
    [InlineData("card from -1: http")]
    [InlineData("card from 10 up to 9: http")]
    [InlineData("card up 10: http")]
    [InlineData("card sometimes: http")]
    public void An_invalid_line_is_refused_at_start_up(string line) => Assert.Contains(
        "ORDERWRIGHT_ROUTES", Assert.Throws<InvalidSettingException>(() => Read(line)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_order_without_a_matching_line_is_refused()
    {
        var none = PaymentRules.Authorize(
            PaymentCase.Empty(Order), new("17850", 1, "GBP", new("card", "tok")), Gateways.ToHashSet(), new(true, 0), AtNow, []);
        Assert.Equal((StepOutcome.Rejected, ReasonCodes.UnknownProvider), (none.Answer!.Outcome, none.Answer.Code));
    }

    [Fact]
    public void An_unavailable_gateway_is_followed_by_the_next_under_a_new_key()
    {
        foreach (var result in new[] { Unavailable, HeldBack })
        {
            var next = Settle(Requested(Routes), result, Routes);
            Assert.Null(next.Answer);
            Assert.Equal(
                ($"{Order}:authorize:2", "http", false), (next.Next!.Attempt.Key, next.Next.Attempt.Provider, next.Next.LookUp));
            Assert.Equal(("stripe", AttemptStates.Failed), (next.Case.Attempts[0].Provider, next.Case.Attempts[0].State));
            Assert.Single(next.Case.Attempts, call => call.FinishedAt is null);
            var paid = Settle(next.Case, Ok, Routes);
            Assert.Equal((StepOutcome.Completed, "http", "card"),
                (paid.Answer!.Outcome, paid.Case.Payment!.Provider, paid.Case.Payment.Route));
            Assert.Equal(
                "http", PaymentRules.Capture(paid.Case, AtNow).Next!.Attempt.Provider);
            Assert.Equal(["stripe", "http"], PaymentResponse.Of(paid.Case).Attempts.Select(attempt => attempt.Provider));
        }
    }

    [Fact]
    public void A_request_in_doubt_is_never_sent_to_another_gateway()
    {
        var doubt = Settle(Requested(Routes), Lost, Routes).Case;
        Assert.Equal((AttemptStates.InDoubt, 1), (doubt.Open!.State, doubt.Attempts.Count));
        foreach (var result in new[] { Lost, NotLookedUp, Unavailable })
            Assert.Single(Settle(doubt, result, Routes).Case.Attempts);
        // Sent again under the same key. The first request may still arrive, and an outage now does not settle the first.
        var again = Settle(doubt, Never, Routes).Case;
        foreach (var result in new[] { Unavailable, HeldBack, No })
            Assert.Single(Settle(again, result, Routes).Case.Attempts);
        // The sending process crashed: looked up, and sent again.
        var leaseEnded = AttemptRules.TakeUp(Requested(Routes), new At(Now + Limits.Lease, Limits)).Case;
        Assert.Single(Settle(Settle(leaseEnded, Never, Routes).Case, Unavailable, Routes).Case.Attempts);
    }

    [Fact]
    public void A_decline_is_final_unless_the_route_continues_after_declines()
    {
        Assert.Equal(StepOutcome.Rejected, Settle(Requested(Routes), No, Routes).Answer!.Outcome);
        var insisting = Read("card: stripe, then http, also when declined");
        var next = Settle(Requested(insisting), No, insisting);
        Assert.Equal(("http", AttemptStates.Declined), (next.Next!.Attempt.Provider, next.Case.Attempts[0].State));
        Assert.Equal(StepOutcome.Rejected, Settle(next.Case, No, insisting).Answer!.Outcome);
        Assert.Equal(StepOutcome.Waiting, Settle(Requested(insisting), new GatewayResult.ActionRequired("ch", "/act"), insisting)
            .Answer!.Outcome);
    }

    [Fact]
    public void An_undone_or_authorized_payment_does_not_fail_over()
    {
        var undone = PaymentRules.Undo(Requested(Routes), StepNames.AuthorizePayment, 0, AtNow).Case;
        Assert.Single(Settle(undone, Unavailable, Routes).Case.Attempts);
        var capturing = PaymentRules.Capture(Settle(Requested(Routes), Ok, Routes).Case, AtNow).Case;
        Assert.Equal("stripe", Settle(capturing, Unavailable, Routes).Case.Payment!.Provider);
    }

    [Fact]
    public void With_every_gateway_down_the_order_goes_to_the_first_to_recover()
    {
        var last = Settle(Settle(Requested(Routes), Unavailable, Routes).Case, HeldBack, Routes, "stripe", "http").Case;
        Assert.Equal((AttemptStates.Retry, "http"), (last.Open!.State, last.Open.Provider));
        var due = last.Open.DueAt!.Value;
        Assert.Null(RoutingRules.TakesOver(Routes, last, new HashSet<string> { "stripe", "http" }));
        Assert.Null(RoutingRules.TakesOver(Routes, last, AllUp));
        var instead = RoutingRules.TakesOver(Routes, last, new HashSet<string> { "http" });
        var taken = AttemptRules.TakeUp(last, new At(due, Limits), instead);
        Assert.Equal(("stripe", $"{Order}:authorize:3"), (taken.Next!.Attempt.Provider, taken.Next.Attempt.Key));
    }

    [Fact]
    public void A_plain_token_goes_to_every_gateway_and_a_list_names_one_each()
    {
        Assert.Equal("tok_visa", RoutingRules.TokenOf("tok_visa", "http"));
        Assert.Equal("YWJj==", RoutingRules.TokenOf("YWJj==", "http"));
        Assert.Equal("pm_1", RoutingRules.TokenOf("stripe=pm_1;http=tok_2", "stripe"));
        Assert.Equal("", RoutingRules.TokenOf("stripe=pm_1", "http"));
        Assert.Equal(["stripe"], Candidates(Routes, "GBP", 1, token: "stripe=pm_1"));
        Assert.Empty(Candidates(Routes, "GBP", 1, token: "sandbox=tok_1")!);
        Assert.Single(Settle(Requested(Routes, "stripe=pm_1"), Unavailable, Routes).Case.Attempts);
    }

    [Fact]
    public void A_late_authorization_at_an_abandoned_gateway_needs_attention()
    {
        var paid = Settle(Settle(Requested(Routes), Unavailable, Routes).Case, Ok, Routes).Case;
        var late = AttemptRules.Settle(paid, "authorize", 1, new GatewayResult.Succeeded("pi_9"), Card, AtNow).Case;
        Assert.Contains("the gateway reports that it was (pi_9)", late.Payment!.Attention, StringComparison.Ordinal);
        // With the order cancelled, the money is returned at the gateway holding the charge.
        var declined = Settle(Settle(Requested(Routes), Unavailable, Routes).Case, No, Routes).Case;
        var back = AttemptRules.Settle(declined, "authorize", 1, new GatewayResult.Succeeded("pi_9"), Card, AtNow);
        Assert.Equal(("void", "stripe"), (back.Next!.Attempt.Operation, back.Next.Attempt.Provider));
    }
}
