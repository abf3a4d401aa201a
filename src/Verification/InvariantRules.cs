using Orderwright.Contracts;

namespace Orderwright.Verification;

/// <summary>
/// The invariants of DESIGN.md section 6 over what the four databases say about one order. Pure. Written a second
/// time on purpose: nothing here is shared with the rules of the services that it checks.
/// </summary>
public static class InvariantRules
{
    /// <summary>Longest that an order may stay open with nobody named to wait for (I7).</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>How far past its time to live a hold may still stand: the expiry sweep has to come round.</summary>
    public static readonly TimeSpan HoldGrace = TimeSpan.FromSeconds(60);

    static readonly Dictionary<string, string[]> Graph = new()
    {
        [OrderStatuses.Pending] =
            [OrderStatuses.Confirmed, OrderStatuses.Rejected, OrderStatuses.CancelPending, OrderStatuses.Expired],
        [OrderStatuses.Confirmed] = [OrderStatuses.Completed, OrderStatuses.CancelPending],
        [OrderStatuses.CancelPending] = [OrderStatuses.Cancelled],
        [OrderStatuses.Completed] = [],
        [OrderStatuses.Rejected] = [],
        [OrderStatuses.Cancelled] = [],
        [OrderStatuses.Expired] = [],
    };

    public static IEnumerable<Finding> Check(OrderFile file, DateTimeOffset now) =>
        Exists(file)
            .Concat(PaidExactly(file))
            .Concat(JournalTells(file))
            .Concat(GatewayAgrees(file))
            .Concat(StockFollows(file))
            .Concat(ShippedIsOrdered(file, now))
            .Concat(StatusesFollowTheGraph(file))
            .Concat(HoldsAreOpenAndYoung(file, now))
            .Concat(NobodyIsOverdue(file, now))
            .Concat(OneEventPerChange(file));

    /// <summary>I1: acknowledged means there; and whoever knows an order agrees with order-service that it exists.</summary>
    public static IEnumerable<Finding> Exists(OrderFile file)
    {
        if (file.Order is not { } order)
        {
            if (file.Acknowledged) yield return Of("I1", file, "was acknowledged with 2xx, but is not there");
            if (file.Saga is not null) yield return Of("I1", file, "has a saga, but no order");
            if (file.Payment is not null) yield return Of("I1", file, "has a payment, but no order");
            if (file.Reservation is not null) yield return Of("I1", file, "has a reservation, but no order");
            yield break;
        }
        var ends = SagaStatesOf(order.Status);
        if (ends.Length == 0) yield break;
        if (file.Saga is not { } saga)
            yield return Of("I1", file, $"is {order.Status}, but no saga ever ran for it");
        else if (!ends.Contains(saga.State))
            yield return Of("I1", file, $"is {order.Status}, but its saga is {saga.State}");
    }

    /// <summary>I2: what is taken and held is exactly what the order's end entitles to.</summary>
    public static IEnumerable<Finding> PaidExactly(OrderFile file)
    {
        if (file.Payment is { } any)
        {
            if (any.Captured > any.Authorized)
                yield return Of("I2", file, $"captured {any.Captured} of an authorized {any.Authorized}");
            if (any.Refunded > any.Captured)
                yield return Of("I2", file, $"refunded {any.Refunded} of a captured {any.Captured}");
        }
        if (file.Order is not { } order) yield break;
        if (IsGood(order.Status))
        {
            if (order.Total is not { } total)
            {
                yield return Of("I2", file, $"is {order.Status}, but has no total");
                yield break;
            }
            if (StoredLines.Total(order.Lines, order.AdjustmentsMinor) is var computed && computed != total)
                yield return Of("I2", file, $"has a total of {total}, but its lines and adjustments give {computed}");
            if (file.Payment is not { } payment)
            {
                if (total > 0) yield return Of("I2", file, $"is {order.Status}, but there is no payment");
            }
            else if (payment.Currency != order.Currency)
                yield return Of("I2", file, $"is in {order.Currency}, but was paid in {payment.Currency}");
            else if (order.IsTakenOnFulfilment && payment.Captured != total)
            {
                if (TakenWithWhatWasShipped(order, payment) is { } wrong) yield return Of("I2", file, wrong);
            }
            else if (payment.Captured != total && !(payment.Captured == 0 && payment.Held == total))
                yield return Of("I2", file, $"costs {total}, but captured is {payment.Captured} and held {payment.Held}");
        }
        else if (IsOff(order.Status) && file.Payment is { } left)
        {
            if (left.Captured != left.Refunded)
                yield return Of("I2", file,
                    $"is {order.Status}, but of {left.Captured} captured only {left.Refunded} were refunded");
            if (left.Held != 0) yield return Of("I2", file, $"is {order.Status}, but {left.Held} are still held");
        }
    }

