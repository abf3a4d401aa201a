using System.Globalization;
using System.Text;
using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>Replies to the coordinator about a payment's steps. Pure.</summary>
static class PaymentAnswers
{
    public static StepAnswered Completed(Payment payment) =>
        new(Undo: false, StepOutcome.Completed, Payment: payment.Totals);

    public static StepAnswered Rejected(Payment payment) =>
        new(Undo: false, StepOutcome.Rejected, payment.Code, payment.Message, Payment: payment.Totals);

    public static StepAnswered Waiting(Payment payment) =>
        new(Undo: false, StepOutcome.Waiting, Action: payment.ActionUrl, Payment: payment.Totals);

    public static StepAnswered InDoubt(Payment payment, PaymentAttempt attempt, bool undo) =>
        new(
            undo, StepOutcome.InDoubt, attempt.NeedsPerson ? ReasonCodes.CannotTell : ReasonCodes.InDoubt,
            Evidence(payment, attempt), Payment: payment.Totals);

    /// <summary>Reply about the step of an attempt in doubt; none for attempts requested by operators.</summary>
    public static PaymentDecision InDoubt(PaymentCase paymentCase, PaymentAttempt attempt)
    {
        var payment = paymentCase.Payment!;
        var step = payment.UndoStep ?? attempt switch
        {
            { RequestedBy: not null } => null,
            { Operation: GatewayOperations.Authorize } => StepNames.AuthorizePayment,
            { Operation: GatewayOperations.Capture } => StepNames.CapturePayment,
            _ => null,
        };
        return new(paymentCase, step is null ? null : InDoubt(payment, attempt, payment.UndoStep is not null), step);
    }

    public static StepAnswered UndoCompleted(Payment payment) =>
        new(Undo: true, StepOutcome.Completed, Payment: payment.Totals);

    public static StepAnswered UndoRejected(Payment payment) =>
        new(Undo: true, StepOutcome.Rejected, ReasonCodes.RefundFailed, payment.Message, Payment: payment.Totals);

    public static StepAnswered AlreadyUndone(Payment payment) =>
        new(
            Undo: false, StepOutcome.Rejected, ReasonCodes.AlreadyUndone, "The payment was already undone.",
            Payment: payment.Totals);

    /// <summary>Retry of capture-payment: the money is still held, and the gateway did not capture it yet.</summary>
    public static StepAnswered CaptureLater(Payment payment, string code, string why) =>
        new(
            Undo: false, StepOutcome.Retry, code, why, GatewayLimits.TryAgainAfter, Payment: payment.Totals);

    // For the incident: operation, amount, key, times, and the result of each look-up.
    static string Evidence(Payment payment, PaymentAttempt attempt)
    {
        var amount = Money.Format(attempt.AmountMinor, payment.Currency!);
        var text = attempt.IsRecovery
            ? new StringBuilder(
                $"No payment of this order is recorded here, and {attempt.Provider} cannot tell whether it has a charge.")
            : new StringBuilder(
                $"{payment.Provider} was asked to {attempt.Operation} {amount} under {attempt.Key}, first at "
                + $"{Clock(attempt.StartedAt)}, {Times(attempt.Sends)}, without a conclusive answer "
                + $"({attempt.Message?.TrimEnd('.')}).");
        foreach (var look in attempt.Evidence)
            text.Append(CultureInfo.InvariantCulture, $" Looked up {Times(look.Times)}, {Clock(look.First)}")
                .Append(look.Times == 1 ? "" : $" to {Clock(look.Last)}").Append(": ").Append(look.Finding);
        return text.ToString();
    }

    static string Clock(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    static string Times(int times) => times == 1 ? "once" : $"{times} times";
}
