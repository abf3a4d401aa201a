using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Commands;

/// <summary>Settings of refunds.</summary>
public sealed class RefundSettings
{
    /// <summary>
    /// Highest amount by currency, in minor units, that callers with <c>payments:refund</c> and without <c>payments:write</c>
    /// may refund of a payment in total, such as <c>GBP:5000,EUR:6000,*:5000</c>; <c>*</c> stands for all other currencies.
    /// Default: none, so that such callers refund nothing.
    /// </summary>
    public string RefundLimit { get; set; } = "";
}

/// <summary>Action on a payment that waits for a second person, as stored.</summary>
sealed record HeldPaymentAction(
    Guid OrderId, string Operation, long? AmountMinor, string? Reason, bool Completed, string? Reference);

/// <summary>
/// Actions on payments that a caller may not carry out alone: refunds beyond the caller's limit are refused, and refunds and
/// resolutions above the amount of the settings wait for a second person. A refund counts with all that was refunded of the
/// payment before, so that parts are no way around.
/// </summary>
/// <param name="limit">Limit of callers without <see cref="Scopes.PaymentsWrite"/>.</param>
/// <param name="holds">Operations that wait.</param>
public sealed class PaymentHolds(AmountLimits limit, HoldOperations holds)
{
    /// <summary>Orders of the batch with a pending approval.</summary>
    public Task<HashSet<Guid>> PendingOfAsync(Work work, IReadOnlyList<Command<OperatorPaymentAction>> batch) =>
        holds.PendingOfAsync(
            work,
            [.. batch.Where(command => command.Body.ApprovedBy is null && OperationOf(command.Body) is not null)
                .Select(command => command.Body.OrderId)]);

    public Task SaveAsync(Work work, IReadOnlyList<Approval> held) => holds.SaveAsync(work, held);

    public Answer Respond(Approval approval) => holds.Respond(approval);

    /// <summary>Refuses a refund beyond the caller's limit with a 403; null for any other action.</summary>
    /// <param name="payment">The payment before the action.</param>
    /// <param name="action">A possible action.</param>
    /// <param name="caller">Caller of the action.</param>
    public Answer? Refuse(Payment payment, OperatorPaymentAction action, Caller caller)
    {
        if (action is not { Operation: GatewayOperations.Refund, ApprovedBy: null } || caller.May(Scopes.PaymentsWrite))
            return null;
        var most = limit.Of(payment.Currency!) ?? 0;
        return RefundedWith(payment, action) <= most
            ? null
            : Problem.Of(
                StatusCodes.Status403Forbidden, ProblemCodes.RefundNotAllowed,
                $"The caller may refund at most {Money.Format(most, payment.Currency!)} of a payment.");
    }

    /// <summary>Returns the approval that an action has to wait for; null for an action that needs none.</summary>
    /// <param name="before">The payment before the action.</param>
    /// <param name="request">A possible action.</param>
    /// <param name="work">Work of the batch.</param>
    public Approval? HoldOf(PaymentCase before, Command<OperatorPaymentAction> request, Work work)
    {
        var (payment, action) = (before.Payment!, request.Body);
        if (action.ApprovedBy is not null || OperationOf(action) is not { } operation) return null;
        var isRefund = operation == ApprovedOperations.Refund;
        var amount = isRefund ? action.AmountMinor ?? payment.CapturedMinor - payment.RefundedMinor
            : before.Open?.AmountMinor ?? payment.AmountMinor;
        if (!holds.Needs(payment.Currency!, isRefund ? RefundedWith(payment, action) : amount)) return null;
        var money = Money.Format(amount, payment.Currency!);
        return holds.Hold(
            work, request, operation, (action.OrderId, payment.CustomerId, payment.Channel), (amount, payment.Currency!),
            isRefund ? $"Refund {money} to {payment.CustomerId}."
                : $"Record that the {before.Open?.Operation ?? "payment"} of {money} of {payment.CustomerId} "
                    + $"{(action.Completed ? "happened" : "did not happen")}. No money moves.",
            action.Reason,
            JsonSerializer.Serialize(
                new(
                    action.OrderId, action.Operation, isRefund ? amount : null, action.Reason, action.Completed,
                    action.Reference),
                HeldPaymentJson.Default.HeldPaymentAction));
    }

    /// <summary>The request of an approved action, in the name of the requesting person.</summary>
    public static Command<OperatorPaymentAction> Read(ApprovedCommand approved)
    {
        var held = JsonSerializer.Deserialize(approved.Approval.Command, HeldPaymentJson.Default.HeldPaymentAction)!;
        return approved.As(new OperatorPaymentAction(
            held.OrderId, held.Operation, held.AmountMinor, held.Reason, held.Completed, held.Reference,
            ApprovedBy: approved.Approval.DecidedBy));
    }

    static string? OperationOf(OperatorPaymentAction action) => action.Operation switch
    {
        GatewayOperations.Refund => ApprovedOperations.Refund,
        OperatorPaymentAction.Resolve => ApprovedOperations.ResolvePayment,
        _ => null,
    };

    static long RefundedWith(Payment payment, OperatorPaymentAction action) =>
        action.AmountMinor is { } amount ? payment.RefundedMinor + amount : payment.CapturedMinor;
}

[JsonSerializable(typeof(HeldPaymentAction))]
sealed partial class HeldPaymentJson : JsonSerializerContext;
