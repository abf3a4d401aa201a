using Orderwright.Contracts;

namespace Orderwright.Verification.Healing;

/// <summary>
/// Compares what the four services know of an order, and plans the repairs of the service that is behind (docs/adr/0033). Pure.
/// </summary>
/// <remarks>
/// An order only moves forward: placed, reserved, paid, confirmed, shipped, completed, or undone at some point. Of two services
/// that disagree, the one that knows of the later fact is right, because a restore takes facts away and never adds one. Which
/// service was restored matters only where both would look the same.
/// </remarks>
/// <param name="behind">Services whose database is known to be behind.</param>
public sealed class HealRules(IReadOnlySet<string> behind)
{
    static readonly string[] Good = [OrderStatuses.Confirmed, OrderStatuses.Completed];
    static readonly string[] Off = [OrderStatuses.Rejected, OrderStatuses.Cancelled, OrderStatuses.Expired];

    public HealPlan Plan(HealCase known)
    {
        var plan = new HealPlan(known.OrderId);
        return known switch
        {
            { Order: null, Saga: null } => Unknown(known, plan),
            { Order: null, Saga: { } saga } => plan.With(
                new OrderRepair(known.OrderId, null, saga.Order), "order missing"),
            { Order: { } order } when Off.Contains(order.Status) => Undone(known, order, plan),
            { Order: { } order, Saga: { State: SagaStates.Compensated } saga } when Good.Contains(order.Status) => plan.With(
                new SagaRepair(known.OrderId, SagaTargets.Announced, saga.Version), "outcome not known to order-service"),
            { Order.Status: OrderStatuses.CancelPending } or { Saga.Steps.IsUndoing: true } => Open(known, known.Order!, plan),
            { Order: { } order } when Good.Contains(order.Status) || known.Saga is { Steps.IsPivoted: true } =>
                Stands(known, order, plan),
            _ => Open(known, known.Order!, plan),
        };
    }

    // Rows of a participant about an order that neither order-service nor the coordinator has heard of.
    static HealPlan Unknown(HealCase known, HealPlan plan) =>
        known.Payment is { Totals.SecuredMinor: > 0 } || known.Reservation is { State: ReservationStates.Committed }
            ? plan with
            {
                Conflict = new(
                    known.OrderId, HealConflicts.Contradiction,
                    "has money or goods, and neither order-service nor the coordinator knows the order"),
            }
            : plan;

    // ---- undecided, or being undone ----

    HealPlan Open(HealCase known, HealOrder order, HealPlan plan)
    {
        var (saga, payment, reservation) = (known.Saga, known.Payment, known.Reservation);
        // The outcome of an ended saga is on its way.
        plan = plan with
        {
            IsMoving = saga is
            {
                State: SagaStates.Running or SagaStates.Compensating or SagaStates.Completed or SagaStates.Compensated,
            },
        };
        if (saga is not null || payment is not null || reservation is not null) plan = Resumed(known, order, plan);
        if (behind.Contains(ServiceNames.Order) && order.Status is OrderStatuses.Pending or OrderStatuses.Confirmed
            && saga is { State: not SagaStates.Compensated, Steps.CancelReason: { } reason })
            plan = plan.With(new OrderRepair(known.OrderId, order.Version, CancelReason: reason), "cancellation missing");
        if (saga is null || saga.Steps.IsUndoing) return ComparedWhereBehind(known, order, plan);
        if (saga.Steps.HasDone(StepNames.ReserveStock) && !saga.Steps.HasDone(StepNames.CommitStock) && reservation is null)
            plan = plan.With(
                new ReservationRepair(known.OrderId, ReservationStates.Held, saga.Order.Currency, saga.Order.Lines),
                "reservation missing");
        if (saga.Steps.HasDone(StepNames.AuthorizePayment) && !(payment?.IsOpen ?? false)
            && (payment is null || payment.Totals.Version < saga.Steps.Payment.Version))
            return plan.With(
                PaymentOf(known, order, PaymentTargets.Secured, saga.Steps.Payment.Version, saga.Steps.Payment.SecuredMinor),
                payment is null ? "payment missing" : "payment at an earlier version");
        return ComparedWhereBehind(known, order, plan);
    }

    // A saga that has not ended may be at an earlier step, and its deadlines have passed while the coordinator was away.
    HealPlan Resumed(HealCase known, HealOrder order, HealPlan plan) =>
        behind.Contains(ServiceNames.Coordinator) && known.Saga?.State is not (SagaStates.Completed or SagaStates.Compensated)
            ? plan.With(
                new SagaRepair(
                    known.OrderId, SagaTargets.Running, known.Saga?.Version, order.Placed, known.Saga?.Steps.Payment),
                known.Saga is null ? "saga missing" : "saga perhaps at an earlier step")
            : plan;

    // A gateway may have a charge that neither the restored payment nor the saga knows.
    HealPlan ComparedWhereBehind(HealCase known, HealOrder order, HealPlan plan) =>
        behind.Contains(ServiceNames.Customer) && order.Placed.Payment.Provider != PaymentProviders.Balance
        && known.Saga is { } saga && (saga.Steps.HasBegun(StepNames.AuthorizePayment) || saga.Steps.IsUndoing)
        && !(known.Payment?.IsOpen ?? false)
            ? plan.With(PaymentOf(known, order, PaymentTargets.Known, saga.Steps.Payment.Version, null), null)
            : plan;

