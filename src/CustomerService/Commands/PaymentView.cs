using Orderwright.CustomerService.Payments;



namespace Orderwright.CustomerService.Commands;

/// <summary>Why a payment was declined, or what went wrong last.</summary>
public sealed record PaymentReason(string Code, string? Message);

/// <summary>
/// One attempt at a gateway. <paramref name="Operation"/>: authorize, capture, void or refund. <paramref name="Evidence"/>:
/// what look-ups said while it was in doubt; <paramref name="ResolvedBy"/>: the operator whose word ended that.
/// </summary>
public sealed record AttemptView(
    string Operation, int Number, string Key, string? Provider, string State, long Amount, string? Reference,
    PaymentReason? Reason, int Sent, int LookUps, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt,
    DateTimeOffset? DueAt, string? ResolvedBy, IReadOnlyList<LookUp> Evidence);

/// <summary>
/// Money that was taken, given back or released, or is to be. <paramref name="State"/>: <c>settled</c>, <c>pending</c>,
/// <c>unknown</c> (in doubt), <c>failed</c>. <paramref name="Reason"/>: of the operator who asked for it, or <c>shipped</c>,
/// <c>closed</c>.
/// </summary>
public sealed record MovementView(
    long Amount, string State, DateTimeOffset At, string? Reference = null, string? Reason = null);

/// <summary>
/// A payment as the API tells it; amounts in minor units. <c>status</c> is what the order shows, <c>state</c>
/// what it is doing; <c>attention</c> says what a person has to look at. A tombstone has no customer, provider or
/// currency. The token is nobody's business.
/// </summary>
public sealed record PaymentView(
    Guid Id, Guid OrderId, string? CustomerId, string? Provider, string? Route, string? Currency, long Amount, string State,
    string Status, long Authorized, long Captured, long Refunded, bool Voided, PaymentReason? Reason,
    string? Action, string? Reference, DateTimeOffset? CaptureBefore, string? Attention,
    IReadOnlyList<AttemptView> Attempts, IReadOnlyList<MovementView> Captures, IReadOnlyList<MovementView> Refunds,
    IReadOnlyList<MovementView> Voids, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static PaymentView Of(PaymentFile file)
    {
        var payment = file.Payment!;
        return new(
            payment.OrderId, payment.OrderId, payment.CustomerId, payment.Provider, payment.Route, payment.Currency,
            payment.AmountMinor, payment.State, payment.Position.Status, payment.AuthorizedMinor,
            payment.CapturedMinor, payment.RefundedMinor, payment.Voided,
            ReasonOf(payment.Code, payment.Message), payment.Action, payment.GatewayReference,
            payment.CaptureBefore, payment.Attention ?? PaymentNotices.Sentence(payment), [.. file.Calls.Select(Attempt)],
            CapturesOf(file), RefundsOf(file), VoidsOf(file), payment.Version, payment.CreatedAt, payment.UpdatedAt);
    }

    static AttemptView Attempt(GatewayCall call) => new(
        call.Operation, call.N, call.Key, call.Provider, call.State, call.AmountMinor, call.Reference,
        ReasonOf(call.Code, call.Message), call.Attempts, call.Probes, call.StartedAt, call.FinishedAt, call.DueAt,
        call.ResolvedBy, call.LookUps);

    // What was taken or given back without an attempt of its own: by store credit, or by authorizing at once.
    static List<MovementView> CapturesOf(PaymentFile file) =>
        Movements(file, GatewayOperations.Capture, file.Payment!.CapturedMinor, file.Payment.CreatedAt);

    static List<MovementView> RefundsOf(PaymentFile file) =>
        Movements(file, GatewayOperations.Refund, file.Payment!.RefundedMinor, file.Payment.UpdatedAt);

    // What was released by the gateway itself has no attempt of ours, and store credit is never only held.
    static List<MovementView> VoidsOf(PaymentFile file) => Movements(file, GatewayOperations.Void, 0, file.Payment!.UpdatedAt);

    static List<MovementView> Movements(PaymentFile file, string operation, long position, DateTimeOffset at)
    {
        List<MovementView> movements =
        [
            .. file.Calls.Where(call => call.Operation == operation).Select(call => new MovementView(
                call.AmountMinor, StateOf(call), call.FinishedAt ?? call.StartedAt, call.Reference, call.Reason)),
        ];
        var rest = position - movements.Where(one => one.State == Settled).Sum(one => one.Amount);
        if (rest > 0)
            movements.Add(new(
                rest, Settled, at,
                operation == GatewayOperations.Capture ? file.Payment!.GatewayReference : null));
        return movements;
    }

    const string Settled = "settled";

    static string StateOf(GatewayCall call) => call.State switch
    {
        CallStates.Succeeded => Settled,
        CallStates.InDoubt => "unknown",
        CallStates.Declined or CallStates.Failed => "failed",
        _ => "pending",
    };

    static PaymentReason? ReasonOf(string? code, string? message) => code is null ? null : new(code, message);
}
