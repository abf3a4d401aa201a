using Orderwright.Verification;

namespace Orderwright.Rules.Tests;

/// <summary>Each invariant holds for sound orders and finds a planted violation.</summary>
public class VerifyInvariantTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly DateTimeOffset Earlier = Now.AddMinutes(-10);
    static readonly Guid Id = Guid.Parse("0198c0de-0000-7000-8000-000000000001");
    const string Lines = """[[1,"MUG",2,500],[2,"MUG",1,500]]""";

    const string SummedLines = """[[1,"MUG",3,500]]""";

    static OrderRow Order(string status, string paymentStatus = "paid", int version = 2, long? total = 1999) =>
        new(Id, "alice", "GBP", status, paymentStatus, Lines, 499, total, version, Earlier);

    static readonly PaymentRow Paid =
        new(Id, "alice", "sandbox", "GBP", 1999, "captured", 1999, 1999, 0, false, Earlier);

    static readonly ChargeRow Charge = new(Id, "ch_1", "GBP", 1999, 1999, 0, false);

    static readonly JournalRow Captured = new(Id, "capture", "gateway:sandbox", "orders", "GBP", 1999);
    static readonly JournalRow Refunded = new(Id, "refund", "orders", "gateway:sandbox", "GBP", 1999);

    static SagaRow Saga(string state, string? waitingFor = null) =>
        new(Id, state, "authorize-payment", waitingFor, Earlier, null);

    static ReservationRow Reservation(string state, string lines = SummedLines) =>
        new(Id, state, lines, Earlier.AddMinutes(15), Earlier, state == "held");

    static EventRow[] Events(params string[] statuses) =>
        [.. statuses.Select((status, i) => new EventRow(Id, i + 1, "order." + status, status))];

    static readonly OrderCase Confirmed = new(Id)
    {
        Acknowledged = true,
        Order = Order("confirmed"),
        Events = Events("pending", "confirmed"),
        Saga = Saga("completed"),
        Payment = Paid,
        JournalEntries = [Captured],
        Charges = [Charge],
        Reservation = Reservation("committed"),
    };

    static readonly OrderCase Rejected = new(Id)
    {
        Acknowledged = true,
        Order = Order("rejected", "pending", total: null),
        Events = Events("pending", "rejected"),
        Saga = Saga("compensated"),
        Reservation = Reservation("refused", "[]"),
    };

    static readonly OrderCase Cancelled = new(Id)
    {
        Order = Order("cancelled", "refunded", 4),
        Events = Events("pending", "confirmed", "cancel_pending", "cancelled"),
        Saga = Saga("compensated"),
        Payment = Paid with { State = "refunded", Refunded = 1999 },
        JournalEntries = [Captured, Refunded],
        Charges = [Charge with { Refunded = 1999 }],
        Reservation = Reservation("released"),
    };

    static readonly OrderCase Waiting = new(Id)
    {
        Order = Order("pending", "pending", 1, null),
        Events = Events("pending"),
        Saga = Saga("waiting", "the customer"),
        Reservation = Reservation("held"),
    };

    static string[] Found(OrderCase orderCase) =>
        [.. InvariantRules.Check(orderCase, Now).Select(finding => finding.Invariant).Distinct().Order(StringComparer.Ordinal)];

    [Fact]
    public void Sound_orders_have_no_findings()
    {
        Assert.Empty(InvariantRules.Check(Confirmed, Now));
        Assert.Empty(InvariantRules.Check(Rejected, Now));
        Assert.Empty(InvariantRules.Check(Cancelled, Now));
        Assert.Empty(InvariantRules.Check(Waiting, Now));
    }

    [Fact]
    public void I1_finds_an_acknowledged_order_that_does_not_exist() =>
        Assert.Equal(["I1"], Found(new OrderCase(Id) { Acknowledged = true }));

    [Fact]
    public void I1_finds_rows_of_participants_without_an_order() =>
        Assert.Equal(3, InvariantRules.Exists(Confirmed with { Order = null, Acknowledged = false }).Count());

    [Fact]
    public void I1_finds_a_settled_order_without_its_saga() => Assert.Equal(["I1"], Found(Confirmed with { Saga = null }));

    [Theory]
    [InlineData("running")]
    [InlineData("completed")]
    [InlineData("failed")]
    public void I1_finds_a_rejected_order_whose_saga_ended_otherwise(string state) =>
        Assert.Contains("I1", Found(Rejected with { Saga = Saga(state) }));

    [Fact]
    public void I2_finds_a_confirmed_order_without_payment() => Assert.Contains("I2", Found(Confirmed with { Payment = null }));

    [Fact]
    public void I2_finds_a_capture_of_another_amount() =>
        Assert.Contains("I2", Found(Confirmed with { Payment = Paid with { Captured = 1998 } }));

    [Fact]
    public void I2_accepts_an_authorization_not_yet_captured() =>
        Assert.Empty(InvariantRules.PaidExactly(Confirmed with { Payment = Paid with { Captured = 0 } }));

    [Fact]
    public void I2_finds_a_voided_authorization_of_a_confirmed_order() =>
        Assert.Contains("I2", Found(Confirmed with { Payment = Paid with { Captured = 0, Voided = true } }));

    [Fact]
    public void I2_finds_a_total_that_differs_from_the_lines() =>
        Assert.Contains("I2", Found(Confirmed with { Order = Order("confirmed", total: 1998) }));

    [Fact]
    public void I2_finds_money_kept_from_a_cancelled_order() =>
        Assert.Contains("I2", Found(Cancelled with { Payment = Paid }));

    [Fact]
    public void I2_finds_money_held_for_a_rejected_order() =>
        Assert.Contains("I2", Found(Rejected with { Payment = Paid with { Captured = 0 } }));

    [Fact]
    public void I2_finds_a_second_charge() =>
        Assert.Contains("I2", Found(Confirmed with { Charges = [Charge, Charge with { Reference = "ch_2" }] }));

    [Fact]
    public void I3_finds_a_gateway_that_holds_more_than_we_know() =>
        Assert.Equal(["I3"], Found(Rejected with { Charges = [Charge with { Captured = 0 }] }));

    [Fact]
    public void I3_compares_a_payment_with_the_record_of_its_gateway()
    {
        var elsewhere = Confirmed with { Payment = Paid with { Provider = "http" }, Charges = [] };
        Assert.Empty(InvariantRules.GatewayAgrees(elsewhere));
        Assert.Single(InvariantRules.GatewayAgrees(elsewhere with { ListedProviders = ["sandbox", "http"] }));
        Assert.Empty(InvariantRules.GatewayAgrees(
            elsewhere with { ListedProviders = ["sandbox", "http"], Charges = [Charge] }));
    }

    [Fact]
    public void I3_accounts_for_money_returned_by_an_operator_and_finds_the_rest()
    {
        var returned = Cancelled with { Payment = Paid with { Refunded = 1999, ReturnedByOperator = 1999 }, Charges = [Charge] };
        Assert.Empty(InvariantRules.GatewayAgrees(returned));
        Assert.Empty(InvariantRules.GatewayAgrees(returned with { Charges = [Charge with { Refunded = 1999 }] }));
        Assert.Single(InvariantRules.GatewayAgrees(returned with { Charges = [Charge with { Refunded = 1000 }] }));
        var released = Cancelled with
        {
            Payment = Paid with { Captured = 0, Voided = true, ReturnedByOperator = 1999 },
            Charges = [Charge with { Captured = 0 }],
        };
        Assert.Empty(InvariantRules.GatewayAgrees(released));
        Assert.Single(InvariantRules.GatewayAgrees(released with { Payment = released.Payment with { ReturnedByOperator = 0 } }));
    }

    [Fact]
    public void I3_ignores_a_payment_with_a_pending_request() =>
        Assert.Empty(InvariantRules.GatewayAgrees(Waiting with
        {
            Payment = Paid with { State = "authorizing", Authorized = 0, Captured = 0 }, Charges = [Charge],
        }));

    [Fact]
    public void I3_ignores_an_incident() =>
        Assert.Empty(InvariantRules.GatewayAgrees(Waiting with { Saga = Saga("failed"), Charges = [Charge] }));

    [Fact]
    public void I3_finds_a_balance_that_differs_from_its_history()
    {
        Assert.Empty(SumRules.Balance(new("alice", "GBP", 700, 1000, 300)));
        Assert.Single(SumRules.Balance(new("alice", "GBP", 701, 1000, 300)));
    }

    [Fact]
    public void I3_finds_money_that_no_paid_order_accounts_for()
    {
        Assert.Empty(SumRules.Currency("GBP", 1999, 1999));
        Assert.Single(SumRules.Currency("GBP", 2000, 1999));
    }

    [Theory]
    [InlineData(2, 1, 2, 2, 1, 2, 1)] // more promised than on hand
    [InlineData(9, 1, 0, 8, 1, 0, 1)] // on hand without a movement
    [InlineData(9, 1, 0, 9, 0, 0, 1)] // allocated without a movement
    [InlineData(9, 1, 1, 9, 1, 0, 1)] // reserved without a hold
    [InlineData(9, 1, 0, 9, 1, 0, 2)] // committed but not allocated
    public void I4_finds_levels_that_do_not_add_up(
        long onHand, long allocated, long reserved, long movedOnHand, long movedAllocated, long held, long committed) =>
        Assert.Single(SumRules.Stock(new("MUG", onHand, allocated, reserved, movedOnHand, movedAllocated)
        {
            HeldByReservations = held,
            CommittedByReservations = committed,
        }));

    [Fact]
    public void I4_accepts_levels_that_add_up() =>
        Assert.Empty(SumRules.Stock(new("MUG", 9, 4, 5, 9, 4) { HeldByReservations = 5, CommittedByReservations = 4 }));

    [Fact]
    public void I4_finds_goods_allocated_to_a_failed_order() =>
        Assert.Equal(["I4"], Found(Cancelled with { Reservation = Reservation("committed") }));

    [Fact]
    public void I4_finds_goods_allocated_to_a_completed_order_and_names_the_repair()
    {
        var completed = Confirmed with
        {
            Order = Order("completed", version: 3), Events = Events("pending", "confirmed", "completed"),
        };
        var finding = Assert.Single(InvariantRules.Check(completed, Now));
        Assert.Equal("I4", finding.Invariant);
        Assert.Contains("3 MUG are still allocated", finding.What, StringComparison.Ordinal);
        Assert.Contains("\"goods\":\"consume\"", finding.Repair, StringComparison.Ordinal);
        var ended = Reservation("committed") with { Shipments = [new(0, SummedLines)] };
        Assert.Empty(Found(completed with { Reservation = ended }));
        Assert.Empty(AgreementRules.CompletedGoodsHaveEnded(
            completed with { Order = completed.Order with { HasOpenWork = true, UpdatedAt = Now } }, Now));
    }

    [Theory]
    [InlineData("confirmed", 1999, 0, false, "paid")]
    [InlineData("confirmed", 0, 0, false, "authorized")]
    [InlineData("confirmed", 999, 0, false, "partially_paid")]
    [InlineData("confirmed", 999, 0, true, "paid")]
    [InlineData("confirmed", 999, 999, false, "partially_refunded")]
    [InlineData("confirmed", 1999, 1, false, "partially_refunded")]
    [InlineData("confirmed", 1999, 1999, false, "refunded")]
    [InlineData("cancelled", 0, 0, true, "voided")]
    public void I3_finds_a_payment_status_other_than_that_of_the_payment(
        string status, long captured, long refunded, bool voided, string payment)
    {
        foreach (var said in (string[])
            ["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided"])
        {
            var orderCase = Confirmed with
            {
                Order = Order(status, said), Payment = Paid with { Captured = captured, Refunded = refunded, Voided = voided },
            };
            Assert.Equal(said == payment ? 0 : 1, AgreementRules.PaymentStatusFollows(orderCase, Now).Count());
            Assert.Empty(AgreementRules.PaymentStatusFollows(orderCase, Earlier.AddSeconds(30)));
        }
    }

    [Theory]
    [InlineData(0, -1, true)]
    [InlineData(0, 0, false)]
    [InlineData(20, -400, true)]
    [InlineData(20, -399, false)]
    [InlineData(100, -1999, false)]
    [InlineData(null, -1999, false)]
    public void I2_finds_a_discount_that_the_caller_could_not_give(int? limit, int amount, bool found)
    {
        var order = Order("confirmed") with
        {
            DiscountLimit = limit,
            Adjustments = $$"""
                [{"type":"shipping","label":"s","amount":499},{"type":"discount","label":"d","amount":{{amount}}}]
                """,
        };
        Assert.Equal(found, AgreementRules.DiscountWasAllowed(Confirmed with { Order = order }).Any());
    }

    [Fact]
    public void I4_finds_a_confirmed_order_without_its_goods()
    {
        Assert.Equal(["I4"], Found(Confirmed with { Reservation = Reservation("released") }));
        Assert.Equal(["I4"], Found(Confirmed with { Reservation = null }));
    }

    [Fact]
    public void I4_finds_another_quantity_allocated_than_ordered() =>
        Assert.Equal(["I4"], Found(Confirmed with
        {
            Reservation = Reservation("committed", """[[1,"MUG",2,500]]"""),
        }));

    [Fact]
    public void I3_finds_a_payment_that_differs_from_the_journal()
    {
        Assert.Equal(["I3"], Found(Confirmed with { JournalEntries = [] }));
        Assert.Equal(["I3"], Found(Confirmed with { JournalEntries = [Captured with { Amount = 1998 }] }));
        Assert.Equal(["I3"], Found(Confirmed with { JournalEntries = [Captured, Captured with { Amount = 1 }] }));
        Assert.Equal(["I3"], Found(Confirmed with { JournalEntries = [Captured, Refunded with { Amount = 1 }] }));
        Assert.Equal(["I3"], Found(Cancelled with { JournalEntries = [Captured] }));
    }

    [Fact]
    public void I3_finds_a_journal_entry_on_the_wrong_account_or_without_a_payment()
    {
        Assert.Equal(["I3"], Found(Confirmed with { JournalEntries = [Captured with { Debit = "gateway:other" }] }));
        Assert.Equal(
            ["I3"], Found(Confirmed with { JournalEntries = [Captured with { Debit = "orders", Credit = "gateway:sandbox" }] }));
        Assert.Equal(["I3"], Found(Confirmed with { JournalEntries = [Captured with { Currency = "EUR" }] }));
        Assert.Equal(["I3"], Found(Confirmed with { Payment = Paid with { Provider = "balance" }, Charges = [Charge] }));
        Assert.Equal(["I3"], Found(Rejected with { JournalEntries = [Captured] }));
    }

    [Fact]
    public void I3_finds_accounts_that_do_not_agree_and_a_journal_that_is_not_zero()
    {
        Assert.Empty(SumRules.Account(new("orders", "GBP", 1999, 1999)));
        Assert.Single(SumRules.Account(new("orders", "GBP", 1999, 1998)));
        Assert.Empty(SumRules.Journal("GBP", 0));
        Assert.Single(SumRules.Journal("GBP", 1));
    }

    [Theory]
    [InlineData("pending", "cancelled", "confirmed")]
    [InlineData("pending", "completed", "confirmed")]
    [InlineData("confirmed", "confirmed", "confirmed")]
    [InlineData("pending", "rejected", "confirmed")]
    public void I5_finds_a_transition_outside_the_graph(string first, string second, string third) =>
        Assert.Equal(
            ["I5"], Found(Confirmed with { Order = Order("confirmed", version: 3), Events = Events(first, second, third) }));

    [Fact]
    public void I5_finds_a_gap_in_the_versions() =>
        Assert.Contains("I5", Found(Confirmed with
        {
            Order = Order("confirmed", version: 3),
            Events = [Events("pending")[0], new EventRow(Id, 3, "order.confirmed", "confirmed")],
        }));

    [Fact]
    public void I6_finds_a_hold_of_a_settled_order() =>
        Assert.Contains("I6", Found(Rejected with { Reservation = Reservation("held") }));

    [Fact]
    public void I6_finds_a_hold_past_its_time() =>
        Assert.Equal(["I6"], Found(Waiting with { Reservation = Reservation("held") with { ExpiresAt = Now.AddSeconds(-61) } }));

    [Fact]
    public void I6_finds_a_hold_unknown_to_the_expiry_job() =>
        Assert.Equal(["I6"], Found(Waiting with { Reservation = Reservation("held") with { HasHold = false } }));

    [Fact]
    public void I7_finds_an_order_without_progress()
    {
        Assert.Equal(["I7"], Found(Waiting with { Saga = Saga("running") }));
        Assert.Equal(["I7"], Found(Waiting with { Saga = Saga("waiting") }));
        Assert.Equal(["I7"], Found(Waiting with { Saga = null }));
        Assert.Equal(["I7"], Found(Confirmed with { Saga = Saga("running") }));
    }

    [Fact]
    public void I7_accepts_incidents_and_recent_progress()
    {
        Assert.Empty(InvariantRules.NobodyIsOverdue(Waiting with { Saga = Saga("failed") }, Now));
        Assert.Empty(InvariantRules.NobodyIsOverdue(
            Waiting with { Saga = Saga("running") with { UpdatedAt = Now.AddSeconds(-59) } }, Now));
    }

    [Fact]
    public void I9_finds_a_status_without_its_event() =>
        Assert.Equal(["I9"], Found(Confirmed with { Events = Events("pending") }));

    [Fact]
    public void I9_finds_an_order_without_any_event() => Assert.Equal(["I9"], Found(Confirmed with { Events = [] }));

    [Fact]
    public void I9_finds_two_events_of_a_single_change() =>
        Assert.Contains(
            "I9", Found(Confirmed with { Events = [.. Events("pending", "confirmed"), Events("pending", "confirmed")[1]] }));

    [Fact]
    public void I9_finds_events_without_an_order() =>
        Assert.Equal(["I9"], Found(new OrderCase(Id) { Events = Events("pending") }));

    const string SingleMug = """[[1,"MUG",1]]""";
    const string Rest = """[[1,"MUG",1],[2,"MUG",1]]""";

    static OrderCase Shipped(string status, ShippedRow[] reported, ShippedRow[] booked) => Confirmed with
    {
        Order = Order("confirmed") with { FulfilmentStatus = status, Fulfilments = reported },
        Reservation = Reservation("committed") with { Shipments = booked },
    };

    [Fact]
    public void Shipped_goods_were_ordered_and_both_services_agree()
    {
        ShippedRow one = new(1, SingleMug, 999), rest = new(2, Rest, 1_000);
        Assert.Empty(Found(Shipped("partially_fulfilled", [one], [one])));
        Assert.Empty(Found(Shipped("fulfilled", [one, rest], [one, rest])));
        Assert.Equal(["I5"], Found(Shipped("unfulfilled", [one], [one])));
        Assert.Equal(["I5"], Found(Shipped("partially_fulfilled", [one, rest], [one, rest])));
        Assert.Equal(["I7"], Found(Shipped("partially_fulfilled", [one], [])));
        Assert.Equal(["I4"], Found(Shipped("unfulfilled", [], [one])));
        Assert.Equal(["I4"], Found(Shipped("partially_fulfilled", [one], [one with { Lines = Rest }])));
        Assert.Equal(["I2"], Found(Shipped("fulfilled", [one, rest with { Value = 999 }], [one, rest])));
        // The remainder is released only when the order is completed.
        Assert.Equal(["I4"], Found(Shipped("partially_fulfilled", [one], [one, rest with { Number = 0 }])));
        var twice = one with { Number = 3, Value = 0 };
        Assert.Equal(["I4"], Found(Shipped("fulfilled", [one, rest, twice], [one, rest, twice])));
        Assert.Equal(
            ["I5"],
            Found(Cancelled with
            {
                Order = Cancelled.Order! with { FulfilmentStatus = "partially_fulfilled", Fulfilments = [one] },
                Reservation = Cancelled.Reservation! with { Shipments = [one] },
            }));
    }

    static OrderCase OnFulfilment(
        string status, long captured, bool voided = false, bool open = false, params ShippedRow[] shipped)
    {
        var state = voided || captured == 1_999 ? "captured" : "authorized";
        var payment = Paid with { State = state, Captured = captured, Voided = voided };
        return Confirmed with
        {
            Order = Order(
                status, captured == 0 ? "authorized" : captured == 1_999 || voided ? "paid" : "partially_paid",
                status == "completed" ? 3 : 2) with
            {
                IsTakenOnFulfilment = true, HasOpenWork = open, Fulfilments = shipped,
                FulfilmentStatus = shipped.Length == 0 ? "unfulfilled" : "partially_fulfilled",
            },
            Events = status == "completed" ? Events("pending", "confirmed", "completed") : Events("pending", "confirmed"),
            Payment = payment,
            JournalEntries = captured == 0 ? [] : [Captured with { Amount = captured }],
            Charges = [Charge with { Captured = captured, Voided = voided }],
            Reservation = Reservation("committed") with
            {
                Shipments = status == "completed" ? [.. shipped, new(0, """[[1,"MUG",2]]""")] : shipped,
            },
        };
    }

    [Fact]
    public void Captures_on_fulfilment_equal_the_value_shipped()
    {
        ShippedRow one = new(1, SingleMug, 999);
        Assert.Empty(Found(OnFulfilment("confirmed", 0)));
        Assert.Empty(Found(OnFulfilment("confirmed", 999, shipped: one)));
        Assert.Equal(["I2"], Found(OnFulfilment("confirmed", 998, shipped: one)));
        Assert.Equal(["I2"], Found(OnFulfilment("confirmed", 1_000, shipped: one)));
        Assert.Equal(["I2"], Found(OnFulfilment("confirmed", 999)));
        // The capture is pending, or the gateway captured the whole amount.
        Assert.Empty(Found(OnFulfilment("confirmed", 0, open: true, shipped: one)));
        Assert.Empty(Found(OnFulfilment("confirmed", 1_999, shipped: one)));
        // A completed order holds no money.
        Assert.Empty(Found(OnFulfilment("completed", 999, voided: true, shipped: one)));
        Assert.Equal(["I2"], Found(OnFulfilment("completed", 999, shipped: one)));
        Assert.Equal(["I2"], Found(OnFulfilment("confirmed", 999, voided: true, shipped: one)));
    }

    static readonly OrderCase Erased = Confirmed with
    {
        Order = Order("completed") with { CreatedAt = Earlier.AddHours(-2), HasTexts = true },
        CustomerErasedAt = Earlier.AddHours(-1),
    };

    [Fact]
    public void I11_finds_texts_that_an_erasure_has_not_reached()
    {
        var found = Assert.Single(AgreementRules.ErasedIsGone(Erased, Now));
        Assert.Contains("keeps metadata or labels", found.What, StringComparison.Ordinal);
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { Order = Erased.Order! with { HasTexts = false } }, Now));
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { CustomerErasedAt = Now.AddMinutes(-5) }, Now));
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { CustomerErasedAt = null }, Now));
    }

    [Fact]
    public void I11_finds_an_order_placed_under_an_erased_id_unless_it_came_to_nothing()
    {
        var late = Erased.Order! with { CreatedAt = Earlier, HasTexts = false };
        Assert.Contains(
            "was placed", Assert.Single(AgreementRules.ErasedIsGone(Erased with { Order = late }, Now)).What,
            StringComparison.Ordinal);
        Assert.Empty(AgreementRules.ErasedIsGone(Erased with { Order = late with { Status = "rejected" } }, Now));
    }

    [Theory]
    [InlineData("authorized", 1999, 0, 0, false, true)]
    [InlineData("authorized", 1999, 1999, 0, false, false)]
    [InlineData("captured", 1999, 1999, 500, false, true)]
    [InlineData("captured", 1999, 1999, 1999, false, false)]
    [InlineData("captured", 1999, 0, 0, false, false)]
    [InlineData("refunded", 1999, 1999, 1999, false, true)]
    [InlineData("refunded", 1999, 1999, 1998, false, false)]
    [InlineData("voided", 1999, 0, 0, true, true)]
    [InlineData("voided", 1999, 0, 0, false, false)]
    [InlineData("declined", 0, 0, 0, false, true)]
    [InlineData("undone", 1999, 0, 0, false, false)]
    public void I3_compares_the_state_of_a_payment_with_its_amounts(
        string state, long authorized, long captured, long refunded, bool voided, bool agrees)
    {
        var payment = new PaymentRow(
            Id, "alice", "sandbox", "GBP", 1999, state, authorized, captured, refunded, voided, Earlier);
        Assert.Equal(agrees, !AgreementRules.PaymentStateTells(Confirmed with { Payment = payment }).Any());
    }

    [Fact]
    public void I2_and_I4_find_money_and_goods_left_by_a_saga_that_ended_as_undone()
    {
        var undone = Confirmed with { Order = null, Acknowledged = false, Saga = Saga("compensated") };
        Assert.Equal(["I2", "I4"], AgreementRules.SagaAgrees(undone).Select(finding => finding.Invariant));
        Assert.Empty(AgreementRules.SagaAgrees(undone with
        {
            Payment = Paid with { Refunded = 1999 }, Reservation = Reservation("released"),
        }));
        Assert.Empty(AgreementRules.SagaAgrees(Confirmed));
    }

    [Fact]
    public void I6_does_not_judge_a_hold_that_ended_while_nothing_was_written()
    {
        var ended = Waiting with { Reservation = Reservation("held") with { ExpiresAt = Now.AddHours(-1) } };
        Assert.Contains("I6", Found(ended));
        Assert.DoesNotContain("I6", Found(ended with { StockSeenAt = Now.AddHours(-2) }));
        Assert.True(InvariantRules.EndedUnattended(ended with { StockSeenAt = Now.AddHours(-2) }, Now));
        Assert.Contains("I6", Found(ended with { StockSeenAt = Now.AddMinutes(-50) }));
    }

    [Fact]
    public void Every_finding_names_a_repair()
    {
        OrderCase[] broken =
        [
            new(Id) { Acknowledged = true }, Confirmed with { Order = null }, Confirmed with { Payment = null },
            Confirmed with { Saga = null, Reservation = null }, Cancelled with { Payment = Paid }, Erased,
            Waiting with { Saga = Saga("running"), Reservation = Reservation("committed", "[]") },
        ];
        Assert.All(
            broken.SelectMany(one => InvariantRules.Check(one, Now.AddHours(1))), finding => Assert.NotEqual("", finding.Repair));
    }
}