    // ---- confirmed ----

    HealPlan Stands(HealCase known, HealOrder order, HealPlan plan)
    {
        if (known.Saga is not { Steps.IsPivoted: true })
            plan = plan.With(
                new SagaRepair(
                    known.OrderId, SagaTargets.Confirmed, known.Saga?.Version, order.Placed,
                    known.Payment?.Totals ?? known.Saga?.Steps.Payment, IsPaid(order)),
                known.Saga is null ? "saga missing" : "saga at an earlier step");
        else
            plan = Resumed(known, order, plan);
        // The commit is on its way, or an incident.
        if (known is { Reservation.State: ReservationStates.Held, Saga.Steps: { IsPivoted: true } steps }
            && !steps.HasDone(StepNames.CommitStock))
            plan = plan with { IsMoving = known.Saga.State == SagaStates.Running };
        else if (known.Reservation?.State != ReservationStates.Committed)
            plan = plan.With(
                new ReservationRepair(
                    known.OrderId, ReservationStates.Committed, order.Placed.Currency, PricedOf(known, order),
                    known.Reservation?.State),
                known.Reservation is null ? "reservation missing" : $"reservation {known.Reservation.State}");
        plan = Paid(known, order, plan);
        return Good.Contains(order.Status) ? Shipped(known, order, plan) : plan with { IsMoving = true };
    }

    HealPlan Paid(HealCase known, HealOrder order, HealPlan plan)
    {
        var version = Math.Max(order.PaymentVersion, known.Saga?.Steps.Payment.Version ?? 0);
        // order-service knows the money as of its version; a later reply to the saga knows more.
        var secured = known.Saga is { Steps.Payment: var told } && told.Version > order.PaymentVersion
            ? told.SecuredMinor
            : order.Secured;
        if (known.Payment is not { } payment)
            return plan.With(PaymentOf(known, order, PaymentTargets.Secured, version, secured), "payment missing");
        if (payment.IsOpen || payment.Provider is null) return plan with { IsMoving = plan.IsMoving || payment.IsOpen };
        if (payment.Totals.Version < version)
            return plan.With(
                PaymentOf(known, order, PaymentTargets.Secured, version, secured), "payment at an earlier version");
        if (behind.Contains(ServiceNames.Customer) && payment.Provider != PaymentProviders.Balance)
            return plan.With(PaymentOf(known, order, PaymentTargets.Secured, version, secured), null);
        return Told(known, order, payment, plan);
    }

    static HealPlan Told(HealCase known, HealOrder order, HealPayment payment, HealPlan plan) =>
        (Good.Contains(order.Status) || Off.Contains(order.Status))
        && (StatusOf(order, payment) != order.PaymentStatus
            || (order.Secured is { } secured && secured != payment.Totals.SecuredMinor))
            ? plan.With(
                PaymentOf(known, order, PaymentTargets.Told, payment.Totals.Version, null),
                "payment not known to order-service")
            : plan;

    static HealPlan Shipped(HealCase known, HealOrder order, HealPlan plan)
    {
        plan = plan with { IsMoving = plan.IsMoving || order.StockIsAsked || order.CustomerIsAsked };
        var (again, what) = (new List<string>(), new List<string>());
        var lost = new List<BookedShipment>();
        string? goods = null;
        // stock-service books a shipment of goods still held, too: their commit may be outstanding for long.
        if (known.Reservation is { State: ReservationStates.Held or ReservationStates.Committed } reservation)
        {
            var booked = reservation.Shipments.Select(shipment => shipment.Number).ToHashSet();
            lost.AddRange(reservation.Shipments
                .Where(shipment => shipment.Number != GoodsShipped.Rest
                    && order.Fulfilments.All(fulfilment => fulfilment.Number != shipment.Number))
                .Select(shipment => new BookedShipment(shipment.Number, OrderLinesJson.Read(shipment.Lines))));
            if (booked.Contains(GoodsShipped.Rest) && order.Status == OrderStatuses.Confirmed)
                goods = known.IsConsumed ? GoodsEnds.Consumed : GoodsEnds.Released;
            if (!order.StockIsAsked && (order.Fulfilments.Any(fulfilment => !booked.Contains(fulfilment.Number))
                || (order is { Status: OrderStatuses.Completed, Goods: not null } && !booked.Contains(GoodsShipped.Rest))))
                Ask(ServiceNames.Stock, "shipments not booked");
        }
        // stock-service has not heard of the completion, so the goods end as they do by default where the money was released.
        if (known.Payment is { IsClosed: true } && order.Status == OrderStatuses.Confirmed) goods ??= GoodsEnds.Released;
        if (order.IsTakenOnFulfilment && known.Payment is { IsOpen: false, Provider: not null } payment
            && !order.CustomerIsAsked && lost.Count == 0 && goods is null)
        {
            var due = order.Fulfilments.Sum(fulfilment => fulfilment.Value);
            if (payment.Totals.CapturedMinor < due && payment.Totals.HeldMinor > 0
                || order.Status == OrderStatuses.Completed && payment.Totals.HeldMinor > 0)
                Ask(ServiceNames.Customer, "captures of shipments missing");
            else if (payment.Totals.CapturedMinor > due && payment.Totals.CapturedMinor != order.Total
                && plan.Conflict is null)
                plan = plan with
                {
                    Conflict = new(
                        known.OrderId, HealConflicts.CapturedUnshipped,
                        $"captured {payment.Totals.CapturedMinor} for shipped goods, and the fulfilments are worth {due}: report "
                        + "the lost shipment again, or refund the difference"),
                };
        }
        if (lost.Count > 0) what.Add("fulfilments missing");
        if (goods is not null) what.Add("completion missing");
        return what.Count == 0 ? plan : plan.With(
            new OrderRepair(
                known.OrderId, order.Version, null, lost.Count > 0 ? lost : null, goods, again.Count > 0 ? again : null),
            string.Join(", ", what));

        void Ask(string participant, string why)
        {
            again.Add(participant);
            what.Add(why);
        }
    }

