using System.Collections.Frozen;
using Orderwright.Contracts;
using Orderwright.CustomerService.Gateways;
using Orderwright.Runtime;

namespace Orderwright.CustomerService;

/// <summary>
/// Takes all payment commands of a batch. They are one handler, so that their rows are locked once and in key
/// order. Within one order the order of arrival holds; an undo that overtook its do leaves a tombstone.
/// </summary>
public sealed class SettlePayments(
    PaymentStore store, IReadOnlyDictionary<string, IPaymentProvider> providers, GatewayLimits limits,
    Action<PaymentFile, GatewayTask> next)
    : IBatchHandler
{
    readonly FrozenSet<string> gateways = providers.Keys.ToFrozenSet();

    public IReadOnlyList<Type> Takes =>
        [typeof(AuthorizePayment), typeof(CapturePayment), typeof(UndoPayment), typeof(TakeShipped)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var book = await store.LockAsync(
            work,
            [.. batch.Select(message => message.OrderId)],
            batch.Select(message => message.Body).OfType<AuthorizePayment>()
                .Select(ask => (ask.CustomerId, ask.Currency)));
        foreach (var message in batch)
        {
            var decision = Decide(message, book, work.Now);
            book.Apply(decision);
            if (decision.Answer is { } answer) work.Answer(message, answer);
            if (message.Body is TakeShipped take && decision.File.Payment is { } paid && ShippedRules.IsDone(paid, take))
                work.Answer(message, new PaymentMoved(paid.Position, paid.Version));
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.File, task));
        }
        store.Save(work, book);
    }

    PaymentDecision Decide(Message message, PaymentBook book, DateTimeOffset now)
    {
        var file = book.File(message.OrderId);
        return message.Body switch
        {
            AuthorizePayment ask => PaymentRules.Authorize(
                file, ask, gateways, book.FundsOf(ask.CustomerId, ask.Currency), now, limits),
            CapturePayment => PaymentRules.Capture(file, now, limits),
            TakeShipped take => ShippedRules.Take(
                file, take, providers.GetValueOrDefault(file.Payment?.Provider ?? "")?.Capabilities, now, limits),
            UndoPayment => PaymentRules.Undo(
                file, message.Step ?? StepNames.AuthorizePayment,
                book.FundsOf(file.Payment?.CustomerId, file.Payment?.Currency).AmountMinor, now, limits),
            var other => throw new InvalidOperationException($"{other.GetType().Name} is not for payments."),
        };
    }
}
