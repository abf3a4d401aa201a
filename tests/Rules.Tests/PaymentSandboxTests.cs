using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;

namespace Orderwright.Rules.Tests;

/// <summary>Rules of the sandbox gateway: tokens, idempotent requests, signatures and settings.</summary>
public class PaymentSandboxTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");

    static GatewayRequest RequestFor(string operation, string? token = null, long amount = 1_530, int n = 1) =>
        new(PaymentAttempt.KeyOf(Order, operation, n), Order, operation, amount, "GBP", token, "ch_1");

    static SandboxDecision Authorize(string? token, SandboxRequest? previous = null, SandboxCharge? charge = null) =>
        SandboxRules.Execute(RequestFor("authorize", token), previous, charge);

    static SandboxCharge Charge(string token) => Authorize(token).Charge!;

    [Theory]
    [InlineData(SandboxTokens.Visa)]
    [InlineData(SandboxTokens.Slow)]
    [InlineData(SandboxTokens.RefundFails)]
    public void A_valid_token_is_authorized_and_a_repetition_returns_the_same_result(string token)
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
        Assert.IsType<GatewayResult.NeverHappened>(SandboxRules.LookUp(RequestFor("authorize"), first.Request, null));
        Assert.IsType<GatewayResult.Succeeded>(Authorize(SandboxTokens.Error, first.Request).Result);
    }

    [Fact]
    public void A_lost_request_never_happened()
    {
        var first = Authorize(SandboxTokens.TimeoutBeforeCharge);
        Assert.Equal((true, null), (first.Lost, first.Charge));
        Assert.IsType<GatewayResult.NeverHappened>(SandboxRules.LookUp(RequestFor("authorize"), first.Request, null));
        var second = Authorize(SandboxTokens.TimeoutBeforeCharge, first.Request);
        Assert.Equal((false, "authorized"), (second.Lost, second.Charge!.State));
    }

    [Fact]
    public void A_lost_response_can_be_looked_up()
    {
        var first = Authorize(SandboxTokens.TimeoutAfterCharge);
        Assert.Equal((true, "authorized"), (first.Lost, first.Charge!.State));
        Assert.Equal(
            new GatewayResult.Succeeded(first.Charge.Id),
            SandboxRules.LookUp(RequestFor("authorize"), first.Request, first.Charge));
        Assert.False(Authorize(SandboxTokens.TimeoutAfterCharge, first.Request, first.Charge).Lost);
    }

    [Fact]
    public void An_action_has_effect_once()
    {
        var waiting = Authorize(SandboxTokens.RequiresAction);
        Assert.Equal(
            new GatewayResult.ActionRequired(waiting.Charge!.Id, $"/api/v1/sandbox/actions/{Order}"), waiting.Result);
        var approved = SandboxRules.ApplyAction(waiting.Charge, approve: true)!;
        Assert.Equal(("authorized", 1_530L), (approved.State, approved.AuthorizedMinor));
        Assert.IsType<GatewayResult.Succeeded>(SandboxRules.LookUp(RequestFor("authorize"), waiting.Request, approved));
        Assert.Null(SandboxRules.ApplyAction(approved, approve: false));
        var refused = SandboxRules.ApplyAction(waiting.Charge, approve: false)!;
        Assert.IsType<GatewayResult.Declined>(SandboxRules.LookUp(RequestFor("authorize"), waiting.Request, refused));

        var voided = SandboxRules.Execute(RequestFor("void"), null, waiting.Charge).Charge!;
        Assert.Null(SandboxRules.ApplyAction(voided, approve: true));
        Assert.IsType<GatewayResult.Declined>(SandboxRules.LookUp(RequestFor("authorize"), waiting.Request, voided));
    }

    [Fact]
    public void Captures_voids_and_refunds_never_exceed_the_charge()
    {
        var held = Charge(SandboxTokens.Visa);
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Execute(RequestFor("capture", amount: 1_531), null, held).Result);
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Execute(RequestFor("capture"), null, null).Result);
        var captured = SandboxRules.Execute(RequestFor("capture"), null, held).Charge!;
        Assert.Equal(("captured", 1_530L), (captured.State, captured.CapturedMinor));
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Execute(RequestFor("capture", n: 2), null, captured).Result);
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Execute(RequestFor("void"), null, captured).Result);
        var part = SandboxRules.Execute(RequestFor("refund", amount: 530), null, captured).Charge!;
        Assert.Equal(("captured", 530L), (part.State, part.RefundedMinor));
        Assert.IsType<GatewayResult.Declined>(SandboxRules.Execute(RequestFor("refund", amount: 1_001, n: 2), null, part).Result);
        Assert.Equal("refunded", SandboxRules.Execute(RequestFor("refund", amount: 1_000, n: 2), null, part).Charge!.State);
    }

    [Fact]
    public void A_failing_refund_fails_identically_when_repeated()
    {
        var captured = SandboxRules.Execute(RequestFor("capture"), null, Charge(SandboxTokens.RefundFails)).Charge!;
        var failed = SandboxRules.Execute(RequestFor("refund"), null, captured);
        Assert.Equal("refund_refused", Assert.IsType<GatewayResult.Declined>(failed.Result).Code);
        Assert.Equal(failed.Result, SandboxRules.Execute(RequestFor("refund"), failed.Request, captured).Result);
        Assert.Equal(failed.Result, SandboxRules.LookUp(RequestFor("refund"), failed.Request, captured));
    }

    [Fact]
    public void A_webhook_is_valid_only_as_signed_and_for_five_minutes()
    {
        var provider = Provider(("SandboxSecret", "a secret of the sandbox"));
        var charge = Charge(SandboxTokens.Visa);
        var (headers, body) = provider.Webhook(charge, Now);
        var received = Assert.Single(Assert.IsType<WebhookReading.Genuine>(provider.ReadWebhook(headers, body, Now)).Events);
        Assert.Equal(
            (charge.Key, new GatewayResult.Succeeded(charge.Id), "charge.authorized"),
            (received.Key, received.Result, received.Type));

        var seconds = Now.ToUnixTimeSeconds();
        var signature = headers[SandboxProvider.SignatureHeader].ToString().Split("v1=")[1];
        var other = Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(body).Replace("authorized", "declined", StringComparison.Ordinal));
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
    public void The_sandbox_is_off_unless_requested_or_on_loopback(
        bool on, string? listen, string? sandbox, string? secret) =>
        Assert.Equal(on, Settings(("Listen", listen), ("Sandbox", sandbox), ("SandboxSecret", secret)).Sandbox);

    [Theory]
    [InlineData("http://0.0.0.0:4002", "")]
    [InlineData("http://0.0.0.0:4002", "short")]
    [InlineData(null, "short")]
    public void A_weak_secret_is_refused_at_start_up(string? listen, string secret) =>
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
    public void A_limit_out_of_range_is_refused_at_start_up(string name, string value) =>
        Assert.Contains(
            value,
            Assert.Throws<InvalidSettingException>(() => new ConfigurationBuilder()
                .AddInMemoryCollection([KeyValuePair.Create(name, (string?)value)]).Build().Bind<GatewayLimits>()).Message,
            StringComparison.Ordinal);

    static SandboxSettings Settings(params (string Name, string? Value)[] values) =>
        SandboxSettings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(setting => KeyValuePair.Create(setting.Name, setting.Value))).Build());

    static SandboxProvider Provider(params (string Name, string? Value)[] values) =>
        new(null!, Settings(values), TimeProvider.System, (_, _) => Task.CompletedTask);
}
