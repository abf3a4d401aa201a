using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.Verification;

/// <summary>
/// The invariants of a single order (ARCHITECTURE.md, Invariants) over the rows of all four databases. Pure. Written
/// independently of the services on purpose: no code is shared with the rules under verification.
/// </summary>
public static class InvariantRules
{
    /// <summary>Longest time for an order to stay open without a named party to wait for (I7).</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

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

    public static IEnumerable<Finding> Check(OrderCase orderCase, DateTimeOffset now) =>
        Exists(orderCase)
            .Concat(PaidExactly(orderCase))
            .Concat(OrderRules.PaymentStatusFollows(orderCase, now))
            .Concat(OrderRules.DiscountWasAllowed(orderCase))
            .Concat(JournalTells(orderCase))
            .Concat(GatewayAgrees(orderCase))
            .Concat(StockFollows(orderCase))
            .Concat(OrderRules.CompletedGoodsHaveEnded(orderCase, now))
            .Concat(ShippedIsOrdered(orderCase, now))
            .Concat(StatusesFollowTheGraph(orderCase))
            .Concat(HoldsBelongToOpenOrders(orderCase))
            .Concat(NobodyIsOverdue(orderCase, now))
            .Concat(OneEventPerChange(orderCase))
            .Concat(AgreementRules.SagaAgrees(orderCase))
            .Concat(AgreementRules.PaymentStateTells(orderCase))
            .Concat(AgreementRules.ErasedIsGone(orderCase, now))
            .Concat(OrderRules.ImportedWhole(orderCase));

    /// <summary>
    /// I1: an acknowledged order exists, and every service that knows an order agrees with order-service that it exists.
    /// </summary>
    public static IEnumerable<Finding> Exists(OrderCase orderCase)
    {
        if (orderCase.Order is not { } order)
        {
            var lost = Repairs.Restore(ServiceNames.Order);
            if (orderCase.Acknowledged)
                yield return Of("I1", orderCase, "was acknowledged with 2xx under an Idempotency-Key, but does not exist", lost);
            if (orderCase.Saga is not null) yield return Of("I1", orderCase, "has a saga, but no order", lost);
            if (orderCase.Payment is { } paid)
                yield return Of(
                    "I1", orderCase, "has a payment, but no order",
                    paid.Captured > paid.Refunded ? $"{lost} Otherwise return the money: {Repairs.Refund(paid)}" : lost);
            if (orderCase.Reservation is not null) yield return Of("I1", orderCase, "has a reservation, but no order", lost);
            yield break;
        }
        var ends = SagaStatesOf(order.Status);
        if (ends.Length == 0) yield break;
        if (orderCase.Saga is not { } saga)
            yield return Of(
                "I1", orderCase, $"is {order.Status}, but no saga ever ran for it",
                IsGood(order.Status)
                    ? $"{Repairs.Restore(ServiceNames.Coordinator)} The order can still be cancelled, which undoes every step: "
                        + Repairs.Cancel(order.Id)
                    : Repairs.Restore(ServiceNames.Coordinator));
        else if (!ends.Contains(saga.State))
            yield return Of(
                "I1", orderCase, $"is {order.Status}, but its saga is {saga.State}",
                IsGood(order.Status) ? Repairs.Cancel(order.Id) : Repairs.Why(order.Id));
    }

