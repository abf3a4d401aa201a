using System.Globalization;
using Orderwright.Contracts;
using static Orderwright.Verification.InvariantRules;

namespace Orderwright.Verification;

/// <summary>
/// An order as stored against the facts behind it: the payment, the caller's right to discounts, the goods of a completed order,
/// and the imported file. Pure, and independent of the services' own rules.
/// </summary>
public static class OrderRules
{
    /// <summary>
    /// I3: the order's payment status is the one of its payment. customer-service repeats its notifications, so a difference
    /// lasts seconds.
    /// </summary>
    public static IEnumerable<Finding> PaymentStatusFollows(OrderCase orderCase, DateTimeOffset now)
    {
        if (orderCase is not { Order: { } order, Payment: { } payment } || !(IsGood(order.Status) || IsOff(order.Status))
            || now - orderCase.TouchedAt <= Patience)
            yield break;
        var kept = payment.Held + payment.Captured - payment.Refunded;
        var status = IsGood(order.Status) && order.Total == 0 && !payment.Voided ? PaymentStatuses.Paid
            : payment.Captured == 0
                ? payment.Voided ? PaymentStatuses.Voided
                : payment.Authorized > 0 ? PaymentStatuses.Authorized
                : PaymentStatuses.Pending
            : kept == 0 ? PaymentStatuses.Refunded
            : payment.Refunded > 0 ? PaymentStatuses.PartiallyRefunded
            : payment.Held > 0 ? PaymentStatuses.PartiallyPaid
            : PaymentStatuses.Paid;
        if (order.PaymentStatus != status)
            yield return Of("I3", orderCase,
                $"says {order.PaymentStatus}, but its payment is {status} (authorized {payment.Authorized}, captured " +
                $"{payment.Captured}, refunded {payment.Refunded}, {(payment.Voided ? "released" : $"held {payment.Held}")})",
                $"Set payment_status to {status} in the table orders of order-service.");
    }

    /// <summary>I2: the discount of a paid order stays within the right of the caller that placed it.</summary>
    public static IEnumerable<Finding> DiscountWasAllowed(OrderCase orderCase)
    {
        if (orderCase.Order is not { DiscountLimit: { } limit } order || !IsGood(order.Status)) yield break;
        var (added, discounted) = StoredLines.Adjustments(order.Adjustments);
        if (discounted == 0 || StoredLines.Total(order.Lines, 0) is not { } goods) yield break;
        if (discounted * 100 > (added + goods) * limit)
            yield return Of("I2", orderCase,
                $"has a discount of {discounted} on {added + goods}, but its caller could give at most {limit} %",
                $"Revoke the key if its secret is lost. Accept the discount, or cancel the order: {Repairs.Cancel(order.Id)}");
    }

    /// <summary>
    /// I4: a completed order has no goods allocated. Release 0.1.0 left them allocated where nothing was noted as shipped.
    /// </summary>
    public static IEnumerable<Finding> CompletedGoodsHaveEnded(OrderCase orderCase, DateTimeOffset now)
    {
        if (orderCase is not
            { Order: { Status: OrderStatuses.Completed } order, Reservation: { State: "committed" } reservation }
            || (order.HasOpenWork && now - orderCase.TouchedAt <= Patience))
            yield break;
        var left = StoredLines.Left(reservation.Lines, reservation.Shipments);
        if (left.Count > 0)
            yield return Of("I4", orderCase,
                $"is completed, but {string.Join(", ", left.Select(goods => $"{goods.Value} {goods.Key}"))} are still allocated",
                $"PATCH /api/v1/orders/{order.Id} {{\"status\":\"completed\",\"goods\":\"consume\"}} if the goods left and were "
                + "not counted since, else with \"release\".");
    }

    /// <summary>I12: an imported order has as many lines as the import found in its file.</summary>
    public static IEnumerable<Finding> ImportedWhole(OrderCase orderCase)
    {
        if (orderCase.Order is not { ImportLines: { } expected } order) yield break;
        var lines = StoredLines.Count(order.Lines).ToString(CultureInfo.InvariantCulture);
        if (lines != expected)
            yield return Of("I12", orderCase,
                $"has {lines} lines, but {expected} in the imported file",
                $"Cancel the order, and import the file again: {Repairs.Cancel(order.Id)}");
    }
}
