using Orderwright.Contracts;
using Orderwright.Verification;
using Orderwright.Verification.Healing;

namespace Orderwright.Rules.Tests;

/// <summary>Plans of repairs, from everything that the four services know of an order.</summary>
public class HealRulesTests
{
    static readonly DateTimeOffset At = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Id = new("01980000-0000-7000-8000-000000000001");
    static readonly PaymentTotals Paid = new(500, 500, 0, false, 3);

    static readonly OrderPlaced Placed = new(
        "ann", "GBP", [new(1, "MUG", 2, 250)], 0, new PaymentMethod("sandbox", "tok_ok"), false);

    static HealOrder Order(string status, string payment = PaymentStatuses.Paid) => new(Id, 4, Placed, status, 500, At)
    {
        PaymentStatus = payment, PaymentVersion = 3, Secured = 500,
    };

    static HealSaga Saga(string state, bool pivoted = false, bool undoing = false, params string[] done) => new(
        Id, 9, state, new SagaProgressRow(pivoted, undoing, Paid, done.ToDictionary(step => step, _ => StepStates.Completed)),
        Placed, At);

    static readonly HealSaga Done = Saga(
        SagaStates.Completed, pivoted: true, undoing: false, StepNames.ReserveStock, StepNames.AuthorizePayment,
        StepNames.CommitStock, StepNames.CapturePayment);

    static readonly HealPayment Payment = new(Id, "sandbox", PaymentStates.Captured, Paid, false, At);
    static readonly HealReservation Sold = new(Id, ReservationStates.Committed, [], At);

    static HealPlan Plan(HealCase known, params string[] behind) => new HealRules(behind.ToHashSet()).Plan(known);

    [Fact]
    public void Services_that_agree_need_no_repair()
    {
        var plan = Plan(new(Id, Order(OrderStatuses.Confirmed), Done, Payment, Sold, false));
        Assert.True(plan.IsEmpty);
        Assert.Null(plan.Conflict);
        Assert.False(plan.IsMoving);
    }

    [Fact]
    public void A_lost_saga_of_a_confirmed_order_is_written_as_confirmed()
    {
        var plan = Plan(new(Id, Order(OrderStatuses.Confirmed), null, Payment, Sold, false), ServiceNames.Coordinator);
        Assert.Equal((SagaTargets.Confirmed, (long?)null, true), (plan.Saga!.To, plan.Saga.Version, plan.Saga.IsPaid));
        Assert.Equal(Paid, plan.Saga.Payment);
        Assert.Equal([(ServiceNames.Coordinator, "saga missing")], plan.Differences);
        Assert.True(plan is { Payment: null, Reservation: null, Order: null });
    }

    [Fact]
    public void A_lost_saga_of_a_cancelled_order_undoes_every_step_once_more()
    {
        var order = Order(OrderStatuses.Cancelled, PaymentStatuses.Refunded) with
        {
            CancelReason = "fraud", ReasonCode = "cancelled",
        };
        var plan = Plan(new(Id, order, null, Payment, Sold, false), ServiceNames.Coordinator);
        Assert.Equal(SagaTargets.Undone, plan.Saga!.To);
        Assert.Equal("fraud", plan.Saga.Ending!.CancelReason);
    }

    [Fact]
    public void A_lost_reservation_of_a_confirmed_order_is_allocated()
    {
        var plan = Plan(new(Id, Order(OrderStatuses.Confirmed), Done, Payment, null, false));
        Assert.Equal((ReservationStates.Committed, (string?)null), (plan.Reservation!.To, plan.Reservation.From));
        Assert.Equal(Placed.Lines, plan.Reservation.Lines);
    }

    [Fact]
    public void A_hold_that_was_allocated_later_is_allocated_again()
    {
        var held = Sold with { State = ReservationStates.Held };
        var plan = Plan(new(Id, Order(OrderStatuses.Confirmed), Done, Payment, held, false));
        Assert.Equal((ReservationStates.Committed, ReservationStates.Held), (plan.Reservation!.To, plan.Reservation.From));
    }

    [Fact]
    public void Goods_held_while_the_commit_of_a_confirmed_order_is_asked_for_are_left_to_the_saga()
    {
        var held = Sold with { State = ReservationStates.Held };
        var committing = Saga(
            SagaStates.Running, pivoted: true, undoing: false, StepNames.ReserveStock, StepNames.AuthorizePayment);
        var known = new HealCase(Id, Order(OrderStatuses.Confirmed), committing, Payment, held, false);
        Assert.True(Plan(known) is { Reservation: null, Saga: null, IsMoving: true });
        Assert.Equal(SagaTargets.Running, Plan(known, ServiceNames.Coordinator).Saga!.To);
    }

    [Fact]
    public void A_saga_set_back_while_it_was_undone_is_asked_to_go_on_with_full_time()
    {
        var undoing = Saga(SagaStates.Compensating, pivoted: false, undoing: true, StepNames.ReserveStock);
        var order = Order(OrderStatuses.Rejected, PaymentStatuses.Pending) with { PaymentVersion = 0, Secured = null };
        var known = new HealCase(Id, order, undoing, null, Sold with { State = ReservationStates.Released }, false);
        Assert.Equal((SagaTargets.Running, 9L), (Plan(known, ServiceNames.Coordinator).Saga!.To, 9L));
        Assert.True(Plan(known) is { Saga: null, IsMoving: true });
    }