    /// <summary>I2: the amounts captured and held match the order's status exactly.</summary>
    public static IEnumerable<Finding> PaidExactly(OrderCase orderCase)
    {
        if (orderCase.Payment is { } amounts)
        {
            if (amounts.Captured > amounts.Authorized)
                yield return Of(
                    "I2", orderCase, $"captured {amounts.Captured} of an authorized {amounts.Authorized}", Repairs.Reconcile);
            if (amounts.Refunded > amounts.Captured)
                yield return Of(
                    "I2", orderCase, $"refunded {amounts.Refunded} of a captured {amounts.Captured}", Repairs.Reconcile);
        }
        if (orderCase.Order is not { } order) yield break;
        if (IsGood(order.Status))
        {
            if (order.Total is not { } total)
            {
                yield return Of("I2", orderCase, $"is {order.Status}, but has no total", Repairs.Restore(ServiceNames.Order));
                yield break;
            }
            if (StoredLines.Total(order.Lines, order.AdjustmentsMinor) is var computed && computed != total)
                yield return Of(
                    "I2", orderCase, $"has a total of {total}, but its lines and adjustments give {computed}",
                    Repairs.Restore(ServiceNames.Order));
            if (orderCase.Payment is not { } payment)
            {
                if (total > 0)
                    yield return Of("I2", orderCase, $"is {order.Status}, but there is no payment", Repairs.Adopt(order.Id));
            }
            else if (payment.Currency != order.Currency)
                yield return Of(
                    "I2", orderCase, $"is in {order.Currency}, but was paid in {payment.Currency}", Repairs.Cancel(order.Id));
            else if (order.IsTakenOnFulfilment && payment.Captured != total)
            {
                if (CapturedAsShipped(order, payment) is { } wrong)
                    yield return Of("I2", orderCase, wrong, Repairs.Payment(order.Id));
            }
            else if (payment.Captured != total && !(payment.Captured == 0 && payment.Held == total))
                yield return Of(
                    "I2", orderCase, $"costs {total}, but captured is {payment.Captured} and held {payment.Held}",
                    Repairs.Payment(order.Id));
        }
        else if (IsOff(order.Status) && orderCase.Payment is { } left)
        {
            if (left.Captured != left.Refunded)
                yield return Of("I2", orderCase,
                    $"is {order.Status}, but of {left.Captured} captured only {left.Refunded} were refunded",
                    Repairs.Refund(left));
            if (left.Held != 0)
                yield return Of(
                    "I2", orderCase, $"is {order.Status}, but {left.Held} are still held", Repairs.Release(order.Id));
        }
    }

    // A gateway that captures only once, or an operator, captures the whole amount, as without partial shipments.
    static string? CapturedAsShipped(OrderRow order, PaymentRow payment)
    {
        var (total, due) = (order.Total!.Value, order.ShippedValue);
        var taken = payment.Captured == due || (payment.Captured < due && order.HasOpenWork);
        // A completed order holds no money once it is closed.
        var held = payment.Held == total - payment.Captured
            || (payment.Held == 0 && (order.Status == OrderStatuses.Completed || order.HasOpenWork));
        return !taken ? $"shipped goods worth {due}, but captured is {payment.Captured}"
            : !held ? $"costs {total}, of which captured is {payment.Captured} and held {payment.Held}"
            : order.Status == OrderStatuses.Completed && payment.Held > 0 && !order.HasOpenWork
                ? $"is completed, but {payment.Held} are still held"
            : null;
    }

    /// <summary>I3: the journal records every capture and refund of a payment, on the accounts of the payer.</summary>
    public static IEnumerable<Finding> JournalTells(OrderCase orderCase)
    {
        if (orderCase.Payment is not { } payment)
        {
            if (orderCase.JournalEntries.Count > 0)
                yield return Of(
                    "I3", orderCase, $"has {orderCase.JournalEntries.Count} journal entries, but no payment",
                    Repairs.Adopt(orderCase.OrderId));
            yield break;
        }
        var captured = orderCase.JournalEntries.Where(entry => entry.Kind == "capture").Sum(entry => entry.Amount);
        var refunded = orderCase.JournalEntries.Where(entry => entry.Kind == "refund").Sum(entry => entry.Amount);
        if ((captured, refunded) != (payment.Captured, payment.Refunded))
            yield return Of("I3", orderCase,
                $"captured {payment.Captured} and refunded {payment.Refunded}; the journal has {captured} and {refunded}",
                Repairs.Journal);
        var payer = payment.Provider == "balance" ? $"customer:{payment.CustomerId}" : $"gateway:{payment.Provider}";
        foreach (var entry in orderCase.JournalEntries)
            if ((entry.Debit, entry.Credit) != (entry.Kind == "capture" ? (payer, "orders") : ("orders", payer))
                || entry.Currency != payment.Currency)
                yield return Of("I3", orderCase,
                    $"has a {entry.Kind} of {entry.Amount} {entry.Currency} in the journal from {entry.Debit} " +
                    $"to {entry.Credit}; it was paid in {payment.Currency} by {payer}", Repairs.Journal);
    }

