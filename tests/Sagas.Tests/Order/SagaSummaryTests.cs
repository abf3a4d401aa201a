using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

public sealed class SagaSummaryTests
{
    static OrderDialogue Paying => new OrderDialogue().Placed().Reserved();

    static void Reads(OrderDialogue saga, string sentence) =>
        Assert.Equal(sentence, SagaSummary.Of(saga.State, saga.Now));

    [Fact]
    public void A_command_without_a_reply() => Reads(
        Paying.After(TimeSpan.FromSeconds(4)).Timer().After(TimeSpan.FromSeconds(1)),
        "Waiting for customer-service to reply to authorize-payment since 12:00:00 UTC; 2 attempts; next attempt in 1 s; "
        + "expires and is undone in 9 min.");

    [Fact]
    public void A_participant_that_postponed() => Reads(
        Paying.Answers(
            StepNames.AuthorizePayment,
            new(false, StepOutcome.Retry, "provider_unavailable", "The gateway is not available.", TimeSpan.FromSeconds(30)))
            .After(TimeSpan.FromSeconds(12)),
        "Waiting for customer-service to reply to authorize-payment since 12:00:00 UTC; 1 attempt; last response "
        + "'The gateway is not available' 12 s ago; next attempt in 18 s; expires and is undone in 9 min.");

    [Fact]
    public void A_customer_who_has_to_act() => Reads(
        Paying.Answers(
            StepNames.AuthorizePayment, new(false, StepOutcome.Waiting, Action: "https://bank.example/3ds"))
            .After(TimeSpan.FromMinutes(5)),
        "Waiting for the customer to act on authorize-payment since 12:00:00 UTC (https://bank.example/3ds); "
        + "expires in 55 min.");

    [Fact]
    public void A_doubt() => Reads(
        Paying.Answers(StepNames.AuthorizePayment, new(false, StepOutcome.InDoubt)),
        "In doubt since 12:00:00 UTC: customer-service is finding out whether authorize-payment happened; "
        + "1 attempt; next attempt in 3 s; becomes an incident in 2 h 0 min.");

    [Fact]
    public void An_incident() => Reads(
        Paying.Rejects(StepNames.AuthorizePayment, "payment_declined").Answers(
            StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "There is no such hold.")),
        "Rejected at authorize-payment (payment_declined): incident (not_found) at the undo of reserve-stock: There "
        + "is no such hold; 1 attempt since 12:00:00 UTC; an operator has to act.");

    [Fact]
    public void A_cancellation_in_progress() => Reads(
        Paying.Cancelled(),
        "Cancelled (customer): waiting for customer-service to reply to authorize-payment since 12:00:00 UTC; "
        + "1 attempt; next attempt in 3 s; expires and is undone in 10 min.");

    [Fact]
    public void A_completed_saga() => Reads(
        Paying.Authorized(captured: 1_000).After(TimeSpan.FromMilliseconds(230)).Committed().After(TimeSpan.FromDays(1)),
        "Completed at 2026-01-31 12:00:00 UTC, 230 ms after the start.");

    [Fact]
    public void A_rolled_back_saga() => Reads(
        Paying.Rejects(StepNames.AuthorizePayment, "payment_declined").Undone(StepNames.ReserveStock),
        "Rejected at authorize-payment (payment_declined); everything was undone by 12:00:00 UTC, 0 ms after the start.");

    [Fact]
    public void A_refusal_with_a_cancellation_during_the_rollback() => Reads(
        Paying.Rejects(StepNames.AuthorizePayment, "payment_declined").Cancelled().Undone(StepNames.ReserveStock),
        "Cancelled (customer) after being rejected at authorize-payment (payment_declined); everything was undone by "
        + "12:00:00 UTC, 0 ms after the start.");
}
