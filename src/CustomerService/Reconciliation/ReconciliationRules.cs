using System.Globalization;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>All that both sides say about one order.</summary>
/// <param name="File">Our payment with its attempts; empty where there is none.</param>
/// <param name="Charges">What the gateway lists for it, margins of the range included.</param>
/// <param name="Journaled">What our journal says was captured and refunded.</param>
public sealed record ReconciliationCase(
    PaymentFile File, IReadOnlyList<ListedCharge> Charges, (long Captured, long Refunded) Journaled);

/// <summary>What is compared.</summary>
/// <param name="Provider">Whose list it is.</param>
/// <param name="From">Charges that were made from here on …</param>
/// <param name="To">… and before this are judged.</param>
/// <param name="ListedAt">When the list was begun.</param>
public sealed record ReconciliationScope(string Provider, DateTimeOffset From, DateTimeOffset To, DateTimeOffset ListedAt);

/// <param name="IsUnderWay">It moves: there is nothing to say yet.</param>
/// <param name="Differences">None where both sides agree.</param>
/// <param name="IsOutside">Nothing of it happened within the range.</param>
public sealed record ReconciliationVerdict(
    bool IsUnderWay, IReadOnlyList<Difference> Differences, bool IsOutside = false);

/// <summary>
/// Compares our record of an order with a gateway's. Pure. Whatever an order has come to, what was taken, given back and
/// held for it has to be the same on both sides; what is still on its way is not judged.
/// </summary>
/// <param name="scope">What is compared.</param>
/// <param name="list">Says how a charge is given back at this gateway.</param>
public sealed class ReconciliationRules(ReconciliationScope scope, IChargeList list)
{
    /// <summary>
    /// The list reaches so much further than what is judged on both sides: clocks differ, and a charge is made some time
    /// after its attempt was begun.
    /// </summary>
    public static readonly TimeSpan Margin = TimeSpan.FromMinutes(15);

    /// <summary>An attempt is begun within this of its order, which is how payments of a range are found.</summary>
    public static readonly TimeSpan LongestBefore = TimeSpan.FromDays(1);

    /// <summary>What moved so shortly before the list was begun may be on one side only.</summary>
    public static readonly TimeSpan Unrest = TimeSpan.FromMinutes(1);

    static readonly ReconciliationVerdict Moving = new(true, []);
    static readonly ReconciliationVerdict Outside = new(false, [], IsOutside: true);

    public ReconciliationVerdict Compare(ReconciliationCase one)
    {
        if (!one.Charges.Any(IsJudged) && !one.File.Calls.Any(BeganWithin)) return Outside;
        var payment = one.File.Payment;
        if (payment?.Provider is null) return new(false, [.. one.Charges.Where(IsJudged).Select(Unknown)]);
        if (IsMoving(one.File)) return Moving;
        var isOurs = payment.Provider == scope.Provider;
        var main = isOurs ? one.Charges.FirstOrDefault(charge => charge.Reference == payment.GatewayReference) : null;
        return new(
            false,
            [
                .. one.Charges.Where(charge => charge != main && charge.HasMoney && IsJudged(charge))
                    .Select(charge => Second(payment, charge)),
                .. main is null ? isOurs ? Missing(one.File) : [] : IsJudged(main) ? Differing(one.File, main) : [],
                .. isOurs ? Untold(payment, one.Journaled) : [],
            ]);
    }

    bool IsJudged(ListedCharge charge) => charge.CreatedAt >= scope.From && charge.CreatedAt < scope.To;

    // The charge of an attempt is made a little after it.
    bool BeganWithin(GatewayCall call) =>
        call.Operation == GatewayOperations.Authorize && call.StartedAt >= scope.From && call.StartedAt < scope.To;

    bool IsMoving(PaymentFile file) =>
        file.Open is not null
        || file.Payment is
        {
            State: PaymentStates.Authorizing or PaymentStates.ActionRequired or PaymentStates.Capturing
                or PaymentStates.Voiding or PaymentStates.Refunding
        }
        || file.Payment!.UpdatedAt >= scope.ListedAt - Unrest;

