using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.CustomerService.Commands;

/// <summary>
/// Carries out what operators want of payments: all that wait in one transaction, each on what the one before has left,
/// audited with it. A gateway is called after the commit.
/// </summary>
public sealed class ActOnPayments(
    PaymentStore store, IReadOnlyDictionary<string, IPaymentProvider> providers, GatewayLimits limits, TellOrders orders,
    Audit audit, Action<PaymentFile, GatewayTask> next)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<HandAct>> batch, Work work)
    {
        var book = await store.LockByHandAsync(work, [.. batch.Select(command => command.Body.OrderId)]);
        var answers = new Answer[batch.Count];
        var entries = new List<AuditEntry>();
        var moved = new Dictionary<Guid, Payment>();
        for (var i = 0; i < batch.Count; i++)
        {
            var (act, caller) = (batch[i].Body, batch[i].Caller.Name);
            var file = book.File(act.OrderId);
            if (Decide(file, act, caller, book, work) is not { } decided)
            {
                answers[i] = Problem.NotFound("payment");
                continue;
            }
            if (decided.Decision is not { } decision)
            {
                answers[i] = Problem.Conflict(decided.Code!, decided.Why!);
                continue;
            }
            book.Apply(decision);
            // The process hears of it as if the gateway had said so; it asks again if this gets lost.
            if (decision.Answer is { } said) work.Send(act.OrderId, said, decision.Step);
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.File, task));
            else moved[act.OrderId] = decision.File.Payment!;
            entries.Add(new AuditEntry(
                work.NewId(), ServiceNames.Customer, work.Now, caller, act.Operation, act.OrderId,
                act.AmountMinor?.ToString(System.Globalization.CultureInfo.InvariantCulture), act.Reason ?? "", null, null,
                batch[i].TraceId));
            answers[i] = Answer.Json(
                act.Operation == GatewayOperations.Refund ? StatusCodes.Status201Created : StatusCodes.Status200OK,
                PaymentView.Of(decision.File), CustomerJson.Default.PaymentView,
                version: decision.File.Payment!.Version);
        }
        store.Save(work, book);
        orders.Tell(work, moved.Values);
        await audit.AppendAsync(entries, work);
        return answers;
    }

    // Null where there is no payment, or no more than the mark of an undo.
    HandDecision? Decide(PaymentFile file, HandAct act, string caller, PaymentBook book, Work work)
    {
        if (file.Payment is not { Provider: { } name } payment) return null;
        if (act.Operation == HandAct.Resolve)
            return HandRules.Resolve(file, act, caller, work.NewId(), work.Now, limits);
        var provider = providers.GetValueOrDefault(name);
        if (provider is null && name != Payment.Balance)
            return new(null, ReasonCodes.UnknownProvider, "The payment's gateway is not configured here.");
        return HandRules.Decide(
            file, act, caller, provider?.Capabilities, book.FundsOf(payment.CustomerId, payment.Currency).AmountMinor,
            work.Now, limits);
    }
}
