using Orderwright.Contracts;
using Orderwright.OrderService;
using Orderwright.OrderService.Fulfilments;
using Orderwright.OrderService.Events;
using static Orderwright.Contracts.OrderStatuses;

namespace Orderwright.Rules.Tests;

/// <summary>Transitions of an order: along the published graph, one event per version, never back.</summary>
public class OrderRulesTests
{
    static readonly DateTimeOffset Placed = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Moment Later = new(Placed.AddSeconds(1), ServiceNames.Coordinator, "0af7651916cd43dd8448eb211c80319c");
    static readonly PaymentTotals Authorized = new(1530, 0, 0, false, 2);
    static readonly PaymentTotals Captured = new(1530, 1530, 0, false, 4);
    static readonly PaymentTotals Voided = new(1530, 0, 0, true, 4);
    static readonly StepStamp[] Steps =
        [new(StepNames.ReserveStock, false, "completed", Placed, 1, AnsweredAt: Placed.AddMilliseconds(3))];
    static readonly OrderLine[] Lines = [new(1, "85123A", 6, 255)];

    static OrderState In(
        string status, string payment = PaymentStatuses.Pending, long? total = 1530,
        string fulfilment = FulfilmentStatuses.Unfulfilled, long paymentVersion = 0, bool onFulfilment = false) =>
        new(
            new Guid("01980000-0000-7000-8000-000000000001"), 3, status, payment, fulfilment, total, null,
            status is CancelPending or Cancelled ? "customer" : null, Placed, PaymentVersion: paymentVersion,
            IsTakenOnFulfilment: onFulfilment);

    static OrderConfirmed Confirmation(PaymentTotals payment) => new(Lines, 1530, payment, Steps);

    static readonly IReadOnlyDictionary<string, IMessageBody> Outcomes = new Dictionary<string, IMessageBody>
    {
        ["confirmed"] = Confirmation(Authorized),
        ["rejected"] = new OrderRejected(
            ReasonCodes.OutOfStock, "85123A: 6 wanted, 0 available.", StepNames.ReserveStock, PaymentTotals.None, Steps),
        ["cancelled"] = new OrderCancelled(Voided, Steps),
        ["expired"] = new OrderExpired(ReasonCodes.TimedOut, "No answer in time.", StepNames.AuthorizePayment, Voided, Steps),
    };

    [Theory]
    [InlineData(Pending, "confirmed", Confirmed)]
    [InlineData(Pending, "rejected", Rejected)]
    [InlineData(Pending, "expired", Expired)]
    [InlineData(Pending, "cancelled", CancelPending, Cancelled)]
    [InlineData(Confirmed, "confirmed")]
    [InlineData(Confirmed, "rejected")]
    [InlineData(Confirmed, "expired")]
    [InlineData(Confirmed, "cancelled", CancelPending, Cancelled)]
    [InlineData(CancelPending, "rejected", Cancelled)]
    [InlineData(CancelPending, "expired", Cancelled)]
    [InlineData(CancelPending, "cancelled", Cancelled)]
    [InlineData(Completed, "rejected")]
    [InlineData(Completed, "expired")]
    [InlineData(Completed, "cancelled")]
    [InlineData(Rejected, "confirmed")]
    [InlineData(Rejected, "rejected")]
    [InlineData(Rejected, "expired")]
    [InlineData(Rejected, "cancelled")]
    [InlineData(Expired, "confirmed")]
    [InlineData(Expired, "rejected")]
    [InlineData(Expired, "expired")]
    [InlineData(Expired, "cancelled")]
    [InlineData(Cancelled, "confirmed")]
    [InlineData(Cancelled, "rejected")]
    [InlineData(Cancelled, "expired")]
    [InlineData(Cancelled, "cancelled")]
    public void An_outcome_moves_an_order_along_the_graph_or_not_at_all(string status, string outcome, params string[] statuses)
    {
        var before = status == Confirmed ? In(status, PaymentStatuses.Authorized, paymentVersion: 3) : In(status);
        var change = OrderRules.Settle(before, Outcomes[outcome], Later);
        Assert.Equal(statuses, change.Events.Select(e => e.Status));
        Assert.Equal(statuses.LastOrDefault(status), change.State.Status);
        if (statuses.Length == 0) Assert.Equal(before, change.State);
    }

    [Theory]
    [InlineData(Confirmed)]
    [InlineData(CancelPending)]
    [InlineData(Completed)]
    public void A_later_capture_updates_the_payment_and_keeps_the_status(string status)
    {
        var change = OrderRules.Settle(In(status, PaymentStatuses.Authorized), Confirmation(Captured), Later);
        var e = Assert.Single(change.Events);
        Assert.Equal((OrderEventTypes.PaymentUpdated, status, 4L), (e.Type, e.Status, e.Version));
        Assert.Equal((status, PaymentStatuses.Paid, 4L), (change.State.Status, change.State.PaymentStatus, change.State.Version));
    }

