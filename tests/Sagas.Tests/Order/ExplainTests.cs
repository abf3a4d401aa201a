using Orderwright.Contracts;
using Orderwright.SagaCoordinator;

namespace Orderwright.Sagas.Tests.Order;

public sealed class ExplainTests
{
    static OrderDialogue Paying => new OrderDialogue().Placed().Reserved();

    static void Reads(OrderDialogue saga, string sentence) =>
        Assert.Equal(sentence, Explain.Sentence(saga.State, saga.Now));

    [Fact]
    public void An_ask_without_an_answer() => Reads(
        Paying.After(TimeSpan.FromSeconds(4)).Timer().After(TimeSpan.FromSeconds(1)),
        "Waiting for customer-service to answer authorize-payment since 12:00:00 UTC; asked 2 times; next try in 1 s; "
        + "given up and undone in 9 min.");

    [Fact]
    public void A_participant_that_asked_for_patience() => Reads(
        Paying.Answers(
            StepNames.AuthorizePayment,
            new(false, StepOutcome.Retry, "provider_unavailable", "The gateway is not available.", TimeSpan.FromSeconds(30)))
            .After(TimeSpan.FromSeconds(12)),
        "Waiting for customer-service to answer authorize-payment since 12:00:00 UTC; asked once; it last said "
        + "'The gateway is not available' 12 s ago; next try in 18 s; given up and undone in 9 min.");

    [Fact]
    public void A_customer_who_has_to_act() => Reads(
        Paying.Answers(
            StepNames.AuthorizePayment, new(false, StepOutcome.Waiting, Action: "https://bank.example/3ds"))
            .After(TimeSpan.FromMinutes(5)),
        "Waiting for the customer to act on authorize-payment since 12:00:00 UTC (https://bank.example/3ds); "
        + "given up in 55 min.");

    [Fact]
    public void A_doubt() => Reads(
        Paying.Answers(StepNames.AuthorizePayment, new(false, StepOutcome.InDoubt)),
        "In doubt since 12:00:00 UTC: customer-service is finding out whether authorize-payment happened; "
        + "asked once; next try in 3 s; an incident in 2 h 0 min.");

    [Fact]
    public void An_incident() => Reads(
        Paying.Rejects(StepNames.AuthorizePayment, "payment_declined").Answers(
            StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "There is no such hold.")),
        "Rejected at authorize-payment (payment_declined): incident (not_found) at the undo of reserve-stock: There "
        + "is no such hold; asked once since 12:00:00 UTC; an operator has to retry, resolve or compensate it.");

    [Fact]
    public void A_cancellation_on_its_way() => Reads(
        Paying.Cancelled(),
        "Cancelled (customer): waiting for customer-service to answer authorize-payment since 12:00:00 UTC; asked "
        + "once; next try in 3 s; given up and undone in 10 min.");

    [Fact]
    public void An_end_that_is_good() => Reads(
        Paying.Authorized(captured: 1_000).After(TimeSpan.FromMilliseconds(230)).Committed().After(TimeSpan.FromDays(1)),
        "Completed at 2026-01-31 12:00:00 UTC, 230 ms after it began.");

    [Fact]
    public void An_end_that_undid_everything() => Reads(
        Paying.Rejects(StepNames.AuthorizePayment, "payment_declined").Undone(StepNames.ReserveStock),
        "Rejected at authorize-payment (payment_declined); everything was undone by 12:00:00 UTC, 0 ms after it began.");

    [Fact]
    public void A_refusal_that_was_cancelled_on_its_way_back() => Reads(
        Paying.Rejects(StepNames.AuthorizePayment, "payment_declined").Cancelled().Undone(StepNames.ReserveStock),
        "Cancelled (customer), after it was rejected at authorize-payment (payment_declined); everything was undone by "
        + "12:00:00 UTC, 0 ms after it began.");
}
