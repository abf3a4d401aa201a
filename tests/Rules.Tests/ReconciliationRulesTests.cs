using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Reconciliation;

namespace Orderwright.Rules.Tests;

/// <summary>Comparison of our record of an order with a gateway's: agreement, payments in progress and differences.</summary>
public class ReconciliationRulesTests
{
    static readonly DateTimeOffset From = new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero);
    static readonly DateTimeOffset To = From.AddDays(1);
    static readonly DateTimeOffset Created = From.AddHours(12);
    static readonly Guid Id = Guid.CreateVersion7(Created);

    sealed class List : IChargeList
    {
        public Task<ChargePage> ListAsync(DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel) =>
            throw new NotSupportedException();

        public string CallToReturn(ListedCharge charge, long amountMinor) =>
            amountMinor == 0 ? $"VOID {charge.Reference}" : $"REFUND {amountMinor} {charge.Reference}";
    }

    static readonly ReconciliationRules Rules = new(new("sandbox", From, To, To.AddHours(1)), new List());

    static Payment Pay(
        string state, long captured = 0, long refunded = 0, bool voided = false, string? reference = "ch_1") => new()
    {
        OrderId = Id, State = state, CustomerId = "ann", Provider = "sandbox", Currency = "GBP", AmountMinor = 1_530,
        AuthorizedMinor = reference is null ? 0 : 1_530, CapturedMinor = captured, RefundedMinor = refunded, Voided = voided,
        GatewayReference = reference, CreatedAt = Created, UpdatedAt = Created,
    };

    static readonly Payment Authorized = Pay(PaymentStates.Authorized);
    static readonly Payment Captured = Pay(PaymentStates.Captured, 1_530);
    static readonly Payment Refunded = Pay(PaymentStates.Refunded, 1_530, 1_530);
    static readonly Payment Voided = Pay(PaymentStates.Voided, voided: true);
    static readonly Payment Declined = Pay(PaymentStates.Declined, reference: null);

    static readonly PaymentAttempt Authorize = new()
    {
        OrderId = Id, Operation = GatewayOperations.Authorize, Number = 1, State = AttemptStates.Succeeded, AmountMinor = 1_530,
        Reference = "ch_1", StartedAt = Created, FinishedAt = Created,
    };

    static ListedCharge Charge(
        long held = 0, long captured = 0, long refunded = 0, string id = "ch_1", DateTimeOffset? at = null) =>
        new(id, Id, "GBP", "its_state", held, captured, refunded, at ?? Created);

    static ReconciliationVerdict Compare(Payment? payment, params ListedCharge[] charges) =>
        Rules.Compare(new(
            new PaymentCase(Id, payment, payment is null ? [] : [Authorize]), charges,
            (payment?.CapturedMinor ?? 0, payment?.RefundedMinor ?? 0)));

    // order-service has the order in this status, or does not know the order.
    static ReconciliationVerdict Told(string? status, Payment? payment, params ListedCharge[] charges) =>
        Rules.Compare(new(new PaymentCase(Id, payment, []), charges, (0, 0)), new OrderTold(status, null));

    static void Agrees(ReconciliationVerdict verdict)
    {
        Assert.False(verdict.IsInProgress);
        Assert.Empty(verdict.Differences);
    }

    static void Differs(string kind, string repair, ReconciliationVerdict verdict)
    {
        var one = Assert.Single(verdict.Differences);
        Assert.Equal((kind, Id, false), (one.Kind, one.OrderId, verdict.IsInProgress));
        Assert.Contains(repair, one.Repair, StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_records_agree_whatever_the_outcome_of_the_order()
    {
        Agrees(Compare(Authorized, Charge(held: 1_530)));
        Agrees(Compare(Captured, Charge(captured: 1_530)));
        Agrees(Compare(Pay(PaymentStates.Captured, 1_530, 500), Charge(captured: 1_530, refunded: 500)));
        Agrees(Compare(Pay(PaymentStates.Captured, 1_000), Charge(captured: 1_000)));
        Agrees(Compare(Refunded, Charge(captured: 1_530, refunded: 1_530)));
        Agrees(Compare(Voided, Charge()));
        Agrees(Compare(Declined));
        Agrees(Compare(Declined, Charge()));
        Agrees(Compare(Pay(PaymentStates.UndoFailed, 1_530), Charge(captured: 1_530)));
        Agrees(Compare(Pay(PaymentStates.UndoFailed), Charge(held: 1_530)));
        Agrees(Compare(null));
    }

    [Fact]
    public void Failed_attempts_beside_the_successful_one_agree() =>
        Agrees(Compare(
            Captured, Charge(captured: 1_530), Charge(id: "ch_0"), Charge(captured: 1_530, refunded: 1_530, id: "ch_2")));

    [Fact]
    public void A_charge_without_a_payment_is_missing_here()
    {
        const string Ended = OrderStatuses.Cancelled;
        Differs(DifferenceKinds.MissingHere, "REFUND 1530 ch_1", Told(Ended, null, Charge(captured: 1_530)));
        Differs(DifferenceKinds.MissingHere, "REFUND 1030 ch_1", Told(Ended, null, Charge(captured: 1_530, refunded: 500)));
        Differs(DifferenceKinds.MissingHere, "VOID ch_1", Told(Ended, null, Charge(held: 1_530)));
        Differs(DifferenceKinds.MissingHere, "holds no money", Told(Ended, null, Charge()));
        Differs(DifferenceKinds.MissingHere, "restored from an old backup", Told(null, null, Charge(held: 1_530)));
        // A tombstone has no charge either.
        var tombstone = new Payment { OrderId = Id, State = PaymentStates.Undone, CreatedAt = Created, UpdatedAt = Created };
        Differs(DifferenceKinds.MissingHere, "VOID ch_1", Told(Ended, tombstone, Charge(held: 1_530)));
    }

    [Theory]
    [InlineData(OrderStatuses.Confirmed, "/adopt {")]
    [InlineData(OrderStatuses.Completed, "/adopt {")]
    [InlineData(OrderStatuses.Pending, "None yet")]
    [InlineData(OrderStatuses.CancelPending, "None yet")]
    public void Money_of_an_order_that_may_stand_is_never_returned(string status, string repair)
    {
        var verdict = Told(status, null, Charge(captured: 1_530));
        Differs(DifferenceKinds.MissingHere, repair, verdict);
        Assert.DoesNotContain("REFUND", verdict.Differences[0].Repair, StringComparison.Ordinal);
        // Nor is the money of an order that order-service said nothing about.
        Assert.DoesNotContain(
            "REFUND", Compare(null, Charge(captured: 1_530)).Differences[0].Repair, StringComparison.Ordinal);
    }

    [Fact]
    public void An_additional_charge_with_money_is_missing_here_even_for_a_finished_order()
    {
        Differs(
            DifferenceKinds.MissingHere, "REFUND 1530 ch_2",
            Compare(Captured, Charge(captured: 1_530), Charge(captured: 1_530, id: "ch_2")));
        Differs(DifferenceKinds.MissingHere, "VOID ch_2", Compare(Declined, Charge(held: 1_530, id: "ch_2")));
        Differs(
            DifferenceKinds.MissingHere, "VOID ch_2",
            Compare(Refunded, Charge(captured: 1_530, refunded: 1_530), Charge(held: 1, id: "ch_2")));
        var elsewhere = Captured with { Provider = "stripe", GatewayReference = "pi_1" };
        Differs(DifferenceKinds.MissingHere, "REFUND 1530 ch_1", Compare(elsewhere, Charge(captured: 1_530)));
        Agrees(Compare(elsewhere));
    }

    [Fact]
    public void A_charge_that_the_gateway_does_not_list_is_missing_there()
    {
        Differs(DifferenceKinds.MissingThere, $"POST /api/v1/orders/{Id}/cancel", Compare(Captured));
        Differs(DifferenceKinds.MissingThere, $"POST /api/v1/payments/{Id}/resolve", Compare(Authorized));
        Differs(DifferenceKinds.MissingThere, "", Compare(Refunded));
    }

    [Fact]
    public void Differing_amounts_are_reported()
    {
        Differs(DifferenceKinds.Amount, "REFUND 1 ch_1", Compare(Captured, Charge(captured: 1_531)));
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Compare(Authorized, Charge(captured: 1_530)));
        Differs(DifferenceKinds.Amount, "/cancel", Compare(Captured, Charge(captured: 1_529)));
        Differs(DifferenceKinds.Amount, "/cancel", Compare(Captured, Charge(held: 1_530)));
        Differs(DifferenceKinds.Amount, "/cancel", Compare(Captured, Charge(captured: 1_530, refunded: 1_530)));
        Differs(DifferenceKinds.Amount, "REFUND 500 ch_1", Compare(Refunded, Charge(captured: 1_530, refunded: 1_030)));
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Compare(Voided, Charge(captured: 1_530)));
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Compare(Captured, Charge(captured: 1_530) with { Currency = "EUR" }));
        Differs(DifferenceKinds.Amount, "already refunded the excess", Compare(Voided, Charge(captured: 1_530, refunded: 1_530)));
        var one = Compare(Captured, Charge(captured: 1_529)).Differences[0];
        Assert.Equal("Captured: 1530 GBP here, 1529 GBP at the gateway.", one.Message);
        Assert.Equal((new ChargeTotals(0, 1_530, 0), new ChargeTotals(0, 1_529, 0)), (one.Ours, one.Theirs));
    }

    [Fact]
    public void Money_held_on_one_side_only_is_reported()
    {
        Differs(DifferenceKinds.State, "VOID ch_1", Compare(Voided, Charge(held: 1_530)));
        Differs(DifferenceKinds.State, "/cancel", Compare(Authorized, Charge()));
        // Captured in part with a shipment, the rest still held.
        var shipped = Pay(PaymentStates.Authorized, 1_000);
        Agrees(Compare(shipped, Charge(held: 530, captured: 1_000)));
        Differs(DifferenceKinds.State, "/cancel", Compare(shipped, Charge(captured: 1_000)));
        Differs(DifferenceKinds.State, "VOID ch_1", Compare(shipped with { Voided = true }, Charge(held: 530, captured: 1_000)));
        Differs(
            DifferenceKinds.MissingHere, "REFUND 1000 ch_1 and VOID ch_1",
            Told(OrderStatuses.Expired, null, Charge(held: 530, captured: 1_000)));
    }

    [Fact]
    public void An_operators_resolution_is_reported_with_name_and_reason_and_needs_no_repair()
    {
        var resolution = Authorize with
        {
            Operation = GatewayOperations.Refund, Reference = null, RequestedBy = "anna", ResolvedBy = "anna",
            Reason = "by bank transfer",
        };
        var one = Assert.Single(Resolved(Refunded, resolution, Charge(captured: 1_530)).Differences);
        Assert.Equal(DifferenceKinds.ByHand, one.Kind);
        Assert.Equal(
            "Refunded: 1530 GBP here, 0 GBP at the gateway. anna recorded a refund of 1530 GBP: by bank transfer", one.Message);
        Assert.StartsWith("Nothing, if the money was returned", one.Repair, StringComparison.Ordinal);
        Agrees(Resolved(Refunded, resolution, Charge(captured: 1_530, refunded: 1_530)));
        // A further difference, or a refund reported by the gateway itself, is found as usual.
        Differs(
            DifferenceKinds.Amount, "REFUND 530 ch_1",
            Resolved(Refunded, resolution, Charge(captured: 1_530, refunded: 1_000)));
        var byGateway = resolution with { ResolvedBy = null };
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Resolved(Refunded, byGateway, Charge(captured: 1_530)));
        var release = resolution with { Operation = GatewayOperations.Void };
        Differs(DifferenceKinds.ByHand, "Nothing, if the money was returned", Resolved(Voided, release, Charge(held: 1_530)));
        Differs(DifferenceKinds.State, "VOID ch_1", Resolved(Voided, release with { ResolvedBy = null }, Charge(held: 1_530)));

        static ReconciliationVerdict Resolved(Payment payment, PaymentAttempt attempt, ListedCharge charge) => Rules.Compare(new(
            new PaymentCase(Id, payment, [Authorize, attempt]), [charge], (payment.CapturedMinor, payment.RefundedMinor)));
    }

    [Fact]
    public void A_journal_that_contradicts_the_payment_is_reported() =>
        Differs(DifferenceKinds.Journal, "./orderwright verify", Rules.Compare(new(
            new PaymentCase(Id, Captured, [Authorize]), [Charge(captured: 1_530)], (1_529, 0))));

    [Theory]
    [InlineData(PaymentStates.Authorizing)]
    [InlineData(PaymentStates.ActionRequired)]
    [InlineData(PaymentStates.Capturing)]
    [InlineData(PaymentStates.Voiding)]
    [InlineData(PaymentStates.Refunding)]
    public void A_payment_in_progress_is_no_difference(string state)
    {
        var moving = Compare(Pay(state), Charge(captured: 999));
        Assert.True(moving.IsInProgress);
        Assert.Empty(moving.Differences);
    }

    [Fact]
    public void A_recent_change_or_an_open_attempt_is_in_progress()
    {
        Assert.True(Compare(Captured with { UpdatedAt = To.AddMinutes(59.5) }, Charge(held: 1_530)).IsInProgress);
        Assert.False(Compare(Captured with { UpdatedAt = To.AddMinutes(58) }, Charge(held: 1_530)).IsInProgress);
        var asked = new PaymentCase(Id, Captured, [Authorize, Authorize with
        {
            Operation = GatewayOperations.Refund, State = AttemptStates.InDoubt, FinishedAt = null, Reference = null,
        }]);
        Assert.True(Rules.Compare(new(asked, [Charge(captured: 1_530, refunded: 1_530)], (1_530, 0))).IsInProgress);
    }

    [Fact]
    public void Charges_and_attempts_outside_the_range_are_not_compared()
    {
        Agrees(Compare(null, Charge(captured: 1, at: From.AddTicks(-1)), Charge(captured: 1, id: "ch_2", at: To)));
        Agrees(Compare(Captured, Charge(captured: 1, at: To.AddMinutes(5))));
        Agrees(Rules.Compare(new(
            new PaymentCase(Id, Captured, [Authorize with { StartedAt = From.AddTicks(-1) }]), [], (1_530, 0))));
    }
}
