using Orderwright.CustomerService.Gateways;

namespace Orderwright.CustomerService;

/// <summary>Why a payment was declined, or what went wrong last.</summary>
public sealed record PaymentReason(string Code, string? Message);

/// <summary>
/// One attempt at a gateway. <paramref name="Operation"/>: authorize, capture, void or refund.
/// </summary>
public sealed record AttemptView(
    string Operation, int Number, string Key, string State, long Amount, string? Reference,
    PaymentReason? Reason, int Sent, int LookUps, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt,
    DateTimeOffset? DueAt);

/// <summary>Money that was taken, or given back.</summary>
public sealed record MovementView(long Amount, DateTimeOffset At, string? Reference);

/// <summary>
/// A payment as the API tells it; amounts in minor units. <c>status</c> is what the order shows, <c>state</c>
/// what it is doing. A tombstone has no customer, provider or currency. The token is nobody's business.
/// </summary>
public sealed record PaymentView(
    Guid Id, Guid OrderId, string? CustomerId, string? Provider, string? Currency, long Amount, string State,
    string Status, long Authorized, long Captured, long Refunded, bool Voided, PaymentReason? Reason,
    string? Action, string? Reference, IReadOnlyList<AttemptView> Attempts,
    IReadOnlyList<MovementView> Captures, IReadOnlyList<MovementView> Refunds, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static PaymentView Of(PaymentFile file)
    {
        var payment = file.Payment!;
        return new(
            payment.OrderId, payment.OrderId, payment.CustomerId, payment.Provider, payment.Currency,
            payment.AmountMinor, payment.State, payment.Position.Status, payment.AuthorizedMinor,
            payment.CapturedMinor, payment.RefundedMinor, payment.Voided,
            ReasonOf(payment.Code, payment.Message), payment.Action, payment.GatewayReference,
            [.. file.Calls.Select(Attempt)], CapturesOf(file), RefundsOf(file), payment.Version,
            payment.CreatedAt, payment.UpdatedAt);
    }

    static AttemptView Attempt(GatewayCall call) => new(
        call.Operation, call.N, call.Key, call.State, call.AmountMinor, call.Reference,
        ReasonOf(call.Code, call.Message), call.Attempts, call.Probes, call.StartedAt, call.FinishedAt, call.DueAt);

    // Store credit has no attempts: its position says it all. A gateway that captures at once shows no
    // capture of its own.
    static List<MovementView> CapturesOf(PaymentFile file) =>
        Movements(file, GatewayOperations.Capture) is { Count: > 0 } captures ? captures
        : file.Payment is { CapturedMinor: > 0 } payment
            ? [new(payment.CapturedMinor, payment.CreatedAt, payment.GatewayReference)]
            : [];

    static List<MovementView> RefundsOf(PaymentFile file) =>
        Movements(file, GatewayOperations.Refund) is { Count: > 0 } refunds ? refunds
        : file.Payment is { RefundedMinor: > 0 } payment ? [new(payment.RefundedMinor, payment.UpdatedAt, null)]
        : [];

    static List<MovementView> Movements(PaymentFile file, string operation) =>
    [
        .. file.Calls.Where(call => call.Operation == operation && call.State == CallStates.Succeeded)
            .Select(call => new MovementView(call.AmountMinor, call.FinishedAt!.Value, call.Reference)),
    ];

    static PaymentReason? ReasonOf(string? code, string? message) => code is null ? null : new(code, message);
}
