using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>Effects of an operator's action on a payment, in sentences.</summary>
static class PaymentEffects
{
    const string NoMoney = "No money moves.";

    /// <summary>
    /// Record of an operation at a gateway. The open attempt decides its meaning, whichever step is resolved: while an
    /// authorization is in doubt, a record about the undo says that money was secured, not that it was returned.
    /// </summary>
    public static RepairEffect OfResolve(Repair repair, OrderFacts facts)
    {
        if (facts.Attempt is { } attempt)
            return attempt.Text("state") is AttemptStates.InDoubt or AttemptStates.Waiting
                ? OfAttempt(repair, attempt, facts)
                : Ignored(facts, $"{facts.Gateway} is being asked at this moment");
        if (facts.Payment.Body.Text("state") == PaymentStates.UndoFailed && repair.IsCompleted)
            return OutsideTheGateway(facts);
        return Ignored(facts, facts switch
        {
            { Payment.IsSuccess: true } => "customer-service knows the outcome",
            { Payment.IsNotFound: true } => "customer-service has no payment of this order",
            _ => "customer-service does not answer",
        });
    }

    /// <summary>Provider, its reference and our key; null without a payment.</summary>
    public static string? ReferenceOf(OrderFacts facts)
    {
        if (!facts.Payment.IsSuccess || facts.Payment.Body.TextOrNull("provider") is not { } provider) return null;
        var attempt = facts.Attempt ?? facts.Payment.Body.Items("attempts").Select(item => (JsonElement?)item).LastOrDefault();
        return string.Join(", ", new[]
        {
            provider,
            facts.Payment.Body.TextOrNull("reference") is { } reference ? $"reference {reference}" : null,
            attempt?.TextOrNull("key") is { } key ? $"key {key}" : null,
        }.OfType<string>());
    }

    /// <summary>State of a payment once everything is undone; null where nothing was paid.</summary>
    public static string? EndOfUndo(OrderFacts facts) => facts switch
    {
        { Payment.IsSuccess: false } => null,
        { Taken: > 0 } => PaymentStates.Refunded,
        { Held: > 0 } => PaymentStates.Voided,
        { Attempt: not null } => null,
        _ => facts.Payment.Body.TextOrNull("state"),
    };

    /// <summary>State of a payment once an order goes through.</summary>
    public static string? EndOfRun(OrderFacts facts) => facts.Taken > 0 ? PaymentStates.Captured : PaymentStates.Authorized;

    /// <summary>Money that an undo returns.</summary>
    public static string MoneyOfUndo(OrderFacts facts)
    {
        if (facts.Attempt is { } attempt && attempt.Text("state") == AttemptStates.InDoubt)
            return $"Whether {facts.Gateway} {Past(attempt)} {Amount(attempt, facts)} is in doubt: once known, the money of "
                + $"{facts.Customer} goes back if it did.";
        if (facts.Taken > 0 && facts.Payment.Body.TextOrNull("provider") == PaymentProviders.Balance)
            return $"{facts.Money(facts.Taken)} goes back to the store credit of {facts.Customer}.";
        var taken = facts.Taken > 0 ? $"{facts.Gateway} refunds {facts.Money(facts.Taken)} to {facts.Customer}." : null;
        var held = facts.Held > 0 ? $"{facts.Gateway} releases {facts.Money(facts.Held)} held for {facts.Customer}." : null;
        return taken is null && held is null
            ? facts.Attempt is null ? "No money was secured, so none goes back."
                : $"Money of {facts.Customer} that is secured meanwhile goes back."
            : $"{taken} {held}".Trim();
    }

    /// <summary>Request of a retry in a sentence, and the money the retry moves.</summary>
    public static (string Ask, string Money) OfRetry(string step, bool undo, OrderFacts facts)
    {
        const string Asked = $"Ask {ServiceNames.Customer} again";
        if (facts.Attempt is { } attempt && attempt.Text("state") == AttemptStates.InDoubt)
            return (
                $"{Asked} to look up at {facts.Gateway} whether the {Noun(attempt)} of {Amount(attempt, facts)} happened.",
                "An operation in doubt is looked up and never repeated, so the retry moves no money.");
        if (facts.Attempt is { } waiting && waiting.Text("state") == AttemptStates.Waiting && !undo)
            return ($"{Asked} whether {facts.Customer} has approved the payment.", "The retry moves no money.");
        if (!undo)
        {
            var minor = step == StepNames.CapturePayment && facts.Held > 0 ? facts.Held : facts.Total;
            var amount = minor is { } known ? facts.Money(known) : "the total";
            return step == StepNames.CapturePayment
                ? ($"{Asked} to capture {amount} from {facts.Customer}.", $"{amount} is taken, once at most.")
                : ($"{Asked} to authorize {amount} from {facts.Customer}.", $"{amount} is secured, once at most.");
        }
        return facts.Taken > 0
            ? ($"Ask {facts.Gateway} again to refund {facts.Money(facts.Taken)} to {facts.Customer}.",
                $"{facts.Money(facts.Taken)} goes back if {facts.Gateway} accepts the refund this time.")
            : facts.Held > 0
            ? ($"Ask {facts.Gateway} again to release {facts.Money(facts.Held)} held for {facts.Customer}.",
                "The hold ends; nothing was taken.")
            : ($"{Asked} to return the money of {facts.Customer}, if any.", MoneyOfUndo(facts));
    }

