using System.Collections.Frozen;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Http.Operators;

namespace Orderwright.CustomerService.Commands;

/// <summary>
/// Takes all payment commands of a batch. They are one handler, so that their rows are locked once and in key
/// order. Within one order the order of arrival holds; an undo that overtook its do leaves a tombstone. An operator's word
/// that comes with a command is heard first, and the command answered by what the payment then is.
/// </summary>
public sealed class AuthorizePayments(
    PaymentStore store, IReadOnlyDictionary<string, IPaymentProvider> providers, GatewayLimits limits, Audit audit,
    Action<PaymentFile, GatewayTask> next, IReadOnlyList<PaymentRoute>? routes = null, Func<IReadOnlySet<string>>? down = null)
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
        var heard = new List<AuditEntry>();
        foreach (var message in batch)
        {
            var said = ResolutionOf(message.Body);
            if (said is not null) Hear(said, message, book, heard, work);
            var decision = Decide(message, book, work.Now);
            if (said is not null) decision = decision with { File = Marked(decision.File, said) };
            book.Apply(decision);
            if (decision.Answer is { } answer) work.Answer(message, answer);
            if (message.Body is TakeShipped take && decision.File.Payment is { } paid && ShippedRules.IsDone(paid, take))
                work.Answer(message, new PaymentMoved(paid.Position, paid.Version));
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.File, task));
        }
        store.Save(work, book);
        await audit.AppendAsync(heard, work);
    }

    // Its own answer is not sent: the command's says the same.
    void Hear(Resolution said, Message message, PaymentBook book, List<AuditEntry> heard, Work work)
    {
        var file = book.File(message.OrderId);
        var decision = ResolutionRules.Hear(file, said, work.Now, limits);
        if (ReferenceEquals(decision.File, file)) return;
        book.Apply(decision);
        if (decision.Next is { } task) work.AfterCommit(() => next(decision.File, task));
        if (ResolutionRules.IsOpenToIt(file, said.Completed))
            heard.Add(new AuditEntry(
                work.NewId(), ServiceNames.Customer, work.Now, said.By, "resolve", message.OrderId,
                $"{file.Open?.Key ?? "undo"} {(said.Completed ? "completed" : "rejected")}", said.Reason, null, null,
                message.TraceParent is { Length: 55 } parent ? parent[3..35] : null));
    }

    // Also where it changed nothing, or there was no payment yet: it must not be taken for a word on what comes later.
    static PaymentFile Marked(PaymentFile file, Resolution said) =>
        file.Payment is { } payment && said.Id.CompareTo(payment.Resolution) > 0
            ? file.With(payment with { Resolution = said.Id })
            : file;

    static Resolution? ResolutionOf(IMessageBody body) => body switch
    {
        AuthorizePayment ask => ask.Resolution,
        CapturePayment ask => ask.Resolution,
        UndoPayment ask => ask.Resolution,
        _ => null,
    };

    PaymentDecision Decide(Message message, PaymentBook book, DateTimeOffset now)
    {
        var file = book.File(message.OrderId);
        return message.Body switch
        {
            AuthorizePayment ask => PaymentRules.Authorize(
                file, ask, gateways, book.FundsOf(ask.CustomerId, ask.Currency), now, limits,
                routes is not { Count: > 0 } ? null
                    : RoutingRules.Candidates(routes, ask.Payment, ask.Currency, ask.AmountMinor, down!())),
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
