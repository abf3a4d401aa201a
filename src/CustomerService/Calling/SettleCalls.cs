using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Calling;

/// <summary>What a gateway said of an attempt, whoever brought it.</summary>
/// <param name="Provider">Who said it; nothing that another one settles is any of its business.</param>
/// <param name="OrderId">Of the attempt, with the next two.</param>
/// <param name="Operation">One of <see cref="GatewayOperations"/>.</param>
/// <param name="N">Which of them.</param>
/// <param name="Result">What it said.</param>
public sealed record CallReport(string Provider, Guid OrderId, string Operation, int N, GatewayResult Result);

/// <summary>
/// Takes the results of many calls in one transaction, answers the coordinator from there, and hands on what
/// is to be called next. The answers carry the step's name; no command is at hand any more.
/// </summary>
public sealed partial class SettleCalls(
    PaymentStore store, IReadOnlyDictionary<string, IPaymentProvider> providers, GatewayLimits limits,
    IReadOnlyList<PaymentRoute> routes, Func<IReadOnlySet<string>> down, TellOrders orders, ILogger log,
    Action<PaymentFile, GatewayTask> next)
{
    /// <summary>True for each report whose attempt there is, be it settled already.</summary>
    public async Task<IReadOnlyList<bool>> HandleAsync(IReadOnlyList<CallReport> batch, Work work)
    {
        if (batch.Count == 0) return [];
        var book = await store.LockAsync(work, [.. batch.Select(report => report.OrderId)], []);
        var known = new bool[batch.Count];
        var moved = new Dictionary<Guid, Payment>();
        for (var i = 0; i < batch.Count; i++)
        {
            var report = batch[i];
            var file = book.File(report.OrderId);
            var call = file.Calls.FirstOrDefault(call =>
                call.Operation == report.Operation && call.N == report.N && call.Provider == report.Provider);
            known[i] = call is not null;
            if (call is null) continue;
            var decision = CallRules.Settle(
                file, report.Operation, report.N, report.Result, providers[report.Provider].Capabilities, work.Now, limits,
                routes.Count == 0 ? null : RoutingRules.Instead(routes, file, call, report.Result, down()));
            book.Apply(decision);
            if (decision.File.Payment is { Attention: { } why } payment && why != file.Payment!.Attention)
                LogAttention(report.Provider, payment.OrderId, why);
            if (IsMovedByHand(file, decision.File, report)) moved[report.OrderId] = decision.File.Payment!;
            if (decision.Answer is { } answer) work.Send(report.OrderId, answer, decision.Step);
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.File, task));
        }
        store.Save(work, book);
        orders.Tell(work, moved.Values);
        return known;
    }

    static bool IsMovedByHand(PaymentFile before, PaymentFile after, CallReport report) =>
        before.Payment!.Position != after.Payment!.Position
        && after.Calls.Any(call =>
            call.Operation == report.Operation && call.N == report.N && call.AskedBy is not null);

    [LoggerMessage(3106, LogLevel.Warning, "{Provider}: the payment {OrderId} needs a person: {Why}")]
    partial void LogAttention(string provider, Guid orderId, string why);
}
