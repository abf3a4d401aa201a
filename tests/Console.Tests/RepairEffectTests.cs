using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.ConsoleTests;

/// <summary>Sentences about the effect of an operator's action in the real world.</summary>
public sealed class RepairEffectTests
{
    const string Undoing = """, "reason": { "kind": "cancelled" }, "cancelReason": "customer" """;

    const string Authorizing = """{ "provider": "http", "state": "authorizing" """;

    static string Attempt(string operation, string state) =>
        $$""", "attempts": [{ "operation": "{{operation}}", "state": "{{state}}", "amount": 2175, "key": "K:1" }] }""";

    static JsonElement Json(string text) => JsonElement.Parse(text);

    static string Step(string step, string phase, bool undo) =>
        $$"""
        { "step": "{{step}}", "phase": "{{phase}}", "undo": {{(undo ? "true" : "false")}}, "participant": "customer-service" }
        """;

    static OrderFacts Facts(string payment, string saga = "", string? step = null) => new(
        Json($$"""
            { "customerId": "ada", "currency": "GBP", "total": 2175, "timeline": [{{step}}] {{saga}} }
            """),
        new("", 200, Json("""{ "status": "confirmed" }""")), new("", 200, Json(payment)),
        new("", 200, Json("""{ "items": [{ "state": "committed", "lines": [{ "sku": "MUG-01", "quantity": 2 }] }] }""")));

    static string TextOf(Repair repair, OrderFacts facts) => RepairEffect.Of(repair, facts).Text;

    static Repair Resolve(bool undo, string outcome = StepStates.Completed, string step = StepNames.AuthorizePayment) =>
        new(Repair.Resolve, step, outcome, undo);

    const string Captured =
        """{ "provider": "sandbox", "reference": "ch_1", "state": "undo_failed", "authorized": 2175, "captured": 2175 }""";

    [Fact]
    public void A_failed_refund_is_recorded_as_paid_back_outside_the_gateway()
    {
        var effect = RepairEffect.Of(Resolve(undo: true), Facts(Captured, Undoing));
        Assert.Equal(
            "Record that 21.75 GBP was refunded to ada outside the gateway. No money moves. Order → cancelled, "
                + "payment → refunded, goods → released.",
            effect.Text);
        Assert.Equal(("21.75 GBP", "ada", "sandbox, reference ch_1"), (effect.Amount, effect.Customer, effect.Gateway));
    }

    [Fact]
    public void A_failed_release_of_held_money_is_recorded_as_released() => Assert.Equal(
        "Record that 21.75 GBP held for ada was released outside the gateway. No money moves. Order → cancelled, "
            + "payment → voided, goods → released.",
        TextOf(Resolve(undo: true), Facts("""{ "state": "undo_failed", "authorized": 2175 }""", Undoing)));

    [Theory]
    [InlineData(
        "authorize", "completed", "Record that http authorized 21.75 GBP from ada. No money moves. Order → confirmed, "
            + "payment → authorized, goods → allocated.")]
    [InlineData(
        "authorize", "rejected", "Record that http never authorized 21.75 GBP from ada. No money moves now. A charge of "
            + "21.75 GBP that turns up later is returned. Order → rejected, payment → declined, goods → released.")]
    [InlineData(
        "capture", "completed", "Record that http took 21.75 GBP from ada. No money moves. Order → confirmed, "
            + "payment → captured, goods → allocated.")]
    [InlineData(
        "capture", "rejected", "Record that http never took 21.75 GBP from ada. http is asked again under a new key: "
            + "21.75 GBP is taken from ada. Order → confirmed, payment → captured, goods → allocated.")]
    public void A_payment_in_doubt_is_recorded_as_the_gateway_shows_it(string operation, string outcome, string text) =>
        Assert.Equal(text, TextOf(Resolve(undo: false, outcome), Facts(Authorizing + Attempt(operation, "in_doubt"))));

    // The open attempt decides: the same command about the undo says that money was secured, not that it was returned.
    [Fact]
    public void A_record_about_an_undo_while_the_authorization_is_in_doubt_returns_the_money() => Assert.Equal(
        "Record that http authorized 21.75 GBP from ada. Then http is asked to return it: 21.75 GBP goes back to ada. "
            + "Order → cancelled, payment → voided, goods → released.",
        TextOf(Resolve(undo: true), Facts(Authorizing + Attempt("authorize", "in_doubt"), Undoing)));

    [Fact]
    public void A_record_about_a_payment_with_a_known_outcome_says_that_it_may_change_nothing() => Assert.StartsWith(
        "The record may change nothing: customer-service knows the outcome",
        TextOf(Resolve(undo: false), Facts("""{ "state": "captured", "captured": 2175 }""")), StringComparison.Ordinal);

    [Theory]
    [InlineData("stuck", Captured, "Ask sandbox again to refund 21.75 GBP to ada. 21.75 GBP goes back if sandbox accepts")]
    [InlineData(
        "indoubt", """{ "provider": "http", "attempts": [{ "operation": "refund", "state": "in_doubt", "amount": 2175 }] }""",
        "Ask customer-service again to look up at http whether the refund of 21.75 GBP happened. An operation in doubt is "
            + "looked up and never repeated, so the retry moves no money.")]
    public void A_retry_says_whether_money_moves(string phase, string payment, string text) => Assert.StartsWith(
        text, TextOf(new(Repair.Retry), Facts(payment, Undoing, Step(StepNames.AuthorizePayment, phase, undo: true))),
        StringComparison.Ordinal);

    [Fact]
    public void Goods_are_named_with_their_number() => Assert.StartsWith(
        "Record that 2 × MUG-01 are allocated to the order of ada.",
        TextOf(Resolve(undo: false, step: StepNames.CommitStock), Facts("""{ "state": "captured", "captured": 2175 }""")),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("""{ "provider": "http", "captured": 2175, "authorized": 2175 }""", "http refunds 21.75 GBP to ada.")]
    [InlineData("""{ "provider": "http", "authorized": 2175 }""", "http releases 21.75 GBP held for ada.")]
    [InlineData("""{ "provider": "http" }""", "No money was secured, so none goes back.")]
    public void A_cancellation_names_the_money_that_goes_back(string payment, string money)
    {
        var text = TextOf(new(Repair.Cancel), Facts(payment));
        Assert.StartsWith($"Cancel the order of 21.75 GBP of ada, and undo every step. {money}", text, StringComparison.Ordinal);
        Assert.Contains("Order → cancelled", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Compensating_an_order_that_is_being_undone_adds_nothing() => Assert.StartsWith(
        "The order is being undone already, so this action adds nothing.",
        TextOf(
            new(Repair.Compensate), Facts(Captured, Undoing, Step(StepNames.AuthorizePayment, "stuck", undo: true))),
        StringComparison.Ordinal);

    [Fact]
    public void Without_customer_service_the_money_is_unknown_and_not_nothing() => Assert.Contains(
        "how much money the action moves is unknown",
        TextOf(new(Repair.Cancel), Facts("{}") with { Payment = new("", 0, Json("{}"), ApiFailure.Unreachable, "down") }),
        StringComparison.Ordinal);
}
