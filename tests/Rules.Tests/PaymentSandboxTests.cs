using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>The sandbox as a gateway of its own: what each token does, once per key; and who may say so.</summary>
public class PaymentSandboxTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");

    static GatewayRequest Ask(string operation, string? token = null, long amount = 1_530, int n = 1) =>
        new(GatewayCall.KeyOf(Order, operation, n), Order, operation, amount, "GBP", token, "ch_1");

    static SandboxDecision Authorize(string? token, SandboxRequest? seen = null, SandboxCharge? charge = null) =>
        SandboxRules.Do(Ask("authorize", token), seen, charge);

    static SandboxCharge Charge(string token) => Authorize(token).Charge!;

    [Theory]
    [InlineData(SandboxTokens.Visa)]
    [InlineData(SandboxTokens.Slow)]
    [InlineData(SandboxTokens.RefundFails)]
    public void A_good_token_is_authorized_and_a_repetition_gets_the_same_answer(string token)
    {
        var first = Authorize(token);
        Assert.Equal(("authorized", 1_530L, 0L), (first.Charge!.State, first.Charge.AuthorizedMinor, first.Charge.CapturedMinor));
        Assert.Equal(new GatewayResult.Succeeded(first.Charge.Id), first.Result);
        var again = Authorize(token, first.Request, first.Charge);
        Assert.Equal((first.Result, null, null), (again.Result, again.Charge, again.Request));
    }

    [Theory]
    [InlineData(SandboxTokens.Declined, "card_declined")]
    [InlineData(SandboxTokens.InsufficientFunds, "insufficient_funds")]
    [InlineData("tok_mastercard", "unknown_token")]
    [InlineData(null, "unknown_token")]
    public void A_bad_token_is_declined(string? token, string code)
    {
        var declined = Authorize(token);
        Assert.Equal(code, Assert.IsType<GatewayResult.Declined>(declined.Result).Code);
        Assert.Equal(0, declined.Charge!.AuthorizedMinor);
        Assert.Equal(declined.Result, Authorize(token, declined.Request, declined.Charge).Result);
    }

    [Fact]
    public void An_error_happens_once_per_key()
    {
        var first = Authorize(SandboxTokens.Error);
        Assert.IsType<GatewayResult.Unavailable>(first.Result);
        Assert.Null(first.Charge);
        Assert.IsType<GatewayResult.NeverHappened>(SandboxRules.LookUp(Ask("authorize"), first.Request, null));
        Assert.IsType<GatewayResult.Succeeded>(Authorize(SandboxTokens.Error, first.Request).Result);
    }

    [Fact]
    public void A_request_lost_on_its_way_never_happened()
    {
        var first = Authorize(SandboxTokens.TimeoutBeforeCharge);
        Assert.Equal((true, null), (first.Lost, first.Charge));
        Assert.IsType<GatewayResult.NeverHappened>(SandboxRules.LookUp(Ask("authorize"), first.Request, null));
        var second = Authorize(SandboxTokens.TimeoutBeforeCharge, first.Request);
        Assert.Equal((false, "authorized"), (second.Lost, second.Charge!.State));
    }

    [Fact]
    public void An_answer_lost_on_its_way_back_can_be_looked_up()
    {
        var first = Authorize(SandboxTokens.TimeoutAfterCharge);
        Assert.Equal((true, "authorized"), (first.Lost, first.Charge!.State));
        Assert.Equal(
            new GatewayResult.Succeeded(first.Charge.Id),
            SandboxRules.LookUp(Ask("authorize"), first.Request, first.Charge));
        Assert.False(Authorize(SandboxTokens.TimeoutAfterCharge, first.Request, first.Charge).Lost);
    }

    [Fact]
    public void An_action_is_taken_once()
    {
        var asked = Authorize(SandboxTokens.RequiresAction);
        Assert.Equal(
            new GatewayResult.ActionRequired(asked.Charge!.Id, $"/api/v1/sandbox/actions/{Order}"), asked.Result);
        var approved = SandboxRules.Act(asked.Charge, approve: true)!;
        Assert.Equal(("authorized", 1_530L), (approved.State, approved.AuthorizedMinor));
        Assert.IsType<GatewayResult.Succeeded>(SandboxRules.LookUp(Ask("authorize"), asked.Request, approved));
        Assert.Null(SandboxRules.Act(approved, approve: false));
        var refused = SandboxRules.Act(asked.Charge, approve: false)!;
        Assert.IsType<GatewayResult.Declined>(SandboxRules.LookUp(Ask("authorize"), asked.Request, refused));

        var voided = SandboxRules.Do(Ask("void"), null, asked.Charge).Charge!;
        Assert.Null(SandboxRules.Act(voided, approve: true));
        Assert.IsType<GatewayResult.Declined>(SandboxRules.LookUp(Ask("authorize"), asked.Request, voided));
    }

    [Fact]
    public void Captures_voids_and_refunds_keep_within_what_there_is()
    {
        var held = Charge(SandboxTokens.Visa);
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Do(Ask("capture", amount: 1_531), null, held).Result);
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Do(Ask("capture"), null, null).Result);
        var captured = SandboxRules.Do(Ask("capture"), null, held).Charge!;
        Assert.Equal(("captured", 1_530L), (captured.State, captured.CapturedMinor));
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Do(Ask("capture", n: 2), null, captured).Result);
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Do(Ask("void"), null, captured).Result);
        var part = SandboxRules.Do(Ask("refund", amount: 530), null, captured).Charge!;
        Assert.Equal(("captured", 530L), (part.State, part.RefundedMinor));
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Do(Ask("refund", amount: 1_001, n: 2), null, part).Result);
        Assert.Equal("refunded", SandboxRules.Do(Ask("refund", amount: 1_000, n: 2), null, part).Charge!.State);
    }

    [Fact]
    public void A_refund_can_be_made_to_fail_and_fails_again_the_same_way()
    {
        var captured = SandboxRules.Do(Ask("capture"), null, Charge(SandboxTokens.RefundFails)).Charge!;
        var failed = SandboxRules.Do(Ask("refund"), null, captured);
        Assert.Equal("refund_refused", Assert.IsType<GatewayResult.Declined>(failed.Result).Code);
        Assert.Equal(failed.Result, SandboxRules.Do(Ask("refund"), failed.Request, captured).Result);
        Assert.Equal(failed.Result, SandboxRules.LookUp(Ask("refund"), failed.Request, captured));
    }

    [Fact]
    public void A_webhook_holds_only_as_it_was_signed_and_only_for_five_minutes()
    {
        var provider = Provider(("SandboxSecret", "a secret of the sandbox"));
        var charge = Charge(SandboxTokens.Visa);
        var (headers, body) = provider.Webhook(charge, Now);
        var told = Assert.Single(Assert.IsType<WebhookReading.Genuine>(provider.ReadWebhook(headers, body, Now)).Events);
        Assert.Equal(
            (charge.Key, new GatewayResult.Succeeded(charge.Id), "charge.authorized"), (told.Key, told.Result, told.Type));

        var seconds = Now.ToUnixTimeSeconds();
        var signature = headers[SandboxProvider.SignatureHeader].ToString().Split("v1=")[1];
        var other = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace("authorized", "declined", StringComparison.Ordinal));
        Assert.IsType<WebhookReading.Genuine>(provider.ReadWebhook(headers, body, Now.AddMinutes(5)));
        Assert.IsType<WebhookReading.Genuine>(provider.ReadWebhook(headers, body, Now.AddMinutes(-5)));
        Assert.IsType<WebhookReading.Forged>(provider.ReadWebhook(headers, body, Now.AddSeconds(301)));
        Assert.IsType<WebhookReading.Forged>(provider.ReadWebhook(headers, body, Now.AddSeconds(-301)));
        Assert.IsType<WebhookReading.Forged>(provider.ReadWebhook(headers, other, Now));
        Assert.IsType<WebhookReading.Forged>(
            Provider(("SandboxSecret", "another secret, as long")).ReadWebhook(headers, body, Now));
        foreach (var forged in new[]
        {
            "", "t=,v1=", $"t={seconds}", $"v1={signature},t={seconds}", $"t={seconds + 1},v1={signature}",
            $"t={seconds},v1={signature[..^1]}", $"t={seconds},v1={signature[..^1]}z", $"t=99999999999999999,v1={signature}",
            $"t={seconds},v0={signature}", $"t=-{seconds},v1={signature}",
        })
            Assert.IsType<WebhookReading.Forged>(provider.ReadWebhook(
                new HeaderDictionary { [SandboxProvider.SignatureHeader] = forged }, body, Now));
    }

    [Theory]
    [InlineData(true, null, null, null)]
    [InlineData(true, "http://127.0.0.1:4002", null, null)]
    [InlineData(false, "http://0.0.0.0:4002", null, null)]
    [InlineData(false, "http://*:4002", null, null)]
    [InlineData(true, "http://0.0.0.0:4002", "true", "sixteen characters")]
    [InlineData(false, null, "false", null)]
    public void Where_others_can_reach_it_the_sandbox_is_off_unless_asked_for(
        bool on, string? listen, string? sandbox, string? secret) =>
        Assert.Equal(on, Settings(("Listen", listen), ("Sandbox", sandbox), ("SandboxSecret", secret)).Sandbox);

    [Theory]
    [InlineData("http://0.0.0.0:4002", "")]
    [InlineData("http://0.0.0.0:4002", "short")]
    [InlineData(null, "short")]
    public void A_weak_secret_is_refused_at_the_start(string? listen, string secret) =>
        Assert.Contains(
            "ORDERWRIGHT_SANDBOX_SECRET",
            Assert.Throws<InvalidSettingException>(
                () => Settings(("Listen", listen), ("Sandbox", "true"), ("SandboxSecret", secret))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("GatewayDeadline", "50ms")]
    [InlineData("GatewayDeadline", "2m")]
    [InlineData("GatewayPollEvery", "0s")]
    [InlineData("GatewayMaxInFlight", "0")]
    public void A_limit_out_of_its_range_is_refused_at_the_start(string name, string value) =>
        Assert.Contains(
            value,
            Assert.Throws<InvalidSettingException>(() => new ConfigurationBuilder()
                .AddInMemoryCollection([KeyValuePair.Create(name, (string?)value)]).Build().Bind<GatewayLimits>()).Message,
            StringComparison.Ordinal);

    static SandboxSettings Settings(params (string Name, string? Value)[] said) =>
        SandboxSettings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(said.Select(one => KeyValuePair.Create(one.Name, one.Value))).Build());

    static SandboxProvider Provider(params (string Name, string? Value)[] said) =>
        new(null!, Settings(said), TimeProvider.System, (_, _) => Task.CompletedTask);
}
