using System.Text;
using Orderwright.Contracts;
using Orderwright.CustomerService.Customers;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>Changes to customers and their store credit.</summary>
public class CustomerRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Id = new("01980000-0000-7000-8000-000000000001");

    static readonly Customer Ann = new("17850", "Ann", "ann@example.org", 3, Now.AddDays(-1), Now.AddDays(-1));
    static readonly Customer Erased = Ann with { Name = null, Email = null, Version = 4, ErasedAt = Now.AddHours(-1) };

    static CustomerDecision Put(string name, Customer? existing, params long[] ifVersions) => CustomerRules.Put(
        new("17850", name, "ann@example.org", ifVersions.Length == 0 ? null : new Precondition(new(false, ifVersions), null)),
        existing, Now);

    static CustomerDecision Credit(long amount, Customer? existing, long balance = 0, bool used = false) =>
        CustomerRules.AddCredit(new("17850", "GBP", amount, "invoice-1"), existing, balance, used, Id, Now);

    static CustomerDecision Erase(Customer? existing, bool open = false, long credit = 0) =>
        CustomerRules.Erase(
            new("17850", null), existing, null, credit > 0 ? [("GBP", credit)] : [], open, Id, "ann", Now);

    static string CodeOf(CustomerDecision decision)
    {
        Assert.Equal((null, null), (decision.Customer, decision.Credit));
        var body = Encoding.UTF8.GetString(decision.Answer.Body.Span);
        return $"{decision.Answer.Status} {body.Split("\"code\":\"")[1].Split('"')[0]}";
    }

    [Fact]
    public void A_customer_is_created_and_replaced()
    {
        var made = Put("Ann", null);
        Assert.Equal(
            (201, "/api/v1/customers/17850", 1L, Now),
            (made.Answer.Status, made.Answer.Location, made.Customer!.Version, made.Customer.CreatedAt));
        var replaced = Put("Anna", Ann);
        Assert.Equal(
            (200, 4L, Ann.CreatedAt, Now),
            (replaced.Answer.Status, replaced.Customer!.Version, replaced.Customer.CreatedAt, replaced.Customer.UpdatedAt));
    }

    [Fact]
    public void An_identical_request_changes_nothing()
    {
        var same = Put("Ann", Ann);
        Assert.Equal((200, 3L, null), (same.Answer.Status, same.Answer.Version, same.Customer));
    }

    [Fact]
    public void A_version_precondition_is_honoured()
    {
        Assert.Equal(200, Put("Anna", Ann, 3).Answer.Status);
        Assert.Equal("412 version_mismatch", CodeOf(Put("Anna", Ann, 2)));
        Assert.Equal("412 version_mismatch", CodeOf(Put("Anna", null, 1)));
    }

    [Fact]
    public void An_erased_customer_is_never_created_again()
    {
        Assert.Equal("409 erased", CodeOf(Put("Bob", Erased)));
        Assert.Equal("409 erased", CodeOf(Put("Bob", Erased, 4)));
        Assert.Equal("409 erased", CodeOf(Credit(1, Erased)));
    }

    [Fact]
    public void Each_credit_adds_a_row()
    {
        var added = Credit(10_000, Ann);
        Assert.Equal(201, added.Answer.Status);
        Assert.Equal(new Credit(Id, "17850", "GBP", 10_000, "invoice-1", Now), added.Credit);
        Assert.Equal(
            $$"""{"id":"{{Id}}","customerId":"17850","currency":"GBP","amount":""" +
            """10000,"reference":"invoice-1","createdAt":"2026-01-31T09:30:00.000Z"}""",
            Encoding.UTF8.GetString(added.Answer.Body.Span));
    }

    [Fact]
    public void A_credit_is_refused_for_an_unknown_customer_a_used_reference_and_beyond_the_limit()
    {
        Assert.Equal("404 not_found", CodeOf(Credit(1, null)));
        Assert.Equal("409 duplicate_reference", CodeOf(Credit(1, Ann, used: true)));
        Assert.Equal("409 balance_out_of_range", CodeOf(Credit(2, Ann, CustomerRules.MaxBalanceMinor - 1)));
        Assert.NotNull(Credit(1, Ann, CustomerRules.MaxBalanceMinor - 1).Credit);
    }

    [Fact]
    public void Erasing_is_refused_with_credit_or_open_payments_and_otherwise_asks_order_service()
    {
        Assert.Equal("409 has_balance", CodeOf(Erase(Ann, credit: 1)));
        Assert.Equal("409 open_orders", CodeOf(Erase(Ann, open: true)));
        Assert.Equal("404 not_found", CodeOf(Erase(null)));
        var begun = Erase(Ann);
        Assert.Equal((503, "Ann", (Guid?)Id), (begun.Answer.Status, begun.Customer!.Name, begun.Customer.ErasureId));
        Assert.Equal((ErasureStates.Asked, ErasureStages.Ask), (begun.Erasure!.State, begun.Erasure.Stage));
        Assert.Equal("409 erasure_running", CodeOf(Put("Anna", begun.Customer)));
    }

    static (Erasure, Customer) Asked()
    {
        var begun = Erase(Ann);
        return (begun.Erasure!, begun.Customer!);
    }

    static CustomerErased Told(string stage, long open = 0) => new("17850", stage, open, 3, open > 0 ? Id : null);

    [Fact]
    public void An_erasure_needs_the_word_of_order_service_and_no_money()
    {
        var (erasure, customer) = Asked();
        var erased = ErasureRules.Answer(erasure, customer, Told(ErasureStages.Ask), hasMoney: false, Now);
        Assert.Equal(
            (null, null, 4L, (DateTimeOffset?)Now),
            (erased.Customer!.Name, erased.Customer.Email, erased.Customer.Version, erased.Customer.ErasedAt));
        Assert.Equal((ErasureStages.Decided, true), (erased.Erasure.Stage, erased.Sends));

        var open = ErasureRules.Answer(erasure, customer, Told(ErasureStages.Ask, 1), hasMoney: false, Now);
        Assert.Equal((ErasureStates.Refused, null, "Ann"), (open.Erasure.State, open.Customer!.ErasureId, open.Customer.Name));

        var rich = ErasureRules.Answer(erasure, customer, Told(ErasureStages.Ask), hasMoney: true, Now);
        Assert.Equal(
            (ErasureStates.Withdrawn, ErasureStages.Withdrawn, null), (rich.Erasure.State, rich.Erasure.Stage, rich.Customer));
        var kept = ErasureRules.Answer(rich.Erasure, customer, Told(ErasureStages.Withdrawn), hasMoney: true, Now);
        Assert.Equal((ErasureStates.Refused, null, "Ann"), (kept.Erasure.State, kept.Customer!.ErasureId, kept.Customer.Name));
    }

    [Theory]
    [InlineData(ErasureStages.Decided)]
    [InlineData(ErasureStages.Withdrawn)]
    public void An_answer_to_another_stage_decides_nothing(string stage)
    {
        var (erasure, customer) = Asked();
        var late = ErasureRules.Answer(erasure, customer, Told(stage), hasMoney: false, Now);
        Assert.Same(erasure, late.Erasure);
        Assert.Null(late.Customer);
    }

    [Theory]
    [InlineData(
        "Ann Lee", "ann@example.org", "Call ANN LEE at Ann@Example.org, not Annabel", "Call [erased] at [erased], not Annabel")]
    [InlineData("Jo Ng", null, "Jo Ng asked; Jo is away", "[erased] asked; Jo is away")]
    [InlineData("Ann", null, "Nothing about her", null)]
    [InlineData(null, null, "Anything", null)]
    public void Words_that_name_a_person_are_erased_as_whole_words(string? name, string? email, string text, string? without) =>
        Assert.Equal(without, PersonalWords.Without(text, PersonalWords.Of(name, email)));
}