    // A gateway that captures once, and an operator, take the whole: then it is as with any other order.
    static string? TakenWithWhatWasShipped(OrderRow order, PaymentRow payment)
    {
        var (total, due) = (order.Total!.Value, order.ShippedValue);
        var taken = payment.Captured == due || (payment.Captured < due && order.HasOpenWork);
        // Of an order that is completed nothing is held any more, once it is closed.
        var held = payment.Held == total - payment.Captured
            || (payment.Held == 0 && (order.Status == OrderStatuses.Completed || order.HasOpenWork));
        return !taken ? $"shipped what is worth {due}, but captured is {payment.Captured}"
            : !held ? $"costs {total}, of which captured is {payment.Captured} and held {payment.Held}"
            : order.Status == OrderStatuses.Completed && payment.Held > 0 && !order.HasOpenWork
                ? $"is completed, but {payment.Held} are still held"
            : null;
    }

    /// <summary>I3: the journal tells of each payment all that it took and gave back, on the accounts of who paid it.</summary>
    public static IEnumerable<Finding> JournalTells(OrderFile file)
    {
        if (file.Payment is not { } payment)
        {
            if (file.Movements.Count > 0)
                yield return Of("I3", file, $"has {file.Movements.Count} movements in the journal, but no payment");
            yield break;
        }
        var captured = file.Movements.Where(one => one.Kind == "capture").Sum(one => one.Amount);
        var refunded = file.Movements.Where(one => one.Kind == "refund").Sum(one => one.Amount);
        if ((captured, refunded) != (payment.Captured, payment.Refunded))
            yield return Of("I3", file,
                $"captured {payment.Captured} and refunded {payment.Refunded}; by the journal it is {captured} and {refunded}");
        var payer = payment.Provider == "balance" ? $"customer:{payment.CustomerId}" : $"gateway:{payment.Provider}";
        foreach (var one in file.Movements)
            if ((one.Debit, one.Credit) != (one.Kind == "capture" ? (payer, "orders") : ("orders", payer))
                || one.Currency != payment.Currency)
                yield return Of("I3", file,
                    $"has a {one.Kind} of {one.Amount} {one.Currency} in the journal from {one.Debit} to {one.Credit}; " +
                    $"it was paid in {payment.Currency} by {payer}");
    }

    /// <summary>I2 and I3: the gateway's own list agrees with ours, one charge to one payment.</summary>
    public static IEnumerable<Finding> GatewayAgrees(OrderFile file)
    {
        var charges = file.Charges.Where(charge => charge.Authorized > 0).ToList();
        if (charges.Count(charge => !charge.Voided || charge.Captured > 0) > 1)
            yield return Of("I2", file, $"was charged {charges.Count} times: {Join(charges.Select(c => c.Reference))}");
        // An incident is the honest state of a payment that could not be settled with the gateway: a person has it.
        if (file.Saga?.State == "failed") yield break;
        if (file.Payment is not { } payment)
        {
            if (charges.Count > 0) yield return Of("I3", file, "the gateway has a charge, but there is no payment");
            yield break;
        }
        // A tombstone names no provider.
        if (payment.Provider is { } provider && !file.ListedProviders.Contains(provider)) yield break;
        // While it is being asked, or is in doubt, the gateway may know more than we do; that this ends is I7.
        if (payment.State is "authorizing" or "capturing" or "voiding" or "refunding") yield break;
        var captured = charges.Sum(charge => charge.Captured);
        var refunded = charges.Sum(charge => charge.Refunded);
        var held = charges.Sum(charge => charge.Voided ? 0 : Math.Max(0, charge.Authorized - charge.Captured));
        var (theirs, ours) = ((captured, refunded, held), (payment.Captured, payment.Refunded, payment.Held));
        // A person's word, which the audit has: the money went back at the gateway, or by another way that it never saw.
        var withoutIt = payment.Voided
            ? (payment.Captured, payment.Refunded, payment.GivenBackByHand)
            : (payment.Captured, payment.Refunded - payment.GivenBackByHand, payment.Held);
        if (theirs != ours && theirs != withoutIt)
            yield return Of("I3", file,
                $"we have captured {payment.Captured}, refunded {payment.Refunded}, held {payment.Held}; " +
                $"the gateway {captured}, {refunded}, {held}");
    }

