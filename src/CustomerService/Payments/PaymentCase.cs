using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>Everything the rules see of an order: the payment, if any, and the payment's attempts.</summary>
public sealed record PaymentCase(Guid OrderId, Payment? Payment, IReadOnlyList<PaymentAttempt> Attempts)
{
    public static PaymentCase Empty(Guid orderId) => new(orderId, null, []);

    /// <summary>The unfinished attempt, if any.</summary>
    public PaymentAttempt? Open => Attempts.FirstOrDefault(attempt => attempt.FinishedAt is null);

    /// <summary>The attempt that finished last, if any.</summary>
    public PaymentAttempt? Latest =>
        Attempts.Where(attempt => attempt.FinishedAt is not null).MaxBy(attempt => attempt.FinishedAt);

    public PaymentAttempt? Attempt(string operation, int number) =>
        Attempts.FirstOrDefault(attempt => attempt.Operation == operation && attempt.Number == number);

    /// <summary>Number of the next attempt at an operation; above the regular numbers once earlier attempts were lost.</summary>
    public int NextNumber(string operation) => 1 + Math.Max(
        Attempts.Any(attempt => attempt.IsRecovery) ? PaymentAttempt.LastRegularNumber : 0,
        Attempts.Where(attempt => attempt.Operation == operation).Select(attempt => attempt.Number).DefaultIfEmpty().Max());

    public PaymentCase With(Payment payment) => this with { Payment = payment };

    /// <summary>Adds the attempt, or replaces the previous version.</summary>
    public PaymentCase With(PaymentAttempt changed) => this with
    {
        Attempts =
        [
            .. Attempts.Where(attempt => (attempt.Operation, attempt.Number) != (changed.Operation, changed.Number)),
            changed,
        ],
    };
}

/// <summary>Decision of a rule about an order.</summary>
/// <param name="Case">The new state; the very same object when nothing changes.</param>
/// <param name="Answer">Reply to the coordinator; null for none yet.</param>
/// <param name="Step">Step of the reply, when no command names it.</param>
/// <param name="Next">Gateway task to start once the decision is committed.</param>
/// <param name="BalanceMinor">New balance of the customer in the payment's currency, when it changes.</param>
public sealed record PaymentDecision(
    PaymentCase Case, StepAnswered? Answer = null, string? Step = null, GatewayTask? Next = null,
    long? BalanceMinor = null);
