using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Stripe;

namespace Orderwright.Rules.Tests;

/// <summary>Bodies of signed webhooks that the fuzzer found: unreadable or without an effect, never an exception.</summary>
public class PaymentWebhookTests
{
    const string Secret = "a secret of the gateway";

    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);

    static readonly HttpProvider Http = new(new HttpClient(), new Signature(Encoding.UTF8.GetBytes(Secret)), TimeProvider.System);

    static readonly StripeProvider Stripe = StripeProvider.Create(
        StripeSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(
            [new("StripeKey", "sk_test_1234567890abcdef"), new("StripeWebhookSecret", Secret)]).Build())!,
        new GatewayLimits());

    static WebhookReading Read(IPaymentProvider provider, string header, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var signature = new Signature(Encoding.UTF8.GetBytes(Secret)).Sign("", bytes, Now);
        return provider.ReadWebhook(new HeaderDictionary { [header] = signature }, bytes, Now);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("""{"id":"evt\u0000","type":"t","key":"k","answer":{"outcome":"declined"}}""")]
    [InlineData("""{"id":"evt","type":"t","key":"k","answer":{"outcome":"declined","message":"\ud800"}}""")]
    public void A_webhook_of_a_gateway_that_cannot_be_stored_is_unreadable(string body) =>
        Assert.IsType<WebhookReading.Unreadable>(Read(Http, HttpGatewayNames.SignatureHeader, body));

    [Theory]
    [InlineData("null")]
    [InlineData("""{"id":"evt","type":"refund.failed","data":{"object":null}}""")]
    [InlineData("""{"id":"evt","type":"payment_intent.succeeded","data":{"object":null}}""")]
    [InlineData("""{"id":"evt\u0000","type":"other","data":{"object":{}}}""")]
    public void A_webhook_of_Stripe_that_cannot_be_stored_is_unreadable(string body) =>
        Assert.IsType<WebhookReading.Unreadable>(Read(Stripe, StripeProvider.SignatureHeader, body));

    [Theory]
    [InlineData("\"soon\"")]
    [InlineData("9223372036854775807")]
    [InlineData("-1")]
    [InlineData("1.5")]
    public void An_expiry_that_is_no_time_is_unknown(string captureBefore)
    {
        var reading = Read(
            Stripe, StripeProvider.SignatureHeader,
            """
            {"id":"evt","type":"payment_intent.amount_capturable_updated","data":{"object":{
             "id":"pi_1","status":"requires_capture","amount":1530,"amount_received":0,"currency":"gbp",
             "latest_charge":{"payment_method_details":{"card":{"capture_before":
            """ + captureBefore + "}}}}}}");

        var result = Assert.Single(Assert.IsType<WebhookReading.Genuine>(reading).Events).Result;
        Assert.Null(Assert.IsType<GatewayResult.Succeeded>(result).HoldsUntil);
    }
}