    [Fact]
    public void A_completion_that_only_customer_service_has_heard_of_is_made_again()
    {
        var closed = Payment with { Totals = new(500, 0, 0, true, 3), State = PaymentStates.Voided, IsClosed = true };
        var order = Order(OrderStatuses.Confirmed, PaymentStatuses.Voided) with
        {
            Placed = Placed with { Capture = CapturePolicies.Fulfilment }, Secured = 0,
        };
        Assert.Equal(GoodsEnds.Released, Plan(new(Id, order, Done, closed, Sold, false)).Order!.Goods);
        Assert.Null(Plan(new(Id, order, Done, closed with { IsClosed = false }, Sold, false)).Order);
    }

    [Fact]
    public void Goods_of_an_order_that_came_to_nothing_are_released()
    {
        var undone = Saga(SagaStates.Compensated, pivoted: false, undoing: true);
        var returned = Payment with { Totals = new(500, 500, 500, false, 4), State = PaymentStates.Refunded };
        var order = Order(OrderStatuses.Cancelled, PaymentStatuses.Refunded) with { PaymentVersion = 4, Secured = 0 };
        var plan = Plan(new(Id, order, undone, returned, Sold, false));
        Assert.Equal((ReservationStates.Released, ReservationStates.Committed), (plan.Reservation!.To, plan.Reservation.From));
        Assert.Null(plan.Payment);
    }

    [Fact]
    public void A_lost_payment_of_a_confirmed_order_has_to_be_secured_and_never_asked_for_anew()
    {
        var plan = Plan(new(Id, Order(OrderStatuses.Confirmed), Done, null, Sold, false), ServiceNames.Customer);
        Assert.Equal((PaymentTargets.Secured, (long?)null, 3L, 500L), (
            plan.Payment!.To, plan.Payment.Version, plan.Payment.KnownVersion, plan.Payment.SecuredMinor));
        Assert.Null(plan.Saga);
    }

    [Fact]
    public void Money_of_an_order_that_came_to_nothing_is_returned()
    {
        var undone = Saga(SagaStates.Compensated, pivoted: false, undoing: true);
        var order = Order(OrderStatuses.Cancelled, PaymentStatuses.Refunded) with { PaymentVersion = 4, Secured = 0 };
        var released = Sold with { State = ReservationStates.Released };
        var plan = Plan(new(Id, order, undone, Payment, released, false));
        Assert.Equal(PaymentTargets.Returned, plan.Payment!.To);
    }

    [Fact]
    public void A_lost_order_is_created_again_from_its_saga()
    {
        var plan = Plan(new(Id, null, Done, Payment, Sold, false), ServiceNames.Order);
        Assert.Equal((null, Placed), (plan.Order!.Version, plan.Order.Placed));
        Assert.True(plan is { Payment: null, Reservation: null, Saga: null });
    }

    [Fact]
    public void An_order_that_missed_its_outcome_is_told_again()
    {
        var undone = Saga(SagaStates.Compensated, pivoted: true, undoing: true);
        var plan = Plan(new(Id, Order(OrderStatuses.Confirmed), undone, Payment, Sold, false), ServiceNames.Order);
        Assert.Equal(SagaTargets.Announced, plan.Saga!.To);
        Assert.Null(plan.Payment);
    }

    [Fact]
    public void A_booked_shipment_that_order_service_has_lost_becomes_a_fulfilment()
    {
        var sold = Sold with { Shipments = [new(1, """[[1,"MUG",2,250]]""", 0)] };
        var plan = Plan(new(Id, Order(OrderStatuses.Confirmed), Done, Payment, sold, false), ServiceNames.Order);
        Assert.Equal(1, Assert.Single(plan.Order!.Shipped!).Number);
    }

    [Fact]
    public void A_fulfilment_that_stock_service_has_not_booked_is_asked_for_again()
    {
        var order = Order(OrderStatuses.Confirmed) with { Fulfilments = [new(1, """[[1,"MUG",2,250]]""", 500)] };
        var plan = Plan(new(Id, order, Done, Payment, Sold, false), ServiceNames.Stock);
        Assert.Equal([ServiceNames.Stock], plan.Order!.AskAgain!);
    }

    [Fact]
    public void A_fulfilment_of_goods_whose_commit_is_outstanding_is_asked_for_again()
    {
        var committing = Saga(
            SagaStates.Running, pivoted: true, undoing: false, StepNames.ReserveStock, StepNames.AuthorizePayment);
        var order = Order(OrderStatuses.Confirmed) with { Fulfilments = [new(1, """[[1,"MUG",2,250]]""", 500)] };
        var held = Sold with { State = ReservationStates.Held };
        var plan = Plan(new(Id, order, committing, Payment, held, false), ServiceNames.Stock);
        Assert.Equal([ServiceNames.Stock], plan.Order!.AskAgain!);
        Assert.True(Plan(new(Id, order with { StockIsAsked = true }, committing, Payment, held, false)).IsEmpty);
    }

    [Fact]
    public void An_undecided_order_whose_saga_may_have_gone_further_asks_everything_again()
    {
        var running = Saga(SagaStates.Running, pivoted: false, undoing: false, StepNames.ReserveStock);
        var held = Sold with { State = ReservationStates.Held };
        var order = Order(OrderStatuses.Pending, PaymentStatuses.Pending) with { PaymentVersion = 0, Secured = null };
        var plan = Plan(new(Id, order, running, null, held, false), ServiceNames.Coordinator);
        Assert.Equal(SagaTargets.Running, plan.Saga!.To);
        Assert.True(Plan(new(Id, order, running, null, held, false)).IsEmpty);
    }

    [Fact]
    public void Money_and_goods_of_an_order_that_nobody_knows_are_a_conflict()
    {
        var plan = Plan(new(Id, null, null, Payment, Sold, false));
        Assert.Equal(HealConflicts.Contradiction, plan.Conflict!.Code);
        Assert.True(plan.IsEmpty);
    }
}
