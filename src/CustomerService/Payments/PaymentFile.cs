using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// All that the rules see of one order: its payment, if there is one, and the attempts under it.
/// </summary>
public sealed record PaymentFile(Guid OrderId, Payment? Payment, IReadOnlyList<GatewayCall> Calls)
{
    public static PaymentFile Empty(Guid orderId) => new(orderId, null, []);

    /// <summary>The one attempt that is not finished.</summary>
    public GatewayCall? Open => Calls.FirstOrDefault(call => call.FinishedAt is null);

    public PaymentFile With(Payment payment) => this with { Payment = payment };

    /// <summary>Adds the attempt, or puts it in the place of its former self.</summary>
    public PaymentFile With(GatewayCall changed) => this with
    {
        Calls = [.. Calls.Where(call => (call.Operation, call.N) != (changed.Operation, changed.N)), changed],
    };
}

/// <summary>What a rule decides about one order.</summary>
/// <param name="File">How it stands afterwards; the very same object when nothing changes.</param>
/// <param name="Answer">Goes to the coordinator; null when there is nothing to say yet.</param>
/// <param name="Step">The step that is answered, where no command says it.</param>
/// <param name="Next">To be taken up once this is committed.</param>
/// <param name="BalanceMinor">The customer's new balance in the payment's currency, where it changes.</param>
public sealed record PaymentDecision(
    PaymentFile File, StepAnswered? Answer = null, string? Step = null, GatewayTask? Next = null,
    long? BalanceMinor = null);