    // ---- rejected, cancelled, expired ----

    HealPlan Undone(HealCase known, HealOrder order, HealPlan plan)
    {
        var saga = known.Saga;
        if (saga is null || !saga.Steps.IsUndoing)
            return plan.With(
                new SagaRepair(
                    known.OrderId, SagaTargets.Undone, saga?.Version, order.Placed,
                    known.Payment?.Totals ?? saga?.Steps.Payment,
                    Ending: new(
                        order.Status, order.ReasonCode ?? ReasonCodes.Cancelled, order.ReasonMessage ?? "Cancelled on request.",
                        order.CancelReason ?? (order.Status == OrderStatuses.Cancelled ? "staff" : null))),
                saga is null ? "saga missing" : "saga at an earlier step");
        if (saga.State != SagaStates.Compensated)
            return Resumed(known, order, plan) with { IsMoving = saga.State == SagaStates.Compensating };
        if (known.Reservation is { State: ReservationStates.Held or ReservationStates.Committed } reservation)
            plan = plan.With(
                new ReservationRepair(
                    known.OrderId, ReservationStates.Released, order.Placed.Currency, [], reservation.State),
                "goods not released");
        return Returned(known, order, saga, plan);
    }

    HealPlan Returned(HealCase known, HealOrder order, HealSaga saga, HealPlan plan)
    {
        var version = Math.Max(order.PaymentVersion, saga.Steps.Payment.Version);
        var isGateway = order.Placed.Payment.Provider != PaymentProviders.Balance;
        var repair = PaymentOf(known, order, PaymentTargets.Returned, version, null);
        if (known.Payment is not { } payment)
            return isGateway && (behind.Contains(ServiceNames.Customer) || saga.Steps.Payment.AuthorizedMinor > 0)
                ? plan.With(repair, saga.Steps.Payment.AuthorizedMinor > 0 ? "payment missing" : null)
                : plan;
        if (payment.IsOpen) return plan with { IsMoving = true };
        if (payment.Totals.SecuredMinor > 0) return plan.With(repair, "money not returned");
        if (payment.Provider is not null && payment.Totals.Version < version)
            return plan.With(repair, "payment at an earlier version");
        if (isGateway && behind.Contains(ServiceNames.Customer)) return plan.With(repair, null);
        return Told(known, order, payment, plan);
    }

    // ---- facts ----

    static PaymentRepair PaymentOf(HealCase known, HealOrder order, string to, long version, long? secured) => new(
        known.OrderId, to,
        new PaymentTerms(
            order.Placed.CustomerId, order.Placed.Currency, order.Placed.Payment,
            order.Total ?? (known.Saga is { } saga ? TotalOf(saga.Order) : null),
            order.Placed.Channel ?? "main"),
        known.Payment?.Totals.Version, version, secured,
        order is { Status: OrderStatuses.Completed, IsTakenOnFulfilment: true } && order.Fulfilments.All(one => one.Value == 0));

    static long? TotalOf(OrderPlaced order) =>
        order.Lines.All(line => line.UnitPrice is not null) ? Money.Total(order.Lines, order.AdjustmentsMinor) : null;

    static IReadOnlyList<OrderLine> PricedOf(HealCase known, HealOrder order) =>
        known.Saga is { } saga && order.Placed.Lines.Any(line => line.UnitPrice is null) ? saga.Order.Lines : order.Placed.Lines;

    static bool IsPaid(HealOrder order) => order.IsTakenOnFulfilment || order.PaymentStatus
        is PaymentStatuses.Paid or PaymentStatuses.PartiallyRefunded or PaymentStatuses.Refunded or PaymentStatuses.Voided;

    // An order that costs nothing needs no capture.
    static string StatusOf(HealOrder order, HealPayment payment) =>
        Good.Contains(order.Status) && order.Total == 0 && !payment.Totals.Voided
            ? PaymentStatuses.Paid
            : payment.Totals.Status;
}