    [Fact]
    public void Totals_of_an_older_version_of_the_payment_change_nothing()
    {
        var paid = In(Confirmed, PaymentStatuses.Paid, paymentVersion: 4);
        Assert.Equal(OrderChange.Nothing(paid).State, OrderRules.Settle(paid, Confirmation(Authorized), Later).State);
        var refunded = In(CancelPending, PaymentStatuses.Refunded, paymentVersion: 6);
        Assert.Empty(OrderRules.Settle(refunded, Confirmation(Captured), Later).Events);
        var cancelled = OrderRules.Settle(refunded, new OrderCancelled(Captured, Steps), Later).State;
        Assert.Equal(PaymentStatuses.Refunded, cancelled.PaymentStatus);
    }

    [Fact]
    public void The_version_of_the_payment_decides_and_not_the_rank_of_its_status()
    {
        // 1 of 2 shipped, and refunded; then the other shipped, refunded in part, and refunded.
        (PaymentTotals Totals, string Status)[] history =
        [
            (new(2000, 0, 0, false, 2), PaymentStatuses.Authorized),
            (new(2000, 1000, 0, false, 4), PaymentStatuses.PartiallyPaid),
            (new(2000, 1000, 1000, false, 6), PaymentStatuses.PartiallyRefunded),
            (new(2000, 2000, 1000, false, 8), PaymentStatuses.PartiallyRefunded),
            (new(2000, 2000, 2000, false, 10), PaymentStatuses.Refunded),
        ];
        var state = In(Confirmed, onFulfilment: true);
        foreach (var (totals, status) in history)
        {
            state = OrderRules.UpdatePayment(state, totals, Later)!.State;
            Assert.Equal(
                (status, totals.Version, totals.SecuredMinor), (state.PaymentStatus, state.PaymentVersion, state.SecuredMinor));
            foreach (var (older, _) in history.TakeWhile(step => step.Totals != totals))
                Assert.Equal(state, OrderRules.UpdatePayment(state, older, Later)!.State);
        }
    }

    [Fact]
    public void A_newer_version_with_the_same_status_is_saved_without_an_event()
    {
        var state = In(Confirmed, PaymentStatuses.PartiallyRefunded, paymentVersion: 6);
        var change = OrderRules.UpdatePayment(state, new(2000, 2000, 1000, false, 8), Later)!;
        Assert.Equal(
            (0, true, 8L, state.Version),
            (change.Events.Count, change.IsToSave, change.State.PaymentVersion, change.State.Version));
    }

    [Theory]
    [InlineData(1530, 510, 0, true, PaymentStatuses.Paid)]
    [InlineData(1530, 510, 0, false, PaymentStatuses.PartiallyPaid)]
    [InlineData(1530, 510, 510, false, PaymentStatuses.PartiallyRefunded)]
    [InlineData(1530, 510, 510, true, PaymentStatuses.Refunded)]
    [InlineData(1530, 1530, 1530, false, PaymentStatuses.Refunded)]
    [InlineData(1530, 1530, 1, false, PaymentStatuses.PartiallyRefunded)]
    [InlineData(1530, 0, 0, true, PaymentStatuses.Voided)]
    [InlineData(0, 0, 0, false, PaymentStatuses.Pending)]
    public void A_status_follows_from_the_totals(long authorized, long captured, long refunded, bool voided, string status) =>
        Assert.Equal(status, new PaymentTotals(authorized, captured, refunded, voided).Status);

    [Fact]
    public void Totals_of_release_0_1_0_without_a_version_count_until_the_money_is_taken()
    {
        var unversioned = Captured with { Version = 0 };
        var paid = OrderRules.Settle(In(Confirmed, PaymentStatuses.Authorized), Confirmation(unversioned), Later).State;
        Assert.Equal(PaymentStatuses.Paid, paid.PaymentStatus);
        var late = Confirmation(Authorized with { Version = 0 });
        Assert.Equal(PaymentStatuses.Paid, OrderRules.Settle(paid, late, Later).State.PaymentStatus);
    }

    [Fact]
    public void Every_version_has_exactly_one_event()
    {
        foreach (var status in OrderStatuses.All)
            foreach (var outcome in Outcomes.Values)
            {
                var before = In(status);
                var change = OrderRules.Settle(before, outcome, Later);
                Assert.Equal(before.Version + change.Events.Count, change.State.Version);
                Assert.Equal(
                    Enumerable.Range(1, change.Events.Count).Select(n => before.Version + n),
                    change.Events.Select(e => e.Version));
            }
    }