    /// <summary>I2 and I3: the gateway's own list agrees with our payments, one charge to one payment.</summary>
    public static IEnumerable<Finding> GatewayAgrees(OrderCase orderCase)
    {
        var charges = orderCase.Charges.Where(charge => charge.Authorized > 0).ToList();
        if (charges.Count(charge => !charge.Voided || charge.Captured > 0) > 1)
            yield return Of(
                "I2", orderCase, $"was charged {charges.Count} times: {Join(charges.Select(c => c.Reference))}",
                Repairs.Reconcile);
        // An unsettled payment is rightly an incident, owned by an operator.
        if (orderCase.Saga?.State == "failed") yield break;
        if (orderCase.Payment is not { } payment)
        {
            if (charges.Count > 0)
                yield return Of(
                    "I3", orderCase, "the gateway has a charge, but there is no payment",
                    orderCase.Order is { } stands && IsGood(stands.Status) ? Repairs.Adopt(stands.Id) : Repairs.Reconcile);
            yield break;
        }
        // Tombstones name no provider.
        if (payment.Provider is { } provider && !orderCase.ListedProviders.Contains(provider)) yield break;
        // While a request is pending or in doubt the gateway may be ahead of our record; I7 limits for how long.
        if (payment.State is "authorizing" or "capturing" or "voiding" or "refunding") yield break;
        var captured = charges.Sum(charge => charge.Captured);
        var refunded = charges.Sum(charge => charge.Refunded);
        var held = charges.Sum(charge => charge.Voided ? 0 : Math.Max(0, charge.Authorized - charge.Captured));
        var (theirs, ours) = ((captured, refunded, held), (payment.Captured, payment.Refunded, payment.Held));
        // An operator's statement, kept in the audit: money was returned at the gateway, or in a way invisible to the
        // gateway.
        var withoutReturned = payment.Voided
            ? (payment.Captured, payment.Refunded, payment.ReturnedByOperator)
            : (payment.Captured, payment.Refunded - payment.ReturnedByOperator, payment.Held);
        if (theirs != ours && theirs != withoutReturned)
            yield return Of("I3", orderCase,
                $"we have captured {payment.Captured}, refunded {payment.Refunded}, held {payment.Held}; " +
                $"the gateway {captured}, {refunded}, {held}", Repairs.Reconcile);
    }

    /// <summary>I4: exactly the lines of confirmed and completed orders are allocated.</summary>
    public static IEnumerable<Finding> StockFollows(OrderCase orderCase)
    {
        if (orderCase.Order is not { } order) yield break;
        var committed = orderCase.Reservation is { State: "committed" };
        // The commit of a confirmed order is on its way while the saga is open; I7 limits for how long.
        var committing = orderCase is { Reservation.State: "held", Saga.State: "running" or "waiting" or "failed" };
        if (IsGood(order.Status) && !committed && !committing)
            yield return Of("I4", orderCase,
                $"is {order.Status}, but its reservation is {orderCase.Reservation?.State ?? "missing"}",
                $"{Repairs.Restore(ServiceNames.Stock)} Otherwise cancel the order: {Repairs.Cancel(order.Id)}");
        if (IsOff(order.Status) && committed)
            yield return Of(
                "I4", orderCase, $"is {order.Status}, but its goods are still allocated", Repairs.UndoAgain(orderCase.Saga));
        if (order.Status == OrderStatuses.Pending && committed && orderCase.Saga is null)
            yield return Of("I4", orderCase, "has goods allocated, but no saga", Repairs.Cancel(order.Id));
        if (committed && !StoredLines.SameQuantities(order.Lines, orderCase.Reservation!.Lines))
            yield return Of(
                "I4", orderCase, "has other quantities allocated than its lines order", Repairs.Restore(ServiceNames.Stock));
    }

