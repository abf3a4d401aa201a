using System.Globalization;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>Records of both sides about an order.</summary>
/// <param name="Case">Our payment with its attempts; empty when the order has none.</param>
/// <param name="Charges">Charges listed by the gateway, including the margins of the range.</param>
/// <param name="Journaled">Amounts captured and refunded according to our journal.</param>
public sealed record ReconciliationCase(
    PaymentCase Case, IReadOnlyList<ListedCharge> Charges, (long Captured, long Refunded) Journaled);

/// <summary>Scope of a comparison.</summary>
/// <param name="Provider">Provider of the gateway.</param>
/// <param name="From">Inclusive start of the creation times to compare.</param>
/// <param name="To">Exclusive end of the creation times to compare.</param>
/// <param name="ListedAt">Time of the first request for the list.</param>
public sealed record ReconciliationScope(string Provider, DateTimeOffset From, DateTimeOffset To, DateTimeOffset ListedAt);

/// <summary>Result of comparing an order.</summary>
/// <param name="IsInProgress">The payment is still moving and not compared yet.</param>
/// <param name="Differences">Differences found; empty when both sides agree.</param>
/// <param name="IsOutside">Neither the payment nor a charge lies within the range.</param>
public sealed record ReconciliationVerdict(
    bool IsInProgress, IReadOnlyList<Difference> Differences, bool IsOutside = false);

/// <summary>
/// Compares our record of an order with a gateway's. Pure. Regardless of the order's outcome, held, captured and refunded
/// amounts must be equal on both sides. Payments still in progress are not compared.
/// </summary>
/// <param name="scope">Scope of the comparison.</param>
/// <param name="list">Describes how to refund a charge at the gateway.</param>
public sealed class ReconciliationRules(ReconciliationScope scope, IChargeList list)
{
    /// <summary>
    /// Margin by which the list exceeds the compared range at both ends, because clocks differ and a charge is created some
    /// time after its attempt started.
    /// </summary>
    public static readonly TimeSpan Margin = TimeSpan.FromMinutes(15);

    /// <summary>Longest time between an order and its first attempt; payments of a range are found by order id.</summary>
    public static readonly TimeSpan LongestBefore = TimeSpan.FromDays(1);

    /// <summary>Minimum age of a change: a more recent change may be missing from the gateway's list.</summary>
    public static readonly TimeSpan SettlingTime = TimeSpan.FromMinutes(1);

    static readonly ReconciliationVerdict InProgress = new(true, []);
    static readonly ReconciliationVerdict Outside = new(false, [], IsOutside: true);

    /// <summary>
    /// End of a range without a given end: everything to date, also charges stamped by a gateway's clock ahead of ours, or before
    /// ours was set back.
    /// </summary>
    public static DateTimeOffset EndOf(DateTimeOffset now) => now + Margin;

    /// <param name="order">Records of both sides.</param>
    /// <param name="told">The order according to order-service; null where it was not asked or did not answer.</param>
    public ReconciliationVerdict Compare(ReconciliationCase order, OrderTold? told = null)
    {
        if (!order.Charges.Any(IsInScope) && !order.Case.Attempts.Any(StartedInScope)) return Outside;
        var payment = order.Case.Payment;
        if (payment?.Provider is null)
            return new(false, [.. order.Charges.Where(IsInScope).Select(charge => WithoutPayment(charge, told))]);
        if (IsMoving(order.Case)) return InProgress;
        var isHere = payment.Provider == scope.Provider;
        var main = isHere ? order.Charges.FirstOrDefault(charge => charge.Reference == payment.GatewayReference) : null;
        return new(
            false,
            [
                .. order.Charges.Where(charge => charge != main && charge.HasMoney && IsInScope(charge))
                    .Select(charge => Additional(payment, charge)),
                .. main is null ? isHere ? MissingCharge(order.Case) : []
                    : IsInScope(main) ? DifferingAmounts(order.Case, main) : [],
                .. isHere ? DifferingJournal(payment, order.Journaled) : [],
            ]);
    }

    bool IsInScope(ListedCharge charge) => charge.CreatedAt >= scope.From && charge.CreatedAt < scope.To;

    // The charge is created shortly after its attempt started.
    bool StartedInScope(PaymentAttempt attempt) =>
        attempt.Operation == GatewayOperations.Authorize && attempt.StartedAt >= scope.From && attempt.StartedAt < scope.To;

    bool IsMoving(PaymentCase paymentCase) =>
        paymentCase.Open is not null
        || paymentCase.Payment is
        {
            State: PaymentStates.Authorizing or PaymentStates.ActionRequired or PaymentStates.Capturing
                or PaymentStates.Voiding or PaymentStates.Refunding
        }
        || paymentCase.Payment!.UpdatedAt >= scope.ListedAt - SettlingTime;

