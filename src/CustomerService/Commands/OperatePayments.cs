using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Commands;

/// <summary>
/// Carries out operators' actions on payments: all waiting actions in one transaction, each on the result of
/// the previous action, with an audit entry. Requests to gateways are sent after the commit.
/// </summary>
public sealed class OperatePayments(
    PaymentStore store, IReadOnlyDictionary<string, IPaymentProvider> providers, GatewayLimits limits, NotifyOrders orders,
    Audit audit, PaymentHolds holds, Action<PaymentCase, GatewayTask> next)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<OperatorPaymentAction>> batch, Work work)
    {
        var payments = await store.LockForOperatorAsync(work, [.. batch.Select(command => command.Body.OrderId)]);
        await store.LoadJournaledAsync(
            work, payments,
            [.. batch.Where(command => command.Body.Adoption is not null).Select(command => command.Body.OrderId).Distinct()]);
        var answers = new Answer[batch.Count];
        var entries = new List<AuditEntry>();
        var changed = new Dictionary<Guid, PaymentCase>();
        var waiting = await holds.PendingOfAsync(work, batch);
        var held = new List<Approval>();
        for (var i = 0; i < batch.Count; i++)
        {
            var (action, caller) = (batch[i].Body, batch[i].Caller.Name);
            if (!MayAct(action, batch[i].Caller, payments) || Decide(action, caller, payments, work) is not { } decided)
            {
                answers[i] = Problem.NotFound("payment");
                continue;
            }
            if (decided.Decision is not { } decision)
            {
                answers[i] = Problem.Conflict(decided.Code!, decided.Why!);
                continue;
            }
            var before = payments.Case(action.OrderId);
            if (before.Payment is { } payment && holds.Refuse(payment, action, batch[i].Caller) is { } beyond)
            {
                answers[i] = beyond;
                continue;
            }
            if (before.Payment is not null && holds.HoldOf(before, batch[i], work) is { } approval)
            {
                answers[i] = waiting.Add(action.OrderId) ? holds.Respond(approval) : HoldOperations.AlreadyWaits();
                if (answers[i].Status == StatusCodes.Status202Accepted) held.Add(approval);
                continue;
            }
            payments.Apply(decision);
            // As if the gateway had answered. Should the reply be lost, the coordinator repeats the command.
            if (decision.Answer is { } answer) work.Send(action.OrderId, answer, decision.Step);
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.Case, task));
            else changed[action.OrderId] = decision.Case;
            entries.Add(new AuditEntry(
                work.NewId(), ServiceNames.Customer, work.Now, caller, action.Operation, action.OrderId,
                action.AmountMinor?.ToString(CultureInfo.InvariantCulture), action.Reason ?? "", null, null,
                batch[i].TraceId, Channel: decision.Case.Payment!.Channel));
            answers[i] = action.Adoption is { } adoption
                ? AdoptPayments.Respond(adoption, decision.Case, entries[^1].Id)
                : Answer.Json(
                    action.Operation == GatewayOperations.Refund ? StatusCodes.Status201Created : StatusCodes.Status200OK,
                    PaymentResponse.Of(decision.Case), PaymentJson.Default.PaymentResponse,
                    version: decision.Case.Payment!.Version);
        }
        store.Save(work, payments);
        orders.Notify(work, changed.Values);
        await audit.AppendAsync(work, entries);
        await holds.SaveAsync(work, held);
        return answers;
    }

    /// <summary>Carries out actions that a second person has approved.</summary>
    public Task<IReadOnlyList<Answer>> HandleApprovedAsync(IReadOnlyList<ApprovedCommand> approved, Work work) =>
        HandleAsync([.. approved.Select(PaymentHolds.Read)], work);

    // Only callers of all channels take over charges.
    static bool MayAct(OperatorPaymentAction action, Caller caller, PaymentBatch payments) =>
        caller.Channels.Contains(payments.Case(action.OrderId).Payment?.Channel);

    // Null without a payment, or with only a tombstone.
    OperatorDecision? Decide(OperatorPaymentAction action, string caller, PaymentBatch payments, Work work)
    {
        var paymentCase = payments.Case(action.OrderId);
        if (action.Adoption is not null)
            return OperatorPaymentRules.Adopt(paymentCase, action, caller, payments.JournaledOf(action.OrderId), work.Now);
        if (paymentCase.Payment is not { Provider: { } name } payment) return null;
        var at = new At(work.Now, limits);
        if (action.Operation == OperatorPaymentAction.Resolve)
            return OperatorPaymentRules.Resolve(paymentCase, action, caller, work.NewId(), at);
        // The money would reach the balance of nobody.
        if (action.Operation == GatewayOperations.Refund && name == PaymentProviders.Balance
            && payments.FundsOf(payment.CustomerId, payment.Currency) is { CustomerKnown: false } or { IsErasing: true })
            return new(null, "erased", "The customer was erased and has no store credit: pay the money back in another way.");
        var provider = providers.GetValueOrDefault(name);
        if (provider is null && name != PaymentProviders.Balance)
            return new(null, ReasonCodes.UnknownProvider, "The payment's gateway is not configured here.");
        return OperatorPaymentRules.Decide(
            paymentCase, action, caller, provider?.Capabilities,
            payments.FundsOf(payment.CustomerId, payment.Currency).AmountMinor, at);
    }
}
