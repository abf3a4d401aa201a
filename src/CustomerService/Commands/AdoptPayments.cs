using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Commands;

/// <summary>
/// Takes over the charge of an order that stands and whose payment was lost: asks order-service for the order and the gateways
/// for the charge, then creates the payment with its journal entries. A preview stops before the last step.
/// </summary>
public sealed class AdoptPayments(
    IReadOnlyDictionary<string, IPaymentProvider> providers, IReadOnlyList<PaymentRoute> routes, AskOrders orders,
    CommandGroup<OperatorPaymentAction> actions, GatewayLimits limits, ServiceContext context)
{
    public async Task<Answer> RunAsync(
        Guid orderId, Command<AdoptPaymentRequest> command, bool preview, CancellationToken cancel)
    {
        var (reason, provider, reference) = command.Body;
        if (!(await orders.AskAsync([orderId], cancel)).TryGetValue(orderId, out var told))
            return Silent("order-service did not say whether the order stands. Nothing was changed.");
        if (told is not { Status: { } status, Terms: { } terms }) return Problem.NotFound("order");
        var (found, refusal) = await FindAsync(orderId, terms, provider, reference, cancel);
        if (found is not var (name, charge)) return refusal!;
        var action = new OperatorPaymentAction(
            orderId, OperatorPaymentAction.Adopt, null, reason, Adoption: new Adoption(name, charge, status, terms));
        return preview
            ? await PreviewAsync(action, command.Caller.Name, cancel)
            : await actions.SubmitAsync(command.For(action));
    }

    /// <summary>The response of an adoption, or of its preview.</summary>
    public static Answer Respond(Adoption adoption, PaymentCase after, Guid? auditId)
    {
        var payment = after.Payment!;
        return Answer.Json(
            StatusCodes.Status200OK,
            new AdoptionResponse(
                after.OrderId, OperatorPaymentAction.Adopt, auditId is null,
                new AdoptionSnapshot("missing", $"The order is {adoption.Status} and has no payment here."),
                new AdoptionSnapshot(
                    payment.State,
                    $"{adoption.Provider} has charged {Text(payment.AuthorizedMinor)} ({adoption.Charge.Reference}); captured "
                    + $"{Text(payment.CapturedMinor)}, refunded {Text(payment.RefundedMinor)}."),
                [new AdoptionMessage(MessageCatalog.TypeOf(new PaymentMoved(payment.Totals, 1)), ServiceNames.Order)],
                PaymentResponse.Of(after), auditId),
            PaymentJson.Default.AdoptionResponse);

        string Text(long amountMinor) => Money.Format(amountMinor, payment.Currency!);
    }

    async Task<((string Provider, ListedCharge Charge)? Found, Answer? Refusal)> FindAsync(
        Guid orderId, PaymentTerms terms, string? provider, string? reference, CancellationToken cancel)
    {
        List<IPaymentProvider> asked =
        [
            .. RoutingRules.MayHoldMoney(routes, terms.Payment, providers.Keys.ToHashSet())
                .Where(name => provider is null || name == provider)
                .Select(name => providers.GetValueOrDefault(name)).OfType<IPaymentProvider>(),
        ];
        if (asked.All(one => one.Charges is null))
            return (null, Problem.Conflict(
                "no_charge_list", $"The order is paid by {terms.Payment.Provider}, which offers no list of charges."));
        var charges = new List<(string Provider, ListedCharge Charge)>();
        try
        {
            using var deadline = new CancellationTokenSource(limits.GatewayDeadline, context.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
            foreach (var one in asked.Where(one => one.Charges is not null))
                foreach (var charge in await one.Charges!.OfOrderAsync(
                    orderId, context.Runner.Clock.IsCompared, either.Token))
                    if (charge.CapturedMinor > 0 || charge.HeldMinor > 0) charges.Add((one.Name, charge));
        }
        catch (Exception error) when (error is ChargeListException
            || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return (null, Silent("The gateway's list cannot be read now. Nothing was changed."));
        }
        var fitting = charges.Where(found => reference is null || found.Charge.Reference == reference).ToList();
        return fitting switch
        {
            [var only] => (only, null),
            [] => (null, Problem.Conflict("no_charge", "The gateway lists no such charge of this order.")),
            _ => (null, Problem.Conflict(
                "several_charges",
                "Name one of the charges as reference, and return the money of the others: "
                + string.Join(", ", fitting.Select(found => $"{found.Provider} {found.Charge.Reference}")))),
        };
    }

    // The same decision as the action's, on the present state.
    async Task<Answer> PreviewAsync(OperatorPaymentAction action, string caller, CancellationToken cancel)
    {
        var args = SqlArgs.OfUuids("order_id", [action.OrderId]);
        var (payment, journal) = await context.Database.ReadAsync(
            async read => (
                (await read.QueryAsync(
                    context.Sql["find_payment"], SqlArgs.With("order_id", action.OrderId).And("channels", (string?)null),
                    PaymentStore.ReadPayment, cancel))
                    .SingleOrDefault(),
                await read.QueryAsync(
                    context.Sql["journal_to_compare"], args, row => (Kind: row.Text("kind"), Amount: row.BigInt("amount")),
                    cancel)),
            cancel);
        var decided = OperatorPaymentRules.Adopt(
            new PaymentCase(action.OrderId, payment, []), action, caller, (Sum(JournalEntry.Capture), Sum(JournalEntry.Refund)),
            context.Time.Now());
        return decided.Decision is { } decision
            ? Respond(action.Adoption!, decision.Case, null)
            : Problem.Conflict(decided.Code!, decided.Why!);

        long Sum(string kind) => journal.Where(entry => entry.Kind == kind).Sum(entry => entry.Amount);
    }

    static Answer Silent(string detail) =>
        Problem.Of(StatusCodes.Status503ServiceUnavailable, "no_answer", detail) with { RetryAfter = TimeSpan.FromSeconds(5) };
}
