using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Reconciliation;



namespace Orderwright.Rules.Tests;

/// <summary>Our record of an order beside a gateway's: what agrees, what is on its way, and each way to differ.</summary>
public class ReconciliationRulesTests
{
    static readonly DateTimeOffset From = new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero);
    static readonly DateTimeOffset To = From.AddDays(1);
    static readonly DateTimeOffset Made = From.AddHours(12);
    static readonly Guid Id = Guid.CreateVersion7(Made);

    sealed class List : IChargeList
    {
        public Task<ChargePage> ListAsync(DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel) =>
            throw new NotSupportedException();

        public string CallToReturn(ListedCharge charge, long amountMinor) =>
            amountMinor == 0 ? $"VOID {charge.Reference}" : $"REFUND {amountMinor} {charge.Reference}";
    }

    static readonly ReconciliationRules Rules = new(new("sandbox", From, To, To.AddHours(1)), new List());

    static Payment Pay(string state, long captured = 0, long refunded = 0, bool voided = false, string? reference = "ch_1") => new()
    {
        OrderId = Id, State = state, CustomerId = "ann", Provider = "sandbox", Currency = "GBP", AmountMinor = 1_530,
        AuthorizedMinor = reference is null ? 0 : 1_530, CapturedMinor = captured, RefundedMinor = refunded, Voided = voided,
        GatewayReference = reference, CreatedAt = Made, UpdatedAt = Made,
    };

    static readonly Payment Authorized = Pay(PaymentStates.Authorized);
    static readonly Payment Captured = Pay(PaymentStates.Captured, 1_530);
    static readonly Payment Refunded = Pay(PaymentStates.Refunded, 1_530, 1_530);
    static readonly Payment Voided = Pay(PaymentStates.Voided, voided: true);
    static readonly Payment Declined = Pay(PaymentStates.Declined, reference: null);

    static readonly GatewayCall Authorize = new()
    {
        OrderId = Id, Operation = GatewayOperations.Authorize, N = 1, State = CallStates.Succeeded, AmountMinor = 1_530,
        Reference = "ch_1", StartedAt = Made, FinishedAt = Made,
    };

    static ListedCharge Charge(long held = 0, long captured = 0, long refunded = 0, string id = "ch_1", DateTimeOffset? at = null) =>
        new(id, Id, "GBP", "its_word", held, captured, refunded, at ?? Made);

    static ReconciliationVerdict Compare(Payment? payment, params ListedCharge[] charges) =>
        Rules.Compare(new(
            new PaymentFile(Id, payment, payment is null ? [] : [Authorize]), charges,
            (payment?.CapturedMinor ?? 0, payment?.RefundedMinor ?? 0)));

    static void Agrees(ReconciliationVerdict verdict)
    {
        Assert.False(verdict.IsUnderWay);
        Assert.Empty(verdict.Differences);
    }

    static void Differs(string kind, string repair, ReconciliationVerdict verdict)
    {
        var one = Assert.Single(verdict.Differences);
        Assert.Equal((kind, Id, false), (one.Kind, one.OrderId, verdict.IsUnderWay));
        Assert.Contains(repair, one.Repair, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_on_both_sides_agrees_whatever_the_order_came_to()
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
    public void Attempts_that_came_to_nothing_beside_the_one_that_did_agree() =>
        Agrees(Compare(Captured, Charge(captured: 1_530), Charge(id: "ch_0"), Charge(captured: 1_530, refunded: 1_530, id: "ch_2")));

    [Fact]
    public void A_charge_without_a_payment_is_missing_here()
    {
        Differs(DifferenceKinds.MissingHere, "REFUND 1530 ch_1", Compare(null, Charge(captured: 1_530)));
        Differs(DifferenceKinds.MissingHere, "REFUND 1030 ch_1", Compare(null, Charge(captured: 1_530, refunded: 500)));
        Differs(DifferenceKinds.MissingHere, "VOID ch_1", Compare(null, Charge(held: 1_530)));
        Differs(DifferenceKinds.MissingHere, "its backup lacks", Compare(null, Charge()));
        // The mark of an undo knows no charge either.
        var tombstone = new Payment { OrderId = Id, State = PaymentStates.Undone, CreatedAt = Made, UpdatedAt = Made };
        Differs(DifferenceKinds.MissingHere, "VOID ch_1", Compare(tombstone, Charge(held: 1_530)));
    }

    [Fact]
    public void A_second_charge_with_money_is_missing_here_also_of_an_order_that_is_over()
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
    public void Other_amounts_are_named()
    {
        Differs(DifferenceKinds.Amount, "REFUND 1 ch_1", Compare(Captured, Charge(captured: 1_531)));
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Compare(Authorized, Charge(captured: 1_530)));
        Differs(DifferenceKinds.Amount, "/cancel", Compare(Captured, Charge(captured: 1_529)));
        Differs(DifferenceKinds.Amount, "/cancel", Compare(Captured, Charge(held: 1_530)));
        Differs(DifferenceKinds.Amount, "/cancel", Compare(Captured, Charge(captured: 1_530, refunded: 1_530)));
        Differs(DifferenceKinds.Amount, "REFUND 500 ch_1", Compare(Refunded, Charge(captured: 1_530, refunded: 1_030)));
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Compare(Voided, Charge(captured: 1_530)));
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Compare(Captured, Charge(captured: 1_530) with { Currency = "EUR" }));
        Differs(DifferenceKinds.Amount, "no money is missing", Compare(Voided, Charge(captured: 1_530, refunded: 1_530)));
        var one = Compare(Captured, Charge(captured: 1_529)).Differences[0];
        Assert.Equal("Captured are 1530 GBP here and 1529 GBP there.", one.Message);
        Assert.Equal((new MoneyPosition(0, 1_530, 0), new MoneyPosition(0, 1_529, 0)), (one.Ours, one.Theirs));
    }

    [Fact]
    public void What_one_side_still_holds_is_named()
    {
        Differs(DifferenceKinds.State, "VOID ch_1", Compare(Voided, Charge(held: 1_530)));
        Differs(DifferenceKinds.State, "/cancel", Compare(Authorized, Charge()));
        // Taken in part with what was shipped, the rest still held.
        var shipped = Pay(PaymentStates.Authorized, 1_000);
        Agrees(Compare(shipped, Charge(held: 530, captured: 1_000)));
        Differs(DifferenceKinds.State, "/cancel", Compare(shipped, Charge(captured: 1_000)));
        Differs(DifferenceKinds.State, "VOID ch_1", Compare(shipped with { Voided = true }, Charge(held: 530, captured: 1_000)));
        Differs(DifferenceKinds.MissingHere, "REFUND 1000 ch_1 and VOID ch_1", Compare(null, Charge(held: 530, captured: 1_000)));
    }

    [Fact]
    public void What_an_operator_gave_back_by_hand_is_told_with_their_name_and_asks_for_no_repair()
    {
        var said = Authorize with
        {
            Operation = GatewayOperations.Refund, Reference = null, AskedBy = "anna", ResolvedBy = "anna", Reason = "by bank transfer",
        };
        var one = Assert.Single(Told(Refunded, said, Charge(captured: 1_530)).Differences);
        Assert.Equal(DifferenceKinds.ByHand, one.Kind);
        Assert.Equal(
            "Refunded are 1530 GBP here and 0 GBP there, as anna has said that 1530 GBP went back: by bank transfer", one.Message);
        Assert.StartsWith("Nothing, if it went back", one.Repair, StringComparison.Ordinal);
        Agrees(Told(Refunded, said, Charge(captured: 1_530, refunded: 1_530)));
        // What is missing besides, or was given back by the gateway's own word, is found as before.
        Differs(DifferenceKinds.Amount, "REFUND 530 ch_1", Told(Refunded, said, Charge(captured: 1_530, refunded: 1_000)));
        Differs(DifferenceKinds.Amount, "REFUND 1530 ch_1", Told(Refunded, said with { ResolvedBy = null }, Charge(captured: 1_530)));
        var letGo = said with { Operation = GatewayOperations.Void };
        Differs(DifferenceKinds.ByHand, "Nothing, if it went back", Told(Voided, letGo, Charge(held: 1_530)));
        Differs(DifferenceKinds.State, "VOID ch_1", Told(Voided, letGo with { ResolvedBy = null }, Charge(held: 1_530)));

        static ReconciliationVerdict Told(Payment payment, GatewayCall said, ListedCharge charge) => Rules.Compare(new(
            new PaymentFile(Id, payment, [Authorize, said]), [charge], (payment.CapturedMinor, payment.RefundedMinor)));
    }

    [Fact]
    public void A_journal_that_tells_the_payment_otherwise_is_named() =>
        Differs(DifferenceKinds.Journal, "./orderwright verify", Rules.Compare(new(
            new PaymentFile(Id, Captured, [Authorize]), [Charge(captured: 1_530)], (1_529, 0))));

    [Theory]
    [InlineData(PaymentStates.Authorizing)]
    [InlineData(PaymentStates.ActionRequired)]
    [InlineData(PaymentStates.Capturing)]
    [InlineData(PaymentStates.Voiding)]
    [InlineData(PaymentStates.Refunding)]
    public void What_is_on_its_way_is_no_difference(string state)
    {
        var moving = Compare(Pay(state), Charge(captured: 999));
        Assert.True(moving.IsUnderWay);
        Assert.Empty(moving.Differences);
    }

    [Fact]
    public void What_moved_since_the_list_was_begun_or_is_being_asked_is_on_its_way()
    {
        Assert.True(Compare(Captured with { UpdatedAt = To.AddMinutes(59.5) }, Charge(held: 1_530)).IsUnderWay);
        Assert.False(Compare(Captured with { UpdatedAt = To.AddMinutes(58) }, Charge(held: 1_530)).IsUnderWay);
        var asked = new PaymentFile(Id, Captured, [Authorize, Authorize with
        {
            Operation = GatewayOperations.Refund, State = CallStates.InDoubt, FinishedAt = null, Reference = null,
        }]);
        Assert.True(Rules.Compare(new(asked, [Charge(captured: 1_530, refunded: 1_530)], (1_530, 0))).IsUnderWay);
    }

    [Fact]
    public void What_was_made_outside_the_range_is_not_judged()
    {
        Agrees(Compare(null, Charge(captured: 1, at: From.AddTicks(-1)), Charge(captured: 1, id: "ch_2", at: To)));
        Agrees(Compare(Captured, Charge(captured: 1, at: To.AddMinutes(5))));
        Agrees(Rules.Compare(new(
            new PaymentFile(Id, Captured, [Authorize with { StartedAt = From.AddTicks(-1) }]), [], (1_530, 0))));
    }
}
