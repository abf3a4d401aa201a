using System.Net;
using Orderwright.Contracts;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Webhooks;

namespace Orderwright.Rules;

public class WebhookRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    static readonly WebhookDelivery First =
        new(Guid.NewGuid(), Guid.NewGuid(), 7, Guid.NewGuid(), OrderEventTypes.Placed, DeliveryStates.Waiting, 0, Now, null);

    static readonly WebhookEndpoint Endpoint = new(
        First.EndpointId, "main", "https://example.com/", ["*"], null, new("whsec_"), EndpointStates.Active, null,
        new(5, 0, null, Now), 1, Now, Now);

    static CallAttempt Answered(int? status, DateTimeOffset? at = null, TimeSpan? retryAfter = null) =>
        new(at ?? Now, status, TimeSpan.FromMilliseconds(3), null, retryAfter);

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("2606:4700:4700::1111")]
    public void A_public_address_is_allowed_over_https_only(string address)
    {
        var networks = new ReceiverNetworks("WEBHOOK_NETWORKS", []);
        Assert.Null(networks.Refuse(IPAddress.Parse(address), isEncrypted: true));
        Assert.Contains("https", networks.Refuse(IPAddress.Parse(address), isEncrypted: false));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.9.10")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("100.100.100.200")]
    [InlineData("169.254.169.254")]
    [InlineData("172.31.255.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.19.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001:0:a9fe:a9fe::")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    public void An_internal_address_is_refused(string address) =>
        Assert.Contains(
            "not public",
            new ReceiverNetworks("WEBHOOK_NETWORKS", []).Refuse(IPAddress.Parse(address), isEncrypted: true));

    [Fact]
    public void A_network_can_be_allowed()
    {
        var networks = new ReceiverNetworks("WEBHOOK_NETWORKS", [IPNetwork.Parse("10.1.0.0/16")]);
        Assert.Null(networks.Refuse(IPAddress.Parse("10.1.2.3"), isEncrypted: false));
        Assert.Null(networks.Refuse(IPAddress.Parse("::ffff:10.1.2.3"), isEncrypted: false));
        Assert.NotNull(networks.Refuse(IPAddress.Parse("10.2.2.3"), isEncrypted: true));
    }

    [Fact]
    public void A_delivery_is_retried_for_three_days_and_then_failed()
    {
        var (delivery, at) = (First, Now);
        while (delivery.State == DeliveryStates.Waiting)
        {
            delivery = WebhookRules.After(delivery, Answered(500, at), 0.5);
            at = delivery.NextAttemptAt ?? at;
        }
        Assert.Equal((DeliveryStates.Failed, WebhookRules.MostAttempts), (delivery.State, delivery.Attempts));
        Assert.InRange(at - Now, TimeSpan.FromDays(2.9), TimeSpan.FromDays(3.1));
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(0.5, 5)]
    [InlineData(1, 6)]
    public void Jitter_spreads_retries_by_a_fifth(double jitter, int seconds) =>
        Assert.Equal(Now.AddSeconds(seconds), WebhookRules.After(First, Answered(null), jitter).NextAttemptAt);

    [Theory]
    [InlineData(1, 5)]
    [InlineData(90, 90)]
    [InlineData(86_400, 3_600)]
    public void A_receiver_may_ask_for_a_longer_pause_of_up_to_an_hour(int requested, int seconds) =>
        Assert.Equal(
            Now.AddSeconds(seconds),
            WebhookRules.After(First, Answered(429, retryAfter: TimeSpan.FromSeconds(requested)), 0.5).NextAttemptAt);

    [Fact]
    public void A_round_without_success_slows_the_endpoint_down_and_a_success_ends_that()
    {
        var failing = WebhookRules.After(Endpoint, 9, [Answered(500), Answered(null)], 0.5, Now);
        Assert.Equal((9, 1, Now, Now.AddSeconds(1)), (
            failing.Progress.Position, failing.Progress.Failures, failing.Progress.FailingSince, failing.Progress.NextRoundAt));
        for (var i = 0; i < 20; i++) failing = WebhookRules.After(failing, 9, [Answered(500)], 0.5, Now.AddMinutes(i));
        Assert.Equal(WebhookRules.LongestRoundPause, failing.Progress.NextRoundAt - Now.AddMinutes(19));

        var back = WebhookRules.After(failing, 12, [Answered(500), Answered(204)], 0.5, Now.AddHours(1));
        Assert.Equal((0, null), (back.Progress.Failures, back.Progress.FailingSince));
    }

    [Fact]
    public void A_round_without_attempts_only_moves_the_position()
    {
        var failing = WebhookRules.After(Endpoint, 9, [Answered(500)], 0.5, Now);
        var after = WebhookRules.After(failing, 12, [], 0.5, Now.AddSeconds(2));
        Assert.Equal((12, 1, EndpointStates.Active), (after.Progress.Position, after.Progress.Failures, after.State));
    }

    [Fact]
    public void An_endpoint_is_disabled_by_410_and_after_three_days_without_success()
    {
        Assert.Equal(DisabledReasons.Gone, WebhookRules.After(Endpoint, 9, [Answered(200), Answered(410)], 0, Now).Reason);
        var failing = WebhookRules.After(Endpoint, 9, [Answered(500)], 0.5, Now);
        Assert.Equal(
            EndpointStates.Active,
            WebhookRules.After(failing, 9, [Answered(500)], 0, Now + WebhookRules.GiveUpAfter - TimeSpan.FromSeconds(1)).State);
        Assert.Equal(
            DisabledReasons.Unreachable,
            WebhookRules.After(failing, 9, [Answered(500)], 0, Now + WebhookRules.GiveUpAfter).Reason);
    }

    [Theory]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true)]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", false)]
    [InlineData("whsec_not base64", false)]
    [InlineData("", false)]
    public void A_secret_has_24_to_64_bytes(string secret, bool isSecret)
    {
        Assert.Equal(isSecret, WebhookSignature.IsSecret(secret));
        Assert.True(WebhookSignature.IsSecret(WebhookSignature.NewSecret()));
        Assert.False(WebhookSignature.IsSecret("whsec_" + Convert.ToBase64String(new byte[65])));
    }

    /// <summary>Example of the specification of Standard Webhooks.</summary>
    [Fact]
    public void The_signature_is_that_of_standard_webhooks() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookSignature.Sign(
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330,
            "{\"test\": 2432232314}"u8));
}
