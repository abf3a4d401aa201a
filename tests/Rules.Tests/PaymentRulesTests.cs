using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>Replies to an order's payment commands, by the state of the payment.</summary>
public class PaymentRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");
    static readonly GatewayLimits Limits = new();
    static readonly At AtNow = new(Now, Limits);
    static readonly HashSet<string> Gateways = ["sandbox"];

    static PaymentCase Nothing => PaymentCase.Empty(Order);

    static PaymentDecision Authorize(PaymentCase current, long amount, Funds funds, string provider = "balance") =>
        PaymentRules.Authorize(
            current, new AuthorizePayment("17850", amount, "GBP", new PaymentMethod(provider, "tok_visa")), Gateways, funds,
            AtNow);

    static PaymentCase Paid(long amount = 1_530) => Authorize(Nothing, amount, new(true, amount)).Case;

    static PaymentCase External(string state, params PaymentAttempt[] attempts) =>
        new(
            Order,
            new Payment
            {
                OrderId = Order,
                State = state,
                CustomerId = "17850",
                Provider = "sandbox",
                Currency = "GBP",
                AmountMinor = 1_530,
                AuthorizedMinor = state is "authorized" or "capturing" or "captured" or "refunding" or "voiding" ? 1_530 : 0,
                CapturedMinor = state is "captured" or "refunding" ? 1_530 : 0,
                GatewayReference = "ch_1",
                CreatedAt = Now,
                UpdatedAt = Now,
            },
            attempts);

    static PaymentAttempt Attempt(string operation, string state, int n = 1) => new()
    {
        OrderId = Order,
        Operation = operation,
        Number = n,
        State = state,
        AmountMinor = 1_530,
        StartedAt = Now,
        FinishedAt = state is "succeeded" or "declined" or "failed" ? Now : null,
        DueAt = state is "open" or "retry" or "in_doubt" or "waiting" ? Now.AddSeconds(2) : null,
        Sends = 1,
    };

    static PaymentDecision Undo(PaymentCase current, long balance = 0, DateTimeOffset? now = null) =>
        PaymentRules.Undo(current, StepNames.AuthorizePayment, balance, new At(now ?? Now, Limits));

    static void IsRefused(string code, PaymentDecision decision)
    {
        Assert.Equal((false, StepOutcome.Rejected, code), (decision.Answer!.Undo, decision.Answer.Outcome, decision.Answer.Code));
        Assert.Equal(PaymentTotals.None, decision.Answer.Payment! with { Version = 0 });
        Assert.Equal(PaymentStates.Declined, decision.Case.Payment!.State);
        Assert.Null(decision.BalanceMinor);
        Assert.Null(decision.Next);
    }

    [Fact]
    public void Store_credit_is_captured_at_once()
    {
        var decision = Authorize(Nothing, 1_530, new(true, 2_000));
        Assert.Equal(StepOutcome.Completed, decision.Answer!.Outcome);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), decision.Answer.Payment! with { Version = 0 });
        Assert.Equal(470, decision.BalanceMinor);
        Assert.Equal(PaymentStates.Captured, decision.Case.Payment!.State);
        Assert.Null(decision.Next);
    }

    [Fact]
    public void The_whole_balance_can_be_spent_and_no_more()
    {
        Assert.Equal(0, Authorize(Nothing, 1_530, new(true, 1_530)).BalanceMinor);
        IsRefused(ReasonCodes.InsufficientFunds, Authorize(Nothing, 1_531, new(true, 1_530)));
    }

    [Fact]
    public void A_free_order_needs_a_known_customer()
    {
        var free = Authorize(Nothing, 0, new(true, 0));
        Assert.Equal(
            (StepOutcome.Completed, PaymentTotals.None), (free.Answer!.Outcome, free.Answer.Payment! with { Version = 0 }));
        Assert.Equal(PaymentStates.Captured, free.Case.Payment!.State);
        IsRefused(ReasonCodes.UnknownCustomer, Authorize(Nothing, 0, default));
        IsRefused(ReasonCodes.UnknownCustomer, Authorize(Nothing, 1, default, "sandbox"));
    }

    [Fact]
    public void A_free_order_skips_the_gateway()
    {
        var free = Authorize(Nothing, 0, new(true, 0), "sandbox");
        Assert.Equal((StepOutcome.Completed, null), (free.Answer!.Outcome, free.Next));
        Assert.Equal(PaymentStates.Voided, Undo(free.Case).Case.Payment!.State);
    }

    [Fact]
    public void An_unknown_provider_is_refused() =>
        IsRefused(ReasonCodes.UnknownProvider, Authorize(Nothing, 1_530, new(true, 2_000), "paypal"));

    [Fact]
    public void A_negative_amount_throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Authorize(Nothing, -1, new(true, 2_000)));

    [Theory]
    [InlineData(2_000)]
    [InlineData(0)]
    public void A_repeated_command_gets_the_same_reply_and_takes_nothing(long balance)
    {
        var first = Authorize(Nothing, 1_530, new(true, balance));
        var again = Authorize(first.Case, 1_530, new(true, 5_000));
        Assert.Equal(first.Answer, again.Answer);
        Assert.Same(first.Case, again.Case);
        Assert.Null(again.BalanceMinor);
    }

    [Fact]
    public void The_key_of_a_request_follows_from_the_order()
    {
        var decision = Authorize(Nothing, 1_530, new(true, 0), "sandbox");
        Assert.Null(decision.Answer);
        Assert.Equal($"{Order}:authorize:1", decision.Next!.Attempt.Key);
        Assert.False(decision.Next.LookUp);
        Assert.Equal((AttemptStates.Open, Now + Limits.Lease), (decision.Case.Open!.State, decision.Case.Open.DueAt));
        Assert.Equal(PaymentStates.Authorizing, decision.Case.Payment!.State);
        Assert.Null(Authorize(decision.Case, 1_530, new(true, 0), "sandbox").Answer);
    }

    [Theory]
    [InlineData("authorizing", "in_doubt", StepOutcome.InDoubt, ReasonCodes.InDoubt)]
    [InlineData("authorizing", "retry", StepOutcome.Retry, ReasonCodes.ProviderUnavailable)]
    [InlineData("action_required", "waiting", StepOutcome.Waiting, null)]
    [InlineData("authorized", "succeeded", StepOutcome.Completed, null)]
    [InlineData("capturing", "succeeded", StepOutcome.Completed, null)]
    [InlineData("captured", "succeeded", StepOutcome.Completed, null)]
    [InlineData("voiding", "succeeded", StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData("voided", "succeeded", StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData("refunding", "succeeded", StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData("refunded", "succeeded", StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData("undo_failed", "succeeded", StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData("undone", "failed", StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    public void A_repeated_authorization_replies_from_the_stored_state(
        string state, string call, StepOutcome outcome, string? code)
    {
        var current = External(state, Attempt("authorize", call));
        var decision = Authorize(current, 1_530, new(true, 0), "sandbox");
        Assert.Equal((false, outcome, code), (decision.Answer!.Undo, decision.Answer.Outcome, decision.Answer.Code));
        Assert.Same(current, decision.Case);
        if (outcome == StepOutcome.Retry) Assert.Equal(TimeSpan.FromSeconds(2), decision.Answer.RetryAfter);
    }

    [Fact]
    public void A_retry_scheduled_by_a_clock_that_ran_ahead_is_requested_within_30_seconds()
    {
        var attempt = Attempt("authorize", "retry") with { DueAt = Now + TimeSpan.FromMinutes(20) };
        var decision = Authorize(External("authorizing", attempt), 1_530, new(true, 0), "sandbox");
        Assert.Equal(TimeSpan.FromSeconds(30), decision.Answer!.RetryAfter);
    }

    [Theory]
    [InlineData(PaymentStates.Captured, StepOutcome.Completed, null)]
    [InlineData(PaymentStates.Authorizing, StepOutcome.Rejected, ReasonCodes.NotAuthorized)]
    [InlineData(PaymentStates.ActionRequired, StepOutcome.Rejected, ReasonCodes.NotAuthorized)]
    [InlineData(PaymentStates.Declined, StepOutcome.Rejected, ReasonCodes.NotAuthorized)]
    [InlineData(PaymentStates.Voiding, StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData(PaymentStates.Voided, StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData(PaymentStates.UndoFailed, StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    [InlineData(PaymentStates.Undone, StepOutcome.Rejected, ReasonCodes.AlreadyUndone)]
    public void Capture_takes_only_authorized_money(string state, StepOutcome outcome, string? code)
    {
        var current = External(state);
        var decision = PaymentRules.Capture(current, AtNow);
        Assert.Equal((outcome, code, null), (decision.Answer!.Outcome, decision.Answer.Code, decision.Next));
        Assert.Same(current, decision.Case);
    }

    [Theory]
    [InlineData(PaymentStates.Refunding, null, StepOutcome.Completed)]
    [InlineData(PaymentStates.Refunded, null, StepOutcome.Completed)]
    [InlineData(PaymentStates.Refunding, StepNames.AuthorizePayment, StepOutcome.Rejected)]
    [InlineData(PaymentStates.Refunded, StepNames.AuthorizePayment, StepOutcome.Rejected)]
    public void A_repeated_capture_is_complete_after_an_operator_refunded_the_money_but_not_after_an_undo(
        string state, string? undoStep, StepOutcome outcome)
    {
        var payment = External(state).Payment! with { UndoStep = undoStep };
        var decision = PaymentRules.Capture(External(state).With(payment), AtNow);
        Assert.Equal((outcome, null), (decision.Answer!.Outcome, decision.Next));
    }

    [Fact]
    public void The_authorized_amount_is_captured_in_full()
    {
        var decision = PaymentRules.Capture(External("authorized", Attempt("authorize", "succeeded")), AtNow);
        Assert.Null(decision.Answer);
        Assert.Equal(($"{Order}:capture:1", 1_530), (decision.Next!.Attempt.Key, decision.Next.Attempt.AmountMinor));
        Assert.Equal(PaymentStates.Capturing, decision.Case.Payment!.State);
        Assert.Null(PaymentRules.Capture(decision.Case, AtNow).Next);
    }

    [Fact]
    public void Store_credit_is_returned_in_full_and_once()
    {
        var undone = Undo(Paid(), balance: 470);
        Assert.Equal(2_000, undone.BalanceMinor);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 1_530, false), undone.Answer!.Payment! with { Version = 0 });
        Assert.Equal((true, StepOutcome.Completed), (undone.Answer.Undo, undone.Answer.Outcome));
        var again = Undo(undone.Case, balance: 2_000);
        Assert.Equal((undone.Answer, null), (again.Answer, again.BalanceMinor));
        Assert.Same(undone.Case, again.Case);
    }

    [Fact]
    public void A_balance_that_would_overflow_is_never_wrapped() =>
        Assert.Throws<OverflowException>(() => Undo(Paid(), balance: long.MaxValue));

    [Fact]
    public void An_early_undo_refuses_the_late_step()
    {
        var tombstone = Undo(Nothing);
        Assert.Equal(
            (StepOutcome.Completed, PaymentTotals.None),
            (tombstone.Answer!.Outcome, tombstone.Answer.Payment! with { Version = 0 }));
        var late = Authorize(tombstone.Case, 1_530, new(true, 2_000));
        Assert.Equal((StepOutcome.Rejected, ReasonCodes.AlreadyUndone), (late.Answer!.Outcome, late.Answer.Code));
        Assert.Equal((null, null), (late.BalanceMinor, late.Next));
    }

    [Theory]
    [InlineData("declined")]
    [InlineData("voided")]
    [InlineData("refunded")]
    [InlineData("undone")]
    public void A_settled_payment_needs_no_undo(string state)
    {
        var current = External(state);
        var decision = Undo(current);
        Assert.Equal((true, StepOutcome.Completed), (decision.Answer!.Undo, decision.Answer.Outcome));
        Assert.Same(current, decision.Case);
    }

    [Theory]
    [InlineData("authorized", "void", "voiding")]
    [InlineData("captured", "refund", "refunding")]
    public void Held_money_is_voided_and_captured_money_refunded(string state, string operation, string next)
    {
        var decision = Undo(External(state, Attempt("authorize", "succeeded")));
        Assert.Null(decision.Answer);
        Assert.Equal((operation, 1_530L), (decision.Next!.Attempt.Operation, decision.Next.Attempt.AmountMinor));
        Assert.Equal((next, StepNames.AuthorizePayment), (decision.Case.Payment!.State, decision.Case.Payment.UndoStep));
    }

    [Fact]
    public void A_pending_action_is_closed_at_the_gateway()
    {
        var decision = Undo(External("action_required", Attempt("authorize", "waiting")));
        Assert.Equal(("void", "voiding"), (decision.Next!.Attempt.Operation, decision.Case.Payment!.State));
        Assert.Equal("failed", decision.Case.Attempts.Single(call => call.Operation == "authorize").State);
    }

    [Theory]
    [InlineData("authorizing", "authorize", "open", null)]
    [InlineData("authorizing", "authorize", "in_doubt", StepOutcome.InDoubt)]
    [InlineData("capturing", "capture", "open", null)]
    [InlineData("capturing", "capture", "in_doubt", StepOutcome.InDoubt)]
    [InlineData("voiding", "void", "retry", StepOutcome.Retry)]
    [InlineData("refunding", "refund", "in_doubt", StepOutcome.InDoubt)]
    public void An_undo_during_an_unsettled_attempt_is_stored(
        string state, string operation, string call, StepOutcome? outcome)
    {
        var decision = Undo(External(state, Attempt(operation, call)));
        Assert.Equal(outcome, decision.Answer?.Outcome);
        Assert.NotEqual(false, decision.Answer?.Undo);
        Assert.Equal((state, StepNames.AuthorizePayment), (decision.Case.Payment!.State, decision.Case.Payment.UndoStep));
        Assert.Null(decision.Next);
        Assert.Same(decision.Case, Undo(decision.Case).Case);
    }

    [Fact]
    public void An_undo_does_not_wait_for_a_request_without_effect()
    {
        var decision = Undo(External("authorizing", Attempt("authorize", "retry")));
        Assert.Equal((true, StepOutcome.Completed), (decision.Answer!.Undo, decision.Answer.Outcome));
        Assert.Equal(("undone", "failed"), (decision.Case.Payment!.State, decision.Case.Attempts.Single().State));

        var captured = Undo(External("capturing", Attempt("authorize", "succeeded"), Attempt("capture", "retry")));
        Assert.Equal("void", captured.Next!.Attempt.Operation);
    }

    [Fact]
    public void A_failed_refund_is_reported_again_and_retried_only_later()
    {
        var failed = External("captured", Attempt("authorize", "succeeded"), Attempt("refund", "declined"));
        failed = failed.With(failed.Payment! with { State = "undo_failed", Message = "The bank refused." });
        var soon = Undo(failed, now: Now.AddSeconds(29));
        Assert.Equal(
            (true, StepOutcome.Rejected, ReasonCodes.RefundFailed, "The bank refused."),
            (soon.Answer!.Undo, soon.Answer.Outcome, soon.Answer.Code, soon.Answer.Message));
        Assert.Same(failed, soon.Case);
        var later = Undo(failed, now: Now.AddSeconds(30));
        Assert.Equal($"{Order}:refund:2", later.Next!.Attempt.Key);
    }
}
