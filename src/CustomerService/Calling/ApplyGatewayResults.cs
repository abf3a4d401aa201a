using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Calling;

/// <summary>A gateway's result for an attempt, brought by a reply, a look-up or a webhook.</summary>
/// <param name="Provider">Source of the result; only attempts of the same provider are affected.</param>
/// <param name="OrderId">Order of the attempt.</param>
/// <param name="Operation">Operation of <see cref="GatewayOperations"/>.</param>
/// <param name="Number">Number of the attempt at the operation.</param>
/// <param name="Result">The gateway's result.</param>
public sealed record AttemptResult(string Provider, Guid OrderId, string Operation, int Number, GatewayResult Result);

/// <summary>
/// Applies the results of many attempts in one transaction, replies to the coordinator, and passes on the next
/// requests. The replies carry the step's name, because no command is at hand.
/// </summary>
public sealed partial class ApplyGatewayResults(
    PaymentStore store, IReadOnlyDictionary<string, IPaymentProvider> providers, GatewayLimits limits,
    IReadOnlyList<PaymentRoute> routes, Func<IReadOnlySet<string>> down, NotifyOrders orders, ILogger log,
    Action<PaymentCase, GatewayTask> next)
{
    /// <summary>Returns true for each result with an existing attempt, settled or not.</summary>
    public async Task<IReadOnlyList<bool>> HandleAsync(IReadOnlyList<AttemptResult> batch, Work work)
    {
        if (batch.Count == 0) return [];
        var at = new At(work.Now, limits);
        var payments = await store.LockAsync(work, [.. batch.Select(result => result.OrderId)], []);
        await store.LoadJournaledAsync(
            work, payments,
            [.. batch.Where(result => result.Result is GatewayResult.Listed).Select(result => result.OrderId).Distinct()]);
        var known = new bool[batch.Count];
        var changed = new Dictionary<Guid, PaymentCase>();
        for (var i = 0; i < batch.Count; i++)
        {
            var result = batch[i];
            var before = payments.Case(result.OrderId);
            var attempt = before.Attempt(result.Operation, result.Number);
            known[i] = attempt is not null && attempt.Provider == result.Provider;
            if (!known[i]) continue;
            var decision = AttemptRules.Settle(
                before, result.Operation, result.Number, payments.Checked(result.OrderId, result.Result),
                CapabilitiesFor(attempt!), at,
                routes.Count == 0 ? null
                    : attempt!.IsRecovery ? RoutingRules.AskNext(routes, before)
                    : RoutingRules.Instead(routes, before, attempt, result.Result, down()));
            payments.Apply(decision);
            if (decision.Case.Payment is { Attention: { } why } payment && why != before.Payment!.Attention)
                LogAttention(result.Provider, payment.OrderId, why);
            if (IsUnreported(before, decision, result)) changed[result.OrderId] = decision.Case;
            if (decision.Answer is { } answer) work.Send(result.OrderId, answer, decision.Step);
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.Case, task));
        }
        store.Save(work, payments);
        orders.Notify(work, changed.Values);
        return known;
    }

    // A list is read whole and without the lag of a search.
    ProviderCapabilities CapabilitiesFor(PaymentAttempt attempt) =>
        providers[attempt.Provider!] is var provider && attempt.IsRecovery && provider.Charges is not null
            ? provider.Capabilities with { LookUpByKey = true, LookUpLag = TimeSpan.Zero }
            : provider.Capabilities;

    // No reply to the coordinator reports the new amounts: the attempt is outside the order process, or its result came after
    // the process had ended.
    static bool IsUnreported(PaymentCase before, PaymentDecision decision, AttemptResult result)
    {
        var (old, current) = (before.Payment!.Totals, decision.Case.Payment!.Totals);
        return decision.Case.Attempt(result.Operation, result.Number)?.RequestedBy is not null
            ? old != current
            : decision is { Answer: null, Case.Payment.UndoStep: null } && old with { Version = current.Version } != current;
    }

    [LoggerMessage(3106, LogLevel.Warning, "{Provider}: payment {OrderId} needs attention: {Why}")]
    partial void LogAttention(string provider, Guid orderId, string why);
}
