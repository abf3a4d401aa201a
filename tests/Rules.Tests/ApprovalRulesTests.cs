using System.Collections.Frozen;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>Roles, amounts by currency, and decisions about approvals.</summary>
public class ApprovalRulesTests
{
    static readonly DateTimeOffset At = new(2026, 12, 1, 9, 0, 0, TimeSpan.Zero);

    static readonly Approval Pending = new(
        Guid.Empty, ApprovedOperations.Refund, null, "ada", "main", 1_000, "GBP", "Refund 10.00 GBP to ada.", "Late.", "{}",
        "ann", At, At.AddHours(24));

    static int? RefusalOf(Approval approval, string person, DateTimeOffset at) =>
        ApprovalRules.Refuse(approval, person, at)?.Status;

    [Fact]
    public void A_pending_approval_is_decided_by_another_person_until_it_expires()
    {
        Assert.Null(RefusalOf(Pending, "bob", At));
        Assert.Equal(403, RefusalOf(Pending, "ann", At));
        Assert.Null(RefusalOf(Pending, "bob", At.AddHours(24).AddMilliseconds(-1)));
        Assert.Equal(409, RefusalOf(Pending, "bob", At.AddHours(24)));
    }

    [Fact]
    public void A_decision_is_final_and_its_repetition_by_the_same_person_is_none()
    {
        var approve = new Verdict(Guid.Empty, Approves: true, null);
        var approved = ApprovalRules.Decide(Pending, approve, "bob", At);
        Assert.Equal(("approved", "bob", At), (approved.State, approved.DecidedBy, approved.DecidedAt));
        Assert.Equal(409, RefusalOf(approved, "eve", At));
        Assert.True(ApprovalRules.IsRepeated(approved, approve, "bob"));
        Assert.False(ApprovalRules.IsRepeated(approved, approve, "eve"));
        Assert.False(ApprovalRules.IsRepeated(approved, approve with { Approves = false }, "bob"));
        Assert.Equal(409, RefusalOf(ApprovalRules.Expire(Pending, At), "bob", At));
    }

    [Theory]
    [InlineData("", "GBP", null)]
    [InlineData("GBP:500", "GBP", 500L)]
    [InlineData("GBP:500", "EUR", null)]
    [InlineData("GBP:500, *:7", "EUR", 7L)]
    [InlineData("*:7,GBP:0", "GBP", 0L)]
    public void An_amount_is_that_of_the_currency_or_of_all_others(string text, string currency, long? amount) =>
        Assert.Equal(amount, AmountLimits.Read("APPROVAL_ABOVE", text).Of(currency));

    [Theory]
    [InlineData("500")]
    [InlineData("GBP:")]
    [InlineData("GBP:1.5")]
    [InlineData("GBP:-1")]
    [InlineData("gbp:1")]
    [InlineData("GBP:1,GBP:1")]
    [InlineData("GBP:1000000000001")]
    public void A_malformed_amount_is_refused(string text) =>
        Assert.Throws<InvalidSettingException>(() => AmountLimits.Read("APPROVAL_ABOVE", text));

    [Fact]
    public void Every_role_is_made_of_known_scopes_and_only_admin_has_all()
    {
        Assert.Equal(Roles.All.Order(), Roles.Table.Keys.Order());
        Assert.All(Roles.Table.Values, scopes => Assert.Subset(Scopes.All.ToHashSet(), scopes.ToHashSet()));
        Assert.Equal([Roles.Admin], Roles.Table.Where(role => Scopes.All.All(May(role.Value))).Select(role => role.Key));
    }

    [Fact]
    public void An_auditor_has_no_scope_that_changes_anything()
    {
        var changes = Scopes.All.Where(scope => scope is not (Scopes.Payments or Scopes.Metrics) && !scope.EndsWith(":read"));
        Assert.DoesNotContain(true, changes.Select(May(Roles.Table[Roles.Auditor])));
    }

    [Fact]
    public void A_wide_scope_includes_its_narrow_ones_and_not_the_other_way_round()
    {
        Assert.True(Scopes.AreGranted([Scopes.Orders], Scopes.OrdersCancel));
        Assert.False(Scopes.AreGranted([Scopes.OrdersCancel], Scopes.Orders));
        Assert.True(Scopes.AreGranted([Scopes.Operator], Scopes.ApprovalsRead));
        Assert.False(Scopes.AreGranted([Scopes.Operator], Scopes.Payments));
        Assert.False(Scopes.AreGranted([Scopes.Orders], Scopes.OrdersPrice));
    }

    static Func<string, bool> May(FrozenSet<string> granted) => scope => Scopes.AreGranted(granted, scope);
}
