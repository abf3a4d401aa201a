using System.Collections.Frozen;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Commands;

/// <summary>
/// Handles all payment commands of a batch. A single handler, to lock rows once and in key order. Commands of
/// one order apply in order of arrival; an undo arriving before the step leaves a tombstone. A resolution carried by a
/// command applies first, and the reply then follows from the resulting payment.
/// </summary>
public sealed class AuthorizePayments(
    PaymentStore store, IReadOnlyDictionary<string, IPaymentProvider> providers, GatewayLimits limits, Audit audit,
    Action<PaymentCase, GatewayTask> next, IReadOnlyList<PaymentRoute>? routes = null, Func<IReadOnlySet<string>>? down = null)
    : IBatchHandler
{
    readonly FrozenSet<string> gateways = providers.Keys.ToFrozenSet();

    public IReadOnlyList<Type> Takes =>
        [typeof(AuthorizePayment), typeof(CapturePayment), typeof(UndoPayment), typeof(TakeShipped)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var at = new At(work.Now, limits);
        var payments = await store.LockAsync(
            work,
            [.. batch.Select(message => message.OrderId)],
            batch.Select(message => message.Body).OfType<AuthorizePayment>()
                .Select(command => (command.CustomerId, command.Currency)));
        var entries = new List<AuditEntry>();
        foreach (var message in batch)
        {
            var resolution = ResolutionOf(message.Body);
            if (resolution is not null) Resolve(resolution, message, payments, entries, work, at);
            var decision = Decide(message, payments, at);
            if (resolution is not null) decision = decision with { Case = Marked(decision.Case, resolution) };
            payments.Apply(decision);
            if (decision.Answer is { } answer) work.Answer(message, answer);
            if (message.Body is TakeShipped take)
                if (decision.Case.Payment is not { Provider: not null } paid)
                    work.Answer(message, new FulfilmentRefused(
                        ReasonCodes.UnknownPayment, "No payment of the order is recorded in customer-service."));
                else if (ShipmentRules.IsDone(paid, take))
                    work.Answer(message, new PaymentMoved(paid.Totals, paid.Version));
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.Case, task));
        }
        store.Save(work, payments);
        await audit.AppendAsync(work, entries);
    }

    // The resolution's own reply is not sent: the command's reply reports the same state.
    void Resolve(
        Resolution resolution, Message message, PaymentBatch payments, List<AuditEntry> entries, Work work, At at)
    {
        var before = payments.Case(message.OrderId);
        var decision = ResolutionRules.Apply(before, resolution, at);
        if (ReferenceEquals(decision.Case, before)) return;
        payments.Apply(decision);
        if (decision.Next is { } task) work.AfterCommit(() => next(decision.Case, task));
        if (ResolutionRules.Accepts(before, resolution.Completed))
            entries.Add(new AuditEntry(
                work.NewId(), ServiceNames.Customer, work.Now, resolution.By, "resolve", message.OrderId,
                $"{before.Open?.Key ?? "undo"} {(resolution.Completed ? "completed" : "rejected")}", resolution.Reason, null,
                null, message.TraceId, Channel: decision.Case.Payment?.Channel));
    }

    // Even without effect, or before the payment exists: a resolution must never apply to later events.
    static PaymentCase Marked(PaymentCase paymentCase, Resolution resolution) =>
        paymentCase.Payment is { } payment && resolution.Id.CompareTo(payment.LastResolutionId) > 0
            ? paymentCase.With(payment with { LastResolutionId = resolution.Id })
            : paymentCase;

    static Resolution? ResolutionOf(IMessageBody body) => body switch
    {
        AuthorizePayment command => command.Resolution,
        CapturePayment command => command.Resolution,
        UndoPayment command => command.Resolution,
        _ => null,
    };

    PaymentDecision Decide(Message message, PaymentBatch payments, At at)
    {
        var paymentCase = payments.Case(message.OrderId);
        return message.Body switch
        {
            AuthorizePayment command => PaymentRules.Authorize(
                paymentCase, command, gateways, payments.FundsOf(command.CustomerId, command.Currency), at,
                routes is not { Count: > 0 } ? null
                    : RoutingRules.Candidates(routes, command.Payment, command.Currency, command.AmountMinor, down!())),
            CapturePayment => PaymentRules.Capture(paymentCase, at),
            TakeShipped command => ShipmentRules.Take(
                paymentCase, command, providers.GetValueOrDefault(paymentCase.Payment?.Provider ?? "")?.Capabilities, at),
            UndoPayment command => PaymentRules.Undo(
                paymentCase, message.Step ?? StepNames.AuthorizePayment,
                payments.FundsOf(paymentCase.Payment?.CustomerId, paymentCase.Payment?.Currency).AmountMinor, at,
                command.Terms,
                command.Terms is { } terms ? RoutingRules.MayHoldMoney(routes ?? [], terms.Payment, gateways) : null),
            var other => throw new InvalidOperationException($"{other.GetType().Name} is not a payment command."),
        };
    }
}
