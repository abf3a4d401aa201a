using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Commands;

/// <summary>Reason for a decline or for the latest failure.</summary>
public sealed record PaymentReason(string Code, string? Message);

/// <summary>
/// An attempt at a gateway. <paramref name="Operation"/>: authorize, capture, void or refund.
/// <paramref name="Evidence"/>: results of look-ups while in doubt. <paramref name="ResolvedBy"/>: the operator whose
/// resolution ended the doubt. <paramref name="RequestedBy"/> and <paramref name="ApprovedBy"/>: the people behind the attempt;
/// null for the process itself. <paramref name="InDoubt"/>: the outcome is unknown, because look-ups are inconclusive or because
/// the gateway has not answered for a second.
/// </summary>
public sealed record PaymentAttemptResponse(
    [OneOf(typeof(GatewayOperations))] string Operation, int Number, string Key, string? Provider,
    [OneOf(typeof(AttemptStates))] string State, long Amount, string? Reference,
    PaymentReason? Reason, int Sent, int LookUps, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt,
    DateTimeOffset? DueAt, string? RequestedBy, string? ApprovedBy, string? ResolvedBy, IReadOnlyList<LookUp> Evidence,
    bool InDoubt);

/// <summary>
/// A capture, refund or void, finished or not. <paramref name="State"/>: <c>settled</c>, <c>pending</c>, <c>unknown</c>
/// (in doubt) or <c>failed</c>. <paramref name="Reason"/>: the operator's reason, or <c>shipped</c>, <c>closed</c>.
/// </summary>
public sealed record PaymentMovementResponse(
    long Amount, [OneOf("settled", "pending", "unknown", "failed")] string State, DateTimeOffset At, string? Reference = null,
    string? Reason = null);

/// <summary>
/// A payment in the HTTP API; amounts in minor units. <c>status</c> appears on the order, <c>state</c> is the current
/// activity, <c>attention</c> a sentence for the person who has to check. A tombstone has no customer, provider or
/// currency. The token is not exposed.
/// </summary>
public sealed record PaymentResponse(
    Guid Id, Guid OrderId, string? CustomerId, string? Provider, string? Route, string? Currency, long Amount,
    [OneOf(typeof(PaymentStates))] string State, [OneOf(typeof(PaymentStatuses))] string Status, long Authorized,
    long Captured, long Refunded, bool Voided, PaymentReason? Reason, string? Action,
    string? Reference, DateTimeOffset? CaptureBefore, string? Attention, IReadOnlyList<PaymentAttemptResponse> Attempts,
    IReadOnlyList<PaymentMovementResponse> Captures, IReadOnlyList<PaymentMovementResponse> Refunds,
    IReadOnlyList<PaymentMovementResponse> Voids, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    const string Settled = "settled";

    /// <summary>Response to a change, at the time of the change.</summary>
    public static PaymentResponse Of(PaymentCase paymentCase) => Of(paymentCase, paymentCase.Payment!.UpdatedAt);

    /// <param name="paymentCase">Payment with its attempts.</param>
    /// <param name="now">Time of the reading, which decides whether an unanswered request is in doubt.</param>
    public static PaymentResponse Of(PaymentCase paymentCase, DateTimeOffset now)
    {
        var payment = paymentCase.Payment!;
        return new(
            payment.OrderId, payment.OrderId, payment.CustomerId, payment.Provider, payment.Route, payment.Currency,
            payment.AmountMinor, payment.State, payment.Totals.Status, payment.AuthorizedMinor, payment.CapturedMinor,
            payment.RefundedMinor, payment.Voided, ReasonOf(payment.Code, payment.Message), payment.ActionUrl,
            payment.GatewayReference, payment.CaptureBefore, payment.Attention ?? AttentionCodes.Sentence(payment),
            [.. paymentCase.Attempts.Select(attempt => AttemptOf(attempt, now))],
            Movements(paymentCase, GatewayOperations.Capture, payment.CapturedMinor, payment.CreatedAt),
            Movements(paymentCase, GatewayOperations.Refund, payment.RefundedMinor, payment.UpdatedAt),
            Movements(paymentCase, GatewayOperations.Void, 0, payment.UpdatedAt),
            payment.Version, payment.CreatedAt, payment.UpdatedAt);
    }

    static PaymentAttemptResponse AttemptOf(PaymentAttempt attempt, DateTimeOffset now) => new(
        attempt.Operation, attempt.Number, attempt.Key, attempt.Provider, attempt.State, attempt.AmountMinor,
        attempt.Reference, ReasonOf(attempt.Code, attempt.Message), attempt.Sends, attempt.LookUps, attempt.StartedAt,
        attempt.FinishedAt, attempt.DueAt, attempt.RequestedBy, attempt.ApprovedBy, attempt.ResolvedBy, attempt.Evidence,
        attempt.IsInDoubt(now));

    // Money captured or refunded without an attempt, by store credit or by authorizing with capture, is added as a single item.
    static List<PaymentMovementResponse> Movements(PaymentCase paymentCase, string operation, long total, DateTimeOffset at)
    {
        List<PaymentMovementResponse> movements =
        [
            .. paymentCase.Attempts.Where(attempt => attempt.Operation == operation)
                .Select(attempt => new PaymentMovementResponse(
                    attempt.AmountMinor, StateOf(attempt), attempt.FinishedAt ?? attempt.StartedAt, attempt.Reference,
                    attempt.Reason)),
        ];
        var rest = total - movements.Where(movement => movement.State == Settled).Sum(movement => movement.Amount);
        if (rest > 0)
            movements.Add(new(
                rest, Settled, at,
                operation == GatewayOperations.Capture ? paymentCase.Payment!.GatewayReference : null));
        return movements;
    }

    static string StateOf(PaymentAttempt attempt) => attempt.State switch
    {
        AttemptStates.Succeeded => Settled,
        AttemptStates.InDoubt => "unknown",
        AttemptStates.Declined or AttemptStates.Failed => "failed",
        _ => "pending",
    };

    static PaymentReason? ReasonOf(string? code, string? message) => code is null ? null : new(code, message);
}