    Difference WithoutPayment(ListedCharge charge, OrderTold? told) => new(
        DifferenceKinds.MissingHere, charge.OrderId!.Value, charge.Reference, charge.Currency, default, Theirs(charge),
        $"The gateway has a charge ({charge.State}, {Format(charge)}), but the order has no payment here; order-service "
        + (told is null ? "did not say whether the order stands."
            : told.Status is { } status ? $"has the order: {status}." : "does not know the order."),
        RepairWithoutPayment(charge, told));

    // The money of an order that stands is never returned: its goods are sold.
    string RepairWithoutPayment(ListedCharge charge, OrderTold? told) => told switch
    {
        { Status: OrderStatuses.Confirmed or OrderStatuses.Completed } =>
            "The customer has paid, and our record of the payment is lost. Take the charge over, and do not return the money: "
            + TakeOver(charge),
        { Status: OrderStatuses.Pending or OrderStatuses.CancelPending } =>
            "None yet: the order is undecided, and its process settles the payment. Compare again once the order is decided.",
        null =>
            $"Ask order-service first (GET /api/v1/orders/{charge.OrderId}), or compare again. If the order stands: "
            + TakeOver(charge),
        _ when !charge.HasMoney => "None: the charge holds no money.",
        { Status: null } =>
            "Find out whether order-service's database was restored from an old backup, or another system knows the order. If "
            + $"neither, return the money at the gateway: {Return(charge)}",
        { Status: var ended } => $"The order is {ended}, so return the money at the gateway: {Return(charge)}",
    };

    string TakeOver(ListedCharge charge) =>
        $"POST /api/v1/payments/{charge.OrderId}/adopt {{\"provider\":\"{scope.Provider}\",\"reference\":\"{charge.Reference}\","
        + $"\"reason\":\"…\"}}, or ./orderwright adopt {charge.OrderId} --reason '…'";

    Difference Additional(Payment payment, ListedCharge charge) => new(
        DifferenceKinds.MissingHere, payment.OrderId, charge.Reference, charge.Currency, default, Theirs(charge),
        $"The gateway has a charge ({charge.State}, {Format(charge)}) in addition to the payment's own "
        + $"({payment.GatewayReference ?? "none"}); the payment is {payment.State}.",
        $"Return the money at the gateway: {Return(charge)}");

    IEnumerable<Difference> MissingCharge(PaymentCase paymentCase)
    {
        var payment = paymentCase.Payment!;
        // The list must contain the charge only if its attempt started within the range.
        if (payment.GatewayReference is not { } reference
            || !paymentCase.Attempts.Any(attempt => attempt.Reference == reference && StartedInScope(attempt)))
            yield break;
        var ours = Ours(payment);
        yield return new(
            DifferenceKinds.MissingThere, payment.OrderId, reference, payment.Currency!, ours, default,
            $"The payment is {payment.State} ({Format(ours)}), but the gateway does not list its charge.",
            "Ask the gateway's support about the charge. If the charge does not exist, nothing was paid: "
            + $"POST /api/v1/orders/{payment.OrderId}/cancel {{\"reason\":\"other\"}}, and if the refund then fails, "
            + $"POST /api/v1/payments/{payment.OrderId}/resolve");
    }

    IEnumerable<Difference> DifferingAmounts(PaymentCase paymentCase, ListedCharge charge)
    {
        var payment = paymentCase.Payment!;
        var (ours, theirs) = (Ours(payment), Theirs(charge));
        if (OperatorResolution(paymentCase, ours, theirs) is { } resolution && charge.Currency == payment.Currency)
            yield return Of(
                DifferenceKinds.ByHand,
                resolution.Operation == GatewayOperations.Refund
                    ? $"Refunded: {Money(ours.Refunded, payment)} here, {Money(theirs.Refunded, payment)} at the gateway. "
                      + $"{resolution.ResolvedBy} recorded a refund of {Money(resolution.AmountMinor, payment)}: "
                      + resolution.Reason
                    : $"Held: nothing here, {Money(theirs.Held, payment)} at the gateway. {resolution.ResolvedBy} recorded the "
                      + $"release: {resolution.Reason}",
                "Nothing, if the money was returned outside the gateway. See the audited reason: "
                + $"GET /api/v1/audit?orderId={payment.OrderId}&action=resolve");
        else if (charge.Currency != payment.Currency)
            yield return Of(
                DifferenceKinds.Amount, $"Currency: {payment.Currency} here, {charge.Currency} at the gateway.", Refund(charge));
        else if (theirs.Captured != ours.Captured)
            yield return Of(
                DifferenceKinds.Amount,
                $"Captured: {Money(ours.Captured, payment)} here, {Money(theirs.Captured, payment)} at the gateway.",
                theirs.Captured > ours.Captured
                    ? Math.Min(theirs.Captured - ours.Captured, theirs.Captured - theirs.Refunded) is var kept and > 0
                        ? Refund(charge, kept)
                        : "Nothing: the gateway has already refunded the excess."
                    : $"The missing amount was not paid. Capture it at the gateway, or cancel the order: {Cancel(payment)}");
        else if (theirs.Refunded != ours.Refunded)
            yield return Of(
                DifferenceKinds.Amount,
                $"Refunded: {Money(ours.Refunded, payment)} here, {Money(theirs.Refunded, payment)} at the gateway.",
                theirs.Refunded < ours.Refunded
                    ? Refund(charge, ours.Refunded - theirs.Refunded)
                    : "The refund was made at the gateway directly. If the order is off, cancel it here as well, and resolve a "
                      + $"refund refused by the gateway as completed: {Cancel(payment)}");
        else if (theirs.Held != ours.Held)
            yield return Of(
                DifferenceKinds.State,
                $"Held: {Money(ours.Held, payment)} here ({payment.State}), {Money(theirs.Held, payment)} at the gateway "
                + $"({charge.State}).",
                theirs.Held > ours.Held
                    ? $"Release the money at the gateway: {list.CallToReturn(charge, 0)}"
                    : "The gateway has released the money, which can no longer be captured. Cancel the order, or arrange another "
                      + $"payment: {Cancel(payment)}");

        Difference Of(string kind, string message, string repair) =>
            new(kind, payment.OrderId, charge.Reference, payment.Currency!, ours, theirs, message, repair);
    }