    /// <summary>I4: goods are allocated to the orders that are good, for exactly their lines, and to no others.</summary>
    public static IEnumerable<Finding> StockFollows(OrderFile file)
    {
        if (file.Order is not { } order) yield break;
        var committed = file.Reservation is { State: "committed" };
        if (IsGood(order.Status) && !committed)
            yield return Of("I4", file,
                $"is {order.Status}, but its reservation is {file.Reservation?.State ?? "missing"}");
        if (IsOff(order.Status) && committed)
            yield return Of("I4", file, $"is {order.Status}, but its goods are still allocated");
        if (order.Status == OrderStatuses.Pending && committed && file.Saga is null)
            yield return Of("I4", file, "has goods allocated, but no saga that asked for them");
        if (committed && !StoredLines.SameQuantities(order.Lines, file.Reservation!.Lines))
            yield return Of("I4", file, "has other quantities allocated than its lines ask for");
    }

    /// <summary>
    /// I4: what left the house was ordered, no more of it than that, and stock-service has taken it off as it was told.
    /// </summary>
    public static IEnumerable<Finding> ShippedIsOrdered(OrderFile file, DateTimeOffset now)
    {
        if (file.Order is not { } order) yield break;
        // Number 0 is the rest, released when the order was closed.
        List<ShippedRow> gone = [.. (file.Reservation?.Shipments ?? []).Where(one => one.Number > 0)];
        if (file.Reservation?.Shipments.Count > gone.Count && order.Status != OrderStatuses.Completed)
            yield return Of("I4", file, $"is {order.Status}, but what was not shipped of it was released");
        foreach (var shipment in gone)
            if (order.Fulfilments.FirstOrDefault(one => one.Number == shipment.Number) is not { } told)
                yield return Of("I4", file, $"was never said to be shipped, but its goods left ({shipment.Number})");
            else if (!StoredLines.SameQuantities(told.Lines, shipment.Lines))
                yield return Of("I4", file, $"had other goods leave than its fulfilment {told.Number} says");
        if (now - file.TouchedAt > Patience
            && order.Fulfilments.FirstOrDefault(told => gone.All(one => one.Number != told.Number)) is { } missing)
            yield return Of("I7", file, $"was shipped ({missing.Number}), and the stock has not heard of it");

        var ordered = StoredLines.QuantitiesByLine([order.Lines]);
        var shipped = StoredLines.QuantitiesByLine(order.Fulfilments.Select(one => one.Lines));
        foreach (var (line, quantity) in shipped)
            if (quantity > ordered.GetValueOrDefault(line))
                yield return Of("I4", file, $"shipped {quantity} of the {ordered.GetValueOrDefault(line)} of line {line}");
        var all = ordered.All(line => shipped.GetValueOrDefault(line.Key) >= line.Value);
        var status = shipped.Count == 0 ? FulfilmentStatuses.Unfulfilled
            : all ? FulfilmentStatuses.Fulfilled
            : FulfilmentStatuses.PartiallyFulfilled;
        if (order.FulfilmentStatus != status)
            yield return Of("I5", file, $"is {order.FulfilmentStatus}; by its fulfilments it is {status}");
        if (shipped.Count > 0 && !IsGood(order.Status))
            yield return Of("I5", file, $"is {order.Status}, but goods of it were shipped");
        var value = order.Fulfilments.Sum(one => one.Value);
        if (value > order.Total || (shipped.Count > 0 && all && value != order.Total))
            yield return Of("I2", file, $"costs {order.Total}, but its fulfilments are worth {value}");
    }

