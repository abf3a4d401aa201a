using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Healing;

/// <summary>Charges of an order in the gateways' lists.</summary>
/// <param name="Charges">Charges with the provider of each.</param>
/// <param name="IsListed">False if a gateway that may have a charge offers no list.</param>
public sealed record FoundCharges(IReadOnlyList<(string Provider, ListedCharge Charge)> Charges, bool IsListed)
{
    public static readonly FoundCharges None = new([], IsListed: true);
}

/// <summary>Decision on the repair of a payment: nothing, a change, or a conflict.</summary>
public sealed record PaymentRecoveryDecision(PaymentDecision? Decision = null, string? Code = null, string? Why = null);

/// <summary>
/// Brings the payment of an order to what the gateway, or for store credit order-service, knows, after the database was restored
/// to an earlier moment. Pure. A charge known to the gateway is taken over and never repeated; money of an order that came to
/// nothing is returned. New attempts are numbered above the lost ones, so no key is used twice.
/// </summary>
static class PaymentRecovery
{
    static readonly PaymentRecoveryDecision Nothing = new();

    /// <param name="paymentCase">The locked payment, if any.</param>
    /// <param name="repair">The repair.</param>
    /// <param name="found">Charges of the order, as listed just now.</param>
    /// <param name="journaled">Amounts of the order in the journal.</param>
    /// <param name="balanceMinor">The customer's store credit in the currency of the terms.</param>
    /// <param name="at">Time and limits.</param>
    public static PaymentRecoveryDecision Decide(
        PaymentCase paymentCase, PaymentRepair repair, FoundCharges found, (long Captured, long Refunded) journaled,
        long balanceMinor, At at)
    {
        // An open attempt ends by itself, and the payment is judged again afterwards.
        if (paymentCase.Payment?.Version != repair.Version || paymentCase.Open is not null) return Nothing;
        if ((paymentCase.Payment?.Provider ?? repair.Terms.Payment.Provider) == PaymentProviders.Balance
            || repair.Terms.AmountMinor == 0)
            return new(StoreCredit(paymentCase, repair, balanceMinor, at));
        var live = found.Charges.Where(charge => charge.Charge.HasMoney).ToList();
        if (live.Count > 1)
            return new(
                null, HealConflicts.SeveralCharges,
                "The gateways hold money for the order in several charges: "
                + string.Join(", ", live.Select(charge => $"{charge.Provider} {charge.Charge.Reference}")));
        var known = live.Concat(found.Charges.OrderByDescending(charge => charge.Charge.CreatedAt)).FirstOrDefault();
        return paymentCase.Payment is null
            ? Missing(paymentCase, repair, known, found.IsListed, journaled, at)
            : Existing(paymentCase, repair, known.Charge, at);
    }

    /// <summary>
    /// Comparison of a payment with its gateway, after a result for an attempt that is not recorded. Money that comes late for an
    /// order that came to nothing is returned.
    /// </summary>
    public static PaymentRepair Comparison(Payment payment) => new(
        payment.OrderId,
        payment.State is PaymentStates.Undone or PaymentStates.Voided or PaymentStates.Declined
            ? PaymentTargets.Returned
            : PaymentTargets.Secured,
        new PaymentTerms(
            payment.CustomerId ?? "", payment.Currency ?? "",
            new PaymentMethod(payment.Route ?? payment.Provider ?? PaymentProviders.Balance, payment.Token), payment.AmountMinor),
        payment.Version, payment.Version);

    static PaymentRecoveryDecision Missing(
        PaymentCase paymentCase, PaymentRepair repair, (string Provider, ListedCharge Charge) known, bool isListed,
        (long Captured, long Refunded) journaled, At at)
    {
        var (provider, charge) = known;
        if (repair.To == PaymentTargets.Returned)
            return charge is null
                ? Nothing
                : new(RecoveryRules.LookFor(paymentCase, repair.Terms, provider, StepNames.AuthorizePayment, at)
                    with { Answer = null });
        // A charge that was released: order-service knows so, or the completion of an order without a fulfilment was the reason.
        var isReleased = charge is { HeldMinor: 0, CapturedMinor: 0 };
        if (charge is null || (isReleased && repair is { SecuredMinor: not 0, MayBeReleased: false }))
            return repair.To != PaymentTargets.Secured ? Nothing
                : isListed ? new(
                    null, HealConflicts.NoCharge, "The order stands, and no gateway lists money for it.")
                : new(
                    null, HealConflicts.NoChargeList,
                    $"The order is paid by {repair.Terms.Payment.Provider}, which offers no list of charges.");
        if (charge.Currency != repair.Terms.Currency
            || charge.HeldMinor + charge.CapturedMinor > (repair.Terms.AmountMinor ?? long.MaxValue)
            || journaled.Captured > charge.CapturedMinor || journaled.Refunded > charge.RefundedMinor)
            return Differs(charge, $"the journal has {journaled.Captured} captured and {journaled.Refunded} refunded");
        return new(new(RecoveryRules.TakeOver(
            paymentCase, repair.Terms, provider, charge, HealRequests.Actor, "Found at the gateway.", at.Now)));
    }