    [Fact]
    public void A_terminal_status_is_never_left()
    {
        Assert.Equal(
            [Cancelled, Completed, Expired, Rejected],
            OrderStatuses.All.Where(OrderRules.IsTerminal).Order(StringComparer.Ordinal));
        foreach (var status in OrderStatuses.All.Where(OrderRules.IsTerminal))
        {
            Assert.All(
                Outcomes.Values,
                outcome => Assert.Equal(status, OrderRules.Settle(In(status), outcome, Later).State.Status));
            Assert.All(OrderStatuses.All, to => Assert.Null(OrderRules.UpdateByOperator(In(status), to, null, Later)));
        }
    }

    [Fact]
    public void A_confirmation_fills_in_missing_prices()
    {
        var change = OrderRules.Settle(In(Pending, total: null), Confirmation(Authorized), Later);
        Assert.Equal(1530, change.State.Total);
        Assert.Same(Lines, change.Priced);
        Assert.Null(OrderRules.Settle(In(Pending), Confirmation(Authorized), Later).Priced);
    }

    [Fact]
    public void A_free_order_is_paid_on_confirmation()
    {
        var free = OrderRules.Settle(
            In(Pending, total: 0), new OrderConfirmed([new(1, "GIFT", 1, 0)], 0, PaymentTotals.None, Steps), Later).State;
        Assert.Equal(PaymentStatuses.Paid, free.PaymentStatus);
        Assert.True(OrderRules.IsSettled(free));
    }

    [Fact]
    public void A_refusal_has_its_reason_and_its_event_lists_the_steps()
    {
        var change = OrderRules.Settle(In(Pending), Outcomes["rejected"], Later);
        Assert.Equal(new OrderReason(ReasonCodes.OutOfStock, "85123A: 6 wanted, 0 available."), change.State.Reason);
        var e = Assert.Single(change.Events);
        Assert.Equal((ReasonCodes.OutOfStock, StepNames.ReserveStock), (e.Data.Code, e.Data.Step));
        Assert.Same(Steps, e.Data.Steps);
        Assert.Equal((Later.Actor, Later.TraceId, Later.Now), (e.Actor, e.TraceId, e.At));
    }

    [Fact]
    public void A_cancellation_keeps_its_reason_to_the_end()
    {
        var pending = OrderRules.Cancel(In(Confirmed, PaymentStatuses.Paid), "fraud", Later)!.State;
        Assert.Equal(
            (CancelPending, "fraud", ReasonCodes.Cancelled), (pending.Status, pending.CancelReason, pending.Reason!.Code));
        var ended = OrderRules.Settle(pending, new OrderCancelled(new(1530, 1530, 1530, false), Steps), Later).State;
        Assert.Equal((Cancelled, PaymentStatuses.Refunded, "fraud"), (ended.Status, ended.PaymentStatus, ended.CancelReason));
    }

    [Theory]
    [InlineData(CancelPending)]
    [InlineData(Cancelled)]
    public void A_repeated_cancellation_changes_nothing(string status) =>
        Assert.Empty(OrderRules.Cancel(In(status), "staff", Later)!.Events);

    [Theory]
    [InlineData(Completed, FulfilmentStatuses.Unfulfilled)]
    [InlineData(Rejected, FulfilmentStatuses.Unfulfilled)]
    [InlineData(Expired, FulfilmentStatuses.Unfulfilled)]
    [InlineData(Confirmed, FulfilmentStatuses.PartiallyFulfilled)]
    [InlineData(Confirmed, FulfilmentStatuses.Fulfilled)]
    public void An_ended_or_shipped_order_cannot_be_cancelled(string status, string fulfilment) =>
        Assert.Null(OrderRules.Cancel(In(status, fulfilment: fulfilment), "customer", Later));

    [Fact]
    public void An_operator_can_only_complete_confirmed_orders()
    {
        foreach (var from in OrderStatuses.All)
            foreach (var to in OrderStatuses.All)
                Assert.Equal(
                    from == Confirmed && to == Completed, OrderRules.UpdateByOperator(In(from), to, null, Later) is not null);
        Assert.Equal([Completed], OrderRules.OperatorTransitions(Confirmed));
    }