    /// <summary>I5: the events are versions 1 to the order's, each status a legal successor of the one before.</summary>
    public static IEnumerable<Finding> StatusesFollowTheGraph(OrderFile file)
    {
        if (file.Order is not { } order) yield break;
        if (!Graph.ContainsKey(order.Status))
            yield return Of("I5", file, $"has the status {order.Status}, which is not of the graph");
        for (var i = 0; i < file.Events.Count; i++)
        {
            var at = file.Events[i];
            if (at.Version != i + 1)
            {
                yield return Of("I5", file, $"has version {at.Version} where {i + 1} should follow");
                yield break;
            }
            if (i == 0 && at.Status != OrderStatuses.Pending)
                yield return Of("I5", file, $"began as {at.Status}");
            if (i > 0 && file.Events[i - 1].Status is var before && before != at.Status
                && !(Graph.GetValueOrDefault(before) ?? []).Contains(at.Status))
                yield return Of("I5", file, $"went from {before} to {at.Status} at version {at.Version}");
        }
    }

    /// <summary>I6: a hold is of an order that is still open, and is no older than its time to live plus grace.</summary>
    public static IEnumerable<Finding> HoldsAreOpenAndYoung(OrderFile file, DateTimeOffset now)
    {
        if (file.Reservation is not { } reservation) yield break;
        var held = reservation.State == "held";
        if (held != reservation.HasHold)
            yield return Of("I6", file, held
                ? "has a hold that the expiry sweep does not know"
                : $"is {reservation.State}, but the expiry sweep still has its hold");
        if (!held) yield break;
        if (file.Order is { } order && (IsGood(order.Status) || IsOff(order.Status)))
            yield return Of("I6", file, $"is {order.Status}, but its goods are still held");
        if (now - reservation.ExpiresAt > HoldGrace)
            yield return Of("I6", file, $"holds goods since {reservation.ExpiresAt:u}, when the hold ended");
    }

    /// <summary>I7: whoever is not settled waits for a named party, is an open incident, or moved a moment ago.</summary>
    public static IEnumerable<Finding> NobodyIsOverdue(OrderFile file, DateTimeOffset now)
    {
        if (now - file.TouchedAt <= Patience) yield break;
        var openOrder = file.Order?.Status is OrderStatuses.Pending or OrderStatuses.CancelPending;
        var openSaga = file.Saga is { State: "running" or "compensating" or "waiting" };
        if (!openOrder && !openSaga) yield break;
        if (file.Saga is { State: "failed" } or { State: "waiting", WaitingFor: not null }) yield break;
        yield return Of("I7", file,
            $"is {file.Order?.Status ?? "missing"} with its saga {file.Saga?.State ?? "missing"}" +
            $"{(file.Saga?.Step is { } step ? $" at {step}" : "")}, and nothing moved since {file.TouchedAt:u}");
    }

    /// <summary>I9: the events tell of every status, the last of them of the one that the order has.</summary>
    public static IEnumerable<Finding> OneEventPerChange(OrderFile file)
    {
        if (file.Order is not { } order)
        {
            if (file.Events.Count > 0) yield return Of("I9", file, $"has {file.Events.Count} events, but no order");
            yield break;
        }
        if (file.Events.Count == 0)
            yield return Of("I9", file, $"is {order.Status} at version {order.Version}, but has no event");
        else if (file.Events.GroupBy(at => at.Version).FirstOrDefault(versions => versions.Count() > 1) is { } twice)
            yield return Of("I9", file, $"has {twice.Count()} events of version {twice.Key}");
        else if (file.Events[^1] is var last && (last.Version != order.Version || last.Status != order.Status))
            yield return Of("I9", file,
                $"is {order.Status} at version {order.Version}; its last event says {last.Status} at {last.Version}");
    }

    /// <summary>Confirmed or beyond: paid for and allocated.</summary>
    public static bool IsGood(string status) => status is OrderStatuses.Confirmed or OrderStatuses.Completed;

    /// <summary>Ended without goods or money.</summary>
    public static bool IsOff(string status) =>
        status is OrderStatuses.Rejected or OrderStatuses.Cancelled or OrderStatuses.Expired;

    // A confirmed order's saga may still be asking for the capture, or wait for a person to see it through.
    static string[] SagaStatesOf(string status) =>
        IsGood(status) ? ["completed", "running", "waiting", "failed"]
        : IsOff(status) ? ["compensated"]
        : [];

    static Finding Of(string invariant, OrderFile file, string what) => new(invariant, file.OrderId.ToString(), what);

    static string Join(IEnumerable<string> parts) => string.Join(", ", parts);
}