    static PaymentRecoveryDecision Existing(PaymentCase paymentCase, PaymentRepair repair, ListedCharge? charge, At at)
    {
        var payment = paymentCase.Payment!;
        if (payment.Provider is null) return Nothing;
        var isBehind = repair.KnownVersion > payment.Version;
        if (charge is not null
            && (charge.HeldMinor, charge.CapturedMinor, charge.RefundedMinor)
                != (payment.HeldMinor, payment.CapturedMinor, payment.RefundedMinor))
        {
            // Our record may rightly be ahead: an operator has recorded money as returned in another way.
            if (charge.CapturedMinor < payment.CapturedMinor || charge.RefundedMinor < payment.RefundedMinor
                || (payment.Voided && charge.HeldMinor > 0))
                return isBehind ? Differs(charge, $"the payment is {payment.Totals}") : Nothing;
            var recorded = paymentCase.With(RecoveryRules.Record(payment, charge) with
            {
                Version = Later(payment, repair, at), UpdatedAt = at.Now, UndoStep = null, ActionUrl = null,
            });
            recorded = recorded.With(RecoveryRules.AttemptOf(
                recorded, payment.Provider, charge, HealRequests.Actor, "Found at the gateway.", at.Now));
            return new(repair.To == PaymentTargets.Returned && charge.HasMoney ? Reverse(recorded, at) : new(recorded));
        }
        if (repair.To == PaymentTargets.Returned && (payment.HeldMinor > 0 || payment.CapturedMinor > payment.RefundedMinor))
            return new(Reverse(paymentCase, at));
        return isBehind ? new(new PaymentDecision(paymentCase.With(payment with
        {
            Version = Later(payment, repair, at), UpdatedAt = at.Now,
        }))) : Nothing;
    }

    static PaymentDecision Reverse(PaymentCase paymentCase, At at) => AttemptOutcomes.Reverse(
        paymentCase.With((paymentCase.Payment! with { UndoStep = StepNames.AuthorizePayment }).Changed(at.Now)), at);

    // Store credit moves in this database alone: what is left of the money is the word of order-service. The credit that paid for
    // the order was booked again before, if it was lost.
    static PaymentDecision? StoreCredit(PaymentCase paymentCase, PaymentRepair repair, long balanceMinor, At at)
    {
        var terms = repair.Terms;
        var isCredit = terms.Payment.Provider == PaymentProviders.Balance;
        switch (paymentCase.Payment)
        {
            case null when repair.To == PaymentTargets.Secured && terms.AmountMinor is { } amount:
                var secured = Math.Clamp(repair.SecuredMinor ?? amount, 0, amount);
                var paid = new Payment
                {
                    OrderId = paymentCase.OrderId,
                    State = secured == 0 && amount > 0 ? PaymentStates.Refunded : PaymentStates.Captured,
                    Version = Math.Max(Payment.VersionAfterLoss(at.Now), repair.KnownVersion + 1),
                    CustomerId = terms.CustomerId,
                    Channel = terms.Channel,
                    Provider = terms.Payment.Provider,
                    Token = terms.Payment.Token,
                    Currency = terms.Currency,
                    AmountMinor = amount,
                    AuthorizedMinor = amount,
                    CapturedMinor = amount,
                    RefundedMinor = amount - secured,
                    CreatedAt = at.Now,
                    UpdatedAt = at.Now,
                };
                return new(
                    paymentCase.With(paid), BalanceMinor: isCredit && secured > 0 ? checked(balanceMinor - secured) : null);

            case { CapturedMinor: var captured, RefundedMinor: var refunded } payment
                when repair.To == PaymentTargets.Returned && captured > refunded:
                return PaymentRules.Undo(paymentCase, StepNames.AuthorizePayment, balanceMinor, at) with { Answer = null };

            case { Provider: not null } payment when repair.KnownVersion > payment.Version:
                var kept = payment.CapturedMinor - payment.RefundedMinor;
                var returned = repair is { To: PaymentTargets.Secured, SecuredMinor: { } left } && left < kept ? kept - left : 0;
                var after = payment with
                {
                    RefundedMinor = payment.RefundedMinor + returned,
                    State = returned > 0 && returned == kept ? PaymentStates.Refunded : payment.State,
                    Version = Later(payment, repair, at), UpdatedAt = at.Now,
                };
                return new(
                    paymentCase.With(after), BalanceMinor: isCredit && returned > 0 ? checked(balanceMinor + returned) : null);

            default:
                return null;
        }
    }

    static long Later(Payment payment, PaymentRepair repair, At at) =>
        Math.Max(Payment.VersionAfterLoss(at.Now), Math.Max(payment.Version, repair.KnownVersion) + 1);

    static PaymentRecoveryDecision Differs(ListedCharge charge, string ours) => new(
        null, HealConflicts.ChargeDiffers,
        $"The gateway's charge {charge.Reference} has {charge.HeldMinor} held, {charge.CapturedMinor} captured and "
        + $"{charge.RefundedMinor} refunded; {ours}.");
}