    static RepairEffect OutsideTheGateway(OrderFacts facts)
    {
        var isRefund = facts.Taken > 0;
        var minor = isRefund ? facts.Taken : facts.Held;
        return RepairEffect.New(
            facts,
            isRefund ? $"Record that {facts.Money(minor)} was refunded to {facts.Customer} outside the gateway."
                : $"Record that {facts.Money(minor)} held for {facts.Customer} was released outside the gateway.",
            NoMoney, minor).Undone(facts);
    }

    static RepairEffect Ignored(OrderFacts facts, string why)
    {
        var effect = RepairEffect.New(
            facts, $"The record may change nothing: {why}, and its own record of the payment counts.", NoMoney, facts.Total);
        return facts.IsUndoing ? effect.Undone(facts) : effect;
    }

    static RepairEffect OfAttempt(Repair repair, JsonElement attempt, OrderFacts facts)
    {
        var amount = Amount(attempt, facts);
        var sentence = repair.IsCompleted
            ? $"Record that {facts.Gateway} {Past(attempt)} {amount} {Preposition(attempt)} {facts.Customer}."
            : $"Record that {facts.Gateway} never {Past(attempt)} {amount} {Preposition(attempt)} {facts.Customer}.";
        var isUndoing = repair.IsUndo || facts.IsUndoing;
        var returnsMoney = attempt.Text("operation") is GatewayOperations.Void or GatewayOperations.Refund;
        RepairEffect New(string money) => RepairEffect.New(facts, sentence, money, attempt.Whole("amount"));
        if (returnsMoney)
            return New(repair.IsCompleted ? NoMoney : $"{facts.Gateway} is asked again under a new key: {amount} goes back.")
                .Undone(facts);
        return (repair.IsCompleted, isUndoing) switch
        {
            (true, true) => New($"Then {facts.Gateway} is asked to return it: {amount} goes back to {facts.Customer}.")
                .Undone(facts) with
            {
                Payment = attempt.Text("operation") == GatewayOperations.Capture
                    ? PaymentStates.Refunded : PaymentStates.Voided,
            },
            (true, false) => New(NoMoney).GoingOn(
                facts,
                attempt.Text("operation") == GatewayOperations.Capture ? PaymentStates.Captured : PaymentStates.Authorized),
            (false, true) => New($"No money moves now. A charge of {amount} that turns up later is returned.").Undone(facts),
            (false, false) when attempt.Text("operation") == GatewayOperations.Capture =>
                New($"{facts.Gateway} is asked again under a new key: {amount} is taken from {facts.Customer}.")
                    .GoingOn(facts, PaymentStates.Captured),
            _ => New($"No money moves now. A charge of {amount} that turns up later is returned.")
                .Undone(facts, OrderStatuses.Rejected) with { Payment = PaymentStates.Declined },
        };
    }

    static string Amount(JsonElement attempt, OrderFacts facts) => facts.Money(attempt.Whole("amount") ?? 0);

    static string Noun(JsonElement attempt) => attempt.Text("operation") switch
    {
        GatewayOperations.Authorize => "authorization",
        GatewayOperations.Void => "release",
        var other => other,
    };

    static string Past(JsonElement attempt) => attempt.Text("operation") switch
    {
        GatewayOperations.Authorize => "authorized",
        GatewayOperations.Capture => "took",
        GatewayOperations.Void => "released",
        _ => "refunded",
    };

    static string Preposition(JsonElement attempt) => attempt.Text("operation") switch
    {
        GatewayOperations.Authorize or GatewayOperations.Capture => "from",
        GatewayOperations.Void => "held for",
        _ => "to",
    };
}