    // The last resolution by an operator, if resolutions alone explain the difference.
    static PaymentAttempt? OperatorResolution(PaymentCase paymentCase, ChargeTotals ours, ChargeTotals theirs)
    {
        var resolved = paymentCase.Attempts.Where(attempt => attempt is
        {
            State: AttemptStates.Succeeded, ResolvedBy: not null,
            Operation: GatewayOperations.Refund or GatewayOperations.Void
        }).ToList();
        var refunded = resolved.Where(attempt => attempt.Operation == GatewayOperations.Refund)
            .Sum(attempt => attempt.AmountMinor);
        var held = resolved.Any(attempt => attempt.Operation == GatewayOperations.Void)
            ? paymentCase.Payment!.AuthorizedMinor - paymentCase.Payment.CapturedMinor
            : ours.Held;
        var without = ours with { Refunded = ours.Refunded - refunded, Held = held };
        return resolved.Count > 0 && theirs != ours && theirs == without ? resolved[^1] : null;
    }

    static IEnumerable<Difference> DifferingJournal(Payment payment, (long Captured, long Refunded) journaled)
    {
        if (journaled == (payment.CapturedMinor, payment.RefundedMinor)) yield break;
        var journal = new ChargeTotals(0, journaled.Captured, journaled.Refunded);
        yield return new(
            DifferenceKinds.Journal, payment.OrderId, payment.GatewayReference, payment.Currency!, Ours(payment), journal,
            $"Payment: {Format(Ours(payment))}. Our journal: {Format(journal)}.",
            "The payment was probably changed in the database, since the journal cannot be. Check which record agrees with the "
            + "gateway, and search for further damage: ./orderwright verify");
    }

    string Refund(ListedCharge charge, long? amount = null) =>
        $"Refund the money at the gateway: {list.CallToReturn(charge, amount ?? charge.CapturedMinor - charge.RefundedMinor)}";

    // Refunds captured money first, then releases held money.
    string Return(ListedCharge charge)
    {
        var captured = charge.CapturedMinor - charge.RefundedMinor;
        return captured > 0 && charge.HeldMinor > 0
            ? $"{list.CallToReturn(charge, captured)} and {list.CallToReturn(charge, 0)}"
            : list.CallToReturn(charge, captured);
    }

    static string Cancel(Payment payment) => $"POST /api/v1/orders/{payment.OrderId}/cancel {{\"reason\":\"other\"}}";

    static ChargeTotals Ours(Payment payment) => new(
        payment.State is PaymentStates.Authorized or PaymentStates.UndoFailed ? payment.HeldMinor : 0,
        payment.CapturedMinor, payment.RefundedMinor);

    static ChargeTotals Theirs(ListedCharge charge) =>
        new(charge.HeldMinor, charge.CapturedMinor, charge.RefundedMinor);

    static string Format(ListedCharge charge) => $"{Format(Theirs(charge))} {charge.Currency}";

    static string Format(ChargeTotals totals) =>
        string.Create(
            CultureInfo.InvariantCulture, $"held {totals.Held}, captured {totals.Captured}, refunded {totals.Refunded}");

    static string Money(long amount, Payment payment) =>
        string.Create(CultureInfo.InvariantCulture, $"{amount} {payment.Currency}");
}