    Difference Unknown(ListedCharge charge) => new(
        DifferenceKinds.MissingHere, charge.OrderId!.Value, charge.Reference, charge.Currency, default, Theirs(charge),
        $"The gateway has a charge ({charge.State}, {Told(charge)}), and there is no payment of this order here.",
        charge.HasMoney
            ? $"Give it back at the gateway, unless the order is known elsewhere: {Return(charge)}"
            : "No money is with it. A payment that is gone here was lost with our database: see what else its backup lacks, "
              + $"GET /api/v1/orders/{charge.OrderId}");

    Difference Second(Payment payment, ListedCharge charge) => new(
        DifferenceKinds.MissingHere, payment.OrderId, charge.Reference, charge.Currency, default, Theirs(charge),
        $"The gateway has a charge ({charge.State}, {Told(charge)}) beside the payment's own "
        + $"({payment.GatewayReference ?? "none"}); the payment is {payment.State}.",
        $"Give it back at the gateway: {Return(charge)}");

    IEnumerable<Difference> Missing(PaymentFile file)
    {
        var payment = file.Payment!;
        // Only for a charge that must have been made within what was listed.
        if (payment.GatewayReference is not { } reference
            || !file.Calls.Any(call => call.Reference == reference && BeganWithin(call)))
            yield break;
        var ours = Ours(payment);
        yield return new(
            DifferenceKinds.MissingThere, payment.OrderId, reference, payment.Currency!, ours, default,
            $"The payment is {payment.State} ({Told(ours)}) by a charge that the gateway does not list.",
            "Ask the gateway what became of it. If it never was, nothing was paid: "
            + $"POST /api/v1/orders/{payment.OrderId}/cancel {{\"reason\":\"other\"}}, and where its refund then fails, "
            + $"POST /api/v1/payments/{payment.OrderId}/resolve");
    }

    IEnumerable<Difference> Differing(PaymentFile file, ListedCharge charge)
    {
        var payment = file.Payment!;
        var (ours, theirs) = (Ours(payment), Theirs(charge));
        if (ByHand(file, ours, theirs) is { } said && charge.Currency == payment.Currency)
            yield return Of(
                DifferenceKinds.ByHand,
                said.Operation == GatewayOperations.Refund
                    ? $"Refunded are {Money(ours.Refunded, payment)} here and {Money(theirs.Refunded, payment)} there, as "
                      + $"{said.ResolvedBy} has said that {Money(said.AmountMinor, payment)} went back: {said.Reason}"
                    : $"Held are {Money(theirs.Held, payment)} there and nothing here, as {said.ResolvedBy} has said that it was "
                      + $"let go: {said.Reason}",
                "Nothing, if it went back by a way that the gateway does not see. Who said so, and why: "
                + $"GET /api/v1/audit?orderId={payment.OrderId}&action=resolve");
        else if (charge.Currency != payment.Currency)
            yield return Of(
                DifferenceKinds.Amount, $"It is in {payment.Currency} here and in {charge.Currency} there.", Give(charge));
        else if (theirs.Captured != ours.Captured)
            yield return Of(
                DifferenceKinds.Amount,
                $"Captured are {Money(ours.Captured, payment)} here and {Money(theirs.Captured, payment)} there.",
                theirs.Captured > ours.Captured
                    ? Math.Min(theirs.Captured - ours.Captured, theirs.Captured - theirs.Refunded) is var kept and > 0
                        ? Give(charge, kept)
                        : "What was taken too much was given back there already: no money is missing."
                    : $"What is missing was not paid. Take it there, or undo the order: {Cancel(payment)}");
        else if (theirs.Refunded != ours.Refunded)
            yield return Of(
                DifferenceKinds.Amount,
                $"Refunded are {Money(ours.Refunded, payment)} here and {Money(theirs.Refunded, payment)} there.",
                theirs.Refunded < ours.Refunded
                    ? Give(charge, ours.Refunded - theirs.Refunded)
                    : "Somebody gave it back at the gateway itself. If the order is off, undo it here as well; what the "
                      + $"gateway then refuses is resolved as completed: {Cancel(payment)}");
        else if (theirs.Held != ours.Held)
            yield return Of(
                DifferenceKinds.State,
                $"Held are {Money(ours.Held, payment)} here ({payment.State}) and {Money(theirs.Held, payment)} there "
                + $"({charge.State}).",
                theirs.Held > ours.Held
                    ? $"Let go of it at the gateway: {list.CallToReturn(charge, 0)}"
                    : "The gateway has let go of it, and it can be taken no more. Undo the order, or have it paid anew: "
                      + Cancel(payment));

        Difference Of(string kind, string message, string repair) =>
            new(kind, payment.OrderId, charge.Reference, payment.Currency!, ours, theirs, message, repair);
    }