    /// <summary>
    /// I4: shipped goods were ordered, in at most that quantity, and stock-service has booked the reported shipments.
    /// </summary>
    public static IEnumerable<Finding> ShippedIsOrdered(OrderCase orderCase, DateTimeOffset now)
    {
        if (orderCase.Order is not { } order) yield break;
        // Number 0 is the remainder, released when the order was closed.
        List<ShippedRow> booked = [.. (orderCase.Reservation?.Shipments ?? []).Where(shipment => shipment.Number > 0)];
        if (orderCase.Reservation?.Shipments.Count > booked.Count && order.Status != OrderStatuses.Completed)
            yield return Of(
                "I4", orderCase, $"is {order.Status}, but the unshipped remainder was released",
                Repairs.Restore(ServiceNames.Order));
        foreach (var shipment in booked)
            if (order.Fulfilments.FirstOrDefault(fulfilment => fulfilment.Number == shipment.Number) is not { } reported)
                yield return Of(
                    "I4", orderCase, $"has shipment {shipment.Number} in stock-service, but no such fulfilment",
                    Repairs.Restore(ServiceNames.Order));
            else if (!StoredLines.SameQuantities(reported.Lines, shipment.Lines))
                yield return Of(
                    "I4", orderCase, $"has other goods in shipment {shipment.Number} than in its fulfilment",
                    Repairs.Restore(ServiceNames.Stock));
        if (now - orderCase.TouchedAt > Patience
            && order.Fulfilments.FirstOrDefault(each => booked.All(shipment => shipment.Number != each.Number)) is { } missing)
            yield return Of(
                "I7", orderCase, $"has fulfilment {missing.Number}, which stock-service has not booked",
                Repairs.BookShipment(order.Id));

        var ordered = StoredLines.QuantitiesByLine([order.Lines]);
        var shipped = StoredLines.QuantitiesByLine(order.Fulfilments.Select(fulfilment => fulfilment.Lines));
        foreach (var (line, quantity) in shipped)
            if (quantity > ordered.GetValueOrDefault(line))
                yield return Of(
                    "I4", orderCase, $"shipped {quantity} of the {ordered.GetValueOrDefault(line)} of line {line}",
                    Repairs.Restore(ServiceNames.Order));
        var all = ordered.All(line => shipped.GetValueOrDefault(line.Key) >= line.Value);
        var status = shipped.Count == 0 ? FulfilmentStatuses.Unfulfilled
            : all ? FulfilmentStatuses.Fulfilled
            : FulfilmentStatuses.PartiallyFulfilled;
        if (order.FulfilmentStatus != status)
            yield return Of(
                "I5", orderCase, $"is {order.FulfilmentStatus}; by its fulfilments it is {status}",
                Repairs.Restore(ServiceNames.Order));
        if (shipped.Count > 0 && !IsGood(order.Status))
            yield return Of(
                "I5", orderCase, $"is {order.Status}, but goods were shipped", Repairs.Restore(ServiceNames.Order));
        var value = order.Fulfilments.Sum(fulfilment => fulfilment.Value);
        if (value > order.Total || (shipped.Count > 0 && all && value != order.Total))
            yield return Of(
                "I2", orderCase, $"costs {order.Total}, but its fulfilments are worth {value}",
                Repairs.Restore(ServiceNames.Order));
    }

    /// <summary>
    /// I5: event versions run from 1 to the order's version, and each status legally succeeds the one before.
    /// </summary>
    public static IEnumerable<Finding> StatusesFollowTheGraph(OrderCase orderCase)
    {
        if (orderCase.Order is not { } order) yield break;
        var lost = Repairs.Restore(ServiceNames.Order);
        if (!Graph.ContainsKey(order.Status))
            yield return Of("I5", orderCase, $"has the status {order.Status}, which the graph does not contain", lost);
        for (var i = 0; i < orderCase.Events.Count; i++)
        {
            var at = orderCase.Events[i];
            if (at.Version != i + 1)
            {
                yield return Of("I5", orderCase, $"has version {at.Version} where {i + 1} should follow", lost);
                yield break;
            }
            if (i == 0 && at.Status != OrderStatuses.Pending)
                yield return Of("I5", orderCase, $"began as {at.Status}", lost);
            if (i > 0 && orderCase.Events[i - 1].Status is var before && before != at.Status
                && !(Graph.GetValueOrDefault(before) ?? []).Contains(at.Status))
                yield return Of("I5", orderCase, $"went from {before} to {at.Status} at version {at.Version}", lost);
        }
    }

