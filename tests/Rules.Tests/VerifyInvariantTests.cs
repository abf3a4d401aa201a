using Orderwright.Verification;
using static Orderwright.Rules.Tests.VerifyCases;

namespace Orderwright.Rules.Tests;

/// <summary>Each invariant holds for sound orders and finds a planted violation.</summary>
public class VerifyInvariantTests
{
    [Fact]
    public void Sound_orders_have_no_findings()
    {
        Assert.Empty(InvariantRules.Check(Confirmed, Now));
        Assert.Empty(InvariantRules.Check(Rejected, Now));
        Assert.Empty(InvariantRules.Check(Cancelled, Now));
        Assert.Empty(InvariantRules.Check(Pending, Now));
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
        Assert.Empty(InvariantRules.GatewayAgrees(Pending with
        {
            Payment = Paid with { State = "authorizing", Authorized = 0, Captured = 0 }, Charges = [Charge],
        }));

    [Fact]
    public void I3_ignores_an_incident() =>
        Assert.Empty(InvariantRules.GatewayAgrees(Pending with { Saga = Saga("failed"), Charges = [Charge] }));

    [Fact]
    public void I4_finds_goods_allocated_to_a_failed_order() =>
        Assert.Equal(["I4"], Found(Cancelled with { Reservation = Reservation("committed") }));

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
    public void I6_finds_a_hold_whose_saga_has_been_undone() =>
        Assert.Contains("I6", Found(Pending with { Saga = Saga("compensated"), Reservation = Reservation("held") }));

    [Fact]
    public void I6_finds_a_hold_that_is_never_asked_about_and_an_ended_one_that_still_is()
    {
        Assert.Equal(["I6"], Found(Pending with { Reservation = Reservation("held") with { HasHold = false } }));
        Assert.Equal(["I6"], Found(Confirmed with { Reservation = Reservation("committed") with { HasHold = true } }));
    }

    [Fact]
    public void I4_allows_goods_of_a_confirmed_order_to_be_held_while_its_saga_is_open()
    {
        var committing = Confirmed with { Reservation = Reservation("held") };
        Assert.Equal(["I4"], Found(committing));
        Assert.Empty(Found(committing with { Saga = Saga("failed") }));
        Assert.Equal(["I7"], Found(committing with { Saga = Saga("running") }));
        Assert.Equal(["I4"], Found(Confirmed with { Reservation = null, Saga = Saga("failed") }));
    }

    [Fact]
    public void I7_finds_an_order_without_progress()
    {
        Assert.Equal(["I7"], Found(Pending with { Saga = Saga("running") }));
        Assert.Equal(["I7"], Found(Pending with { Saga = Saga("waiting") }));
        Assert.Equal(["I7"], Found(Pending with { Saga = null }));
        Assert.Equal(["I7"], Found(Confirmed with { Saga = Saga("running") }));
    }

    [Fact]
    public void I7_accepts_incidents_and_recent_progress()
    {
        Assert.Empty(InvariantRules.NobodyIsOverdue(Pending with { Saga = Saga("failed") }, Now));
        Assert.Empty(InvariantRules.NobodyIsOverdue(
            Pending with { Saga = Saga("running") with { UpdatedAt = Now.AddSeconds(-59) } }, Now));
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

    [Fact]
    public void Every_finding_names_a_repair()
    {
        OrderCase[] broken =
        [
            new(Id) { Acknowledged = true }, Confirmed with { Order = null }, Confirmed with { Payment = null },
            Confirmed with { Saga = null, Reservation = null }, Cancelled with { Payment = Paid }, Erased,
            Pending with { Saga = Saga("running"), Reservation = Reservation("committed", "[]") },
        ];
        Assert.All(
            broken.SelectMany(one => InvariantRules.Check(one, Now.AddHours(1))), finding => Assert.NotEqual("", finding.Repair));
    }
}