    // What a person has said is all that differs: the last word of these, and what it was about.
    static GatewayCall? ByHand(PaymentFile file, MoneyPosition ours, MoneyPosition theirs)
    {
        var said = file.Calls.Where(call => call is
        {
            State: CallStates.Succeeded, ResolvedBy: not null,
            Operation: GatewayOperations.Refund or GatewayOperations.Void
        }).ToList();
        var back = said.Where(call => call.Operation == GatewayOperations.Refund).Sum(call => call.AmountMinor);
        var held = said.Any(call => call.Operation == GatewayOperations.Void)
            ? file.Payment!.AuthorizedMinor - file.Payment.CapturedMinor : ours.Held;
        var without = ours with { Refunded = ours.Refunded - back, Held = held };
        return said.Count > 0 && theirs != ours && theirs == without ? said[^1] : null;
    }

    static IEnumerable<Difference> Untold(Payment payment, (long Captured, long Refunded) journaled)
    {
        if (journaled == (payment.CapturedMinor, payment.RefundedMinor)) yield break;
        var journal = new MoneyPosition(0, journaled.Captured, journaled.Refunded);
        yield return new(
            DifferenceKinds.Journal, payment.OrderId, payment.GatewayReference, payment.Currency!, Ours(payment), journal,
            $"The payment says {Told(Ours(payment))}, our journal {Told(journal)}.",
            "Somebody has changed one of them in the database. The journal takes no change: see which agrees with the gateway, "
            + "and what else differs: ./orderwright verify");
    }

    string Give(ListedCharge charge, long? amount = null) =>
        $"Give it back at the gateway: {list.CallToReturn(charge, amount ?? charge.CapturedMinor - charge.RefundedMinor)}";

    // What it took, and then what it holds besides.
    string Return(ListedCharge charge)
    {
        var taken = charge.CapturedMinor - charge.RefundedMinor;
        return taken > 0 && charge.HeldMinor > 0
            ? $"{list.CallToReturn(charge, taken)} and {list.CallToReturn(charge, 0)}"
            : list.CallToReturn(charge, taken);
    }

    static string Cancel(Payment payment) => $"POST /api/v1/orders/{payment.OrderId}/cancel {{\"reason\":\"other\"}}";

    static MoneyPosition Ours(Payment payment) => new(
        payment.State is PaymentStates.Authorized or PaymentStates.UndoFailed ? payment.HeldMinor : 0,
        payment.CapturedMinor, payment.RefundedMinor);

    static MoneyPosition Theirs(ListedCharge charge) =>
        new(charge.HeldMinor, charge.CapturedMinor, charge.RefundedMinor);

    static string Told(ListedCharge charge) => $"{Told(Theirs(charge))} {charge.Currency}";

    static string Told(MoneyPosition money) =>
        string.Create(CultureInfo.InvariantCulture, $"held {money.Held}, captured {money.Captured}, refunded {money.Refunded}");

    static string Money(long amount, Payment payment) =>
        string.Create(CultureInfo.InvariantCulture, $"{amount} {payment.Currency}");
}