    [Theory]
    [InlineData(PaymentStatuses.Paid, FulfilmentStatuses.Unfulfilled, false, null, GoodsEnds.Consumed)]
    [InlineData(PaymentStatuses.Paid, FulfilmentStatuses.PartiallyFulfilled, false, null, GoodsEnds.Consumed)]
    [InlineData(PaymentStatuses.PartiallyRefunded, FulfilmentStatuses.Unfulfilled, false, null, GoodsEnds.Consumed)]
    [InlineData(PaymentStatuses.Paid, FulfilmentStatuses.Unfulfilled, false, GoodsEnds.Released, GoodsEnds.Released)]
    [InlineData(PaymentStatuses.Refunded, FulfilmentStatuses.Unfulfilled, false, null, GoodsEnds.Released)]
    [InlineData(PaymentStatuses.Refunded, FulfilmentStatuses.Unfulfilled, false, GoodsEnds.Consumed, GoodsEnds.Consumed)]
    [InlineData(PaymentStatuses.PartiallyPaid, FulfilmentStatuses.PartiallyFulfilled, true, null, GoodsEnds.Released)]
    [InlineData(PaymentStatuses.Paid, FulfilmentStatuses.Fulfilled, false, GoodsEnds.Released, null)]
    public void Unshipped_goods_of_a_completed_order_follow_the_money_unless_the_operator_says_otherwise(
        string payment, string fulfilment, bool onFulfilment, string? wanted, string? end)
    {
        var change = OrderRules.UpdateByOperator(
            In(Confirmed, payment, fulfilment: fulfilment, onFulfilment: onFulfilment), Completed, wanted, Later)!;
        Assert.Equal((end, end), (change.State.Goods, Assert.Single(change.Events).Data.Goods));
    }

    [Fact]
    public void Goods_that_an_older_release_left_allocated_are_ended_once()
    {
        var left = In(Completed, PaymentStatuses.Paid);
        var ended = OrderRules.UpdateByOperator(left, Completed, GoodsEnds.Released, Later)!;
        Assert.Equal((GoodsEnds.Released, true, 0), (ended.State.Goods, ended.IsToSave, ended.Events.Count));
        Assert.Null(OrderRules.UpdateByOperator(ended.State, Completed, GoodsEnds.Consumed, Later));
        Assert.Null(OrderRules.UpdateByOperator(
            In(Completed, PaymentStatuses.Paid, fulfilment: FulfilmentStatuses.Fulfilled), Completed, GoodsEnds.Released, Later));
    }

    [Theory]
    [InlineData(Pending, PaymentStatuses.Pending, false)]
    [InlineData(CancelPending, PaymentStatuses.Paid, false)]
    [InlineData(Confirmed, PaymentStatuses.Authorized, false)]
    [InlineData(Confirmed, PaymentStatuses.PartiallyPaid, false)]
    [InlineData(Confirmed, PaymentStatuses.Paid, true)]
    [InlineData(Completed, PaymentStatuses.Authorized, false)]
    [InlineData(Completed, PaymentStatuses.Paid, true)]
    [InlineData(Rejected, PaymentStatuses.Pending, true)]
    [InlineData(Cancelled, PaymentStatuses.Voided, true)]
    [InlineData(Expired, PaymentStatuses.Pending, true)]
    public void An_order_is_settled_when_no_reply_is_outstanding(string status, string payment, bool settled) =>
        Assert.Equal(settled, OrderRules.IsSettled(In(status, payment)));

    [Fact]
    public void The_confirmation_with_the_latest_payment_counts_and_precedes_an_end()
    {
        var captured = Confirmation(Captured);
        Assert.Equal(
            [captured, Outcomes["cancelled"]],
            OrderRules.Merge(
            [
                Outcomes["cancelled"], Confirmation(Authorized), captured, Confirmation(Authorized), Outcomes["cancelled"],
            ]));
        Assert.Equal([Outcomes["rejected"]], OrderRules.Merge([Outcomes["rejected"], Outcomes["rejected"]]));
    }

    [Fact]
    public void A_message_that_is_no_outcome_throws() =>
        Assert.Throws<ArgumentException>(() => OrderRules.Settle(In(Pending), new CommitStock(), Later));

    [Fact]
    public void Commands_of_a_fulfilment_are_resent_for_half_an_hour_and_then_ever_more_rarely() =>
        Assert.Equal(
            [5, 30, 30, 60, 120, 1_920, 3_600, 3_600],
            new[] { 1, 10, 60, 61, 62, 66, 67, 1_000 }.Select(attempts => ResendFulfilments.PauseAfter(attempts).TotalSeconds));

    [Fact]
    public void Orders_are_resent_after_5_10_20_and_then_every_30_seconds() =>
        Assert.Equal(
            [5, 10, 20, 30, 30, 30],
            new[] { 1, 2, 3, 4, 5, 91 }.Select(attempts => ResendUnsettledOrders.PauseAfter(attempts).TotalSeconds));
}