    /// <summary>I6: a hold belongs to an order that has not ended, and stock-service asks about each hold.</summary>
    public static IEnumerable<Finding> HoldsBelongToOpenOrders(OrderCase orderCase)
    {
        if (orderCase.Reservation is not { } reservation) yield break;
        var held = reservation.State == "held";
        if (held != reservation.HasHold)
            yield return Of(
                "I6", orderCase,
                held
                    ? "has a hold that stock-service never asks about"
                    : $"is {reservation.State}, but stock-service still asks about its hold",
                Repairs.Restore(ServiceNames.Stock));
        if (held && (orderCase is { Order: { } order } && IsOff(order.Status) || orderCase.Saga is { State: "compensated" }))
            yield return Of(
                "I6", orderCase, $"is {orderCase.Order?.Status ?? "missing"}, but its goods are still held", Repairs.EndHold);
    }

    /// <summary>I7: an unsettled order waits for a named party, is an open incident, or made progress recently.</summary>
    public static IEnumerable<Finding> NobodyIsOverdue(OrderCase orderCase, DateTimeOffset now)
    {
        if (now - orderCase.TouchedAt <= Patience) yield break;
        var openOrder = orderCase.Order?.Status is OrderStatuses.Pending or OrderStatuses.CancelPending;
        var openSaga = orderCase.Saga is { State: "running" or "compensating" or "waiting" };
        if (!openOrder && !openSaga) yield break;
        if (orderCase.Saga is { State: "failed" } or { State: "waiting", WaitingFor: not null }) yield break;
        yield return Of("I7", orderCase,
            $"is {orderCase.Order?.Status ?? "missing"} with its saga {orderCase.Saga?.State ?? "missing"}" +
            $"{(orderCase.Saga?.Step is { } step ? $" at {step}" : "")}, unchanged since {orderCase.TouchedAt:u}",
            Repairs.StartServices(orderCase.OrderId));
    }

    /// <summary>I9: the events record every status, the last of them the order's current one.</summary>
    public static IEnumerable<Finding> OneEventPerChange(OrderCase orderCase)
    {
        var lost = Repairs.Restore(ServiceNames.Order);
        if (orderCase.Order is not { } order)
        {
            if (orderCase.Events.Count > 0)
                yield return Of("I9", orderCase, $"has {orderCase.Events.Count} events, but no order", lost);
            yield break;
        }
        if (orderCase.Events.Count == 0)
            yield return Of("I9", orderCase, $"is {order.Status} at version {order.Version}, but has no event", lost);
        else if (orderCase.Events.GroupBy(at => at.Version).FirstOrDefault(versions => versions.Count() > 1) is { } twice)
            yield return Of("I9", orderCase, $"has {twice.Count()} events of version {twice.Key}", lost);
        else if (orderCase.Events[^1] is var last && (last.Version != order.Version || last.Status != order.Status))
            yield return Of("I9", orderCase,
                $"is {order.Status} at version {order.Version}; its last event has {last.Status} at {last.Version}", lost);
    }

    /// <summary>True for a confirmed or completed order: paid for and allocated.</summary>
    public static bool IsGood(string status) => status is OrderStatuses.Confirmed or OrderStatuses.Completed;

    /// <summary>True for an order ended without goods or money.</summary>
    public static bool IsOff(string status) =>
        status is OrderStatuses.Rejected or OrderStatuses.Cancelled or OrderStatuses.Expired;

    // The saga of a confirmed order may still be capturing, or wait for an operator.
    static string[] SagaStatesOf(string status) =>
        IsGood(status) ? ["completed", "running", "waiting", "failed"]
        : IsOff(status) ? ["compensated"]
        : [];

    internal static Finding Of(string invariant, OrderCase orderCase, string text, string repair) =>
        new(invariant, orderCase.OrderId.ToString(), text, repair);

    static string Join(IEnumerable<string> parts) => string.Join(", ", parts);
}
