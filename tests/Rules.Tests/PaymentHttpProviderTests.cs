using System.Net;
using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;

namespace Orderwright.Rules.Tests;

/// <summary>What an answer over HTTP means for the money: only the contract's own words settle anything.</summary>
public class PaymentHttpProviderTests
{
    sealed class Stub(Func<HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(answer());
    }

    static readonly GatewayRequest Asked = new(
        "01980000-0000-7000-8000-000000000001:authorize:1", new("01980000-0000-7000-8000-000000000001"), "authorize", 1_530,
        "GBP", "tok_visa", null);

    static HttpProvider Over(Func<HttpResponseMessage> answer) => new(
        new HttpClient(new Stub(answer)) { BaseAddress = new Uri("https://pay.example.com/v1/") },
        new Signature("a secret of the gateway"u8.ToArray()), TimeProvider.System);

    static HttpProvider Answering(int status, string body) => Over(
        () => new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });

    [Theory]
    [InlineData(200, """{"outcome":"succeeded","id":"ch_1"}""", "Succeeded")]
    [InlineData(200, """{"outcome":"declined","code":"card_declined","message":"No."}""", "Declined")]
    [InlineData(200, """{"outcome":"action_required","id":"ch_1","actionUrl":"https://bank.example.com"}""", "ActionRequired")]
    [InlineData(503, """{"outcome":"unavailable","retryAfter":3}""", "Unavailable")]
    [InlineData(429, "", "Unavailable")]
    [InlineData(401, "", "Unavailable")]
    [InlineData(404, "<html>", "Unavailable")]
    [InlineData(400, """{"code":"invalid_request"}""", "Unavailable")]
    [InlineData(408, "", "Unknown")]
    [InlineData(200, """{"outcome":"succeeded"}""", "Unknown")]
    [InlineData(200, """{"outcome":"pending","id":"ch_1"}""", "Unknown")]
    [InlineData(200, """{"outcome":"succeeded","id":"ch_1","outcome":"declined"}""", "Unknown")]
    [InlineData(200, "<html>", "Unknown")]
    [InlineData(302, "", "Unknown")]
    [InlineData(409, "", "Unknown")]
    [InlineData(500, "", "Unknown")]
    [InlineData(502, "", "Unknown")]
    [InlineData(503, "upstream connect error", "Unknown")]
    [InlineData(504, "", "Unknown")]
    public async Task A_request_is_settled_by_the_gateways_own_words_only(int status, string body, string result) =>
        Assert.Equal(result, (await Answering(status, body).AuthorizeAsync(Asked, default)).GetType().Name);

    [Theory]
    [InlineData(200, """{"outcome":"succeeded","id":"ch_1"}""", "Succeeded")]
    [InlineData(404, """{"outcome":"unknown_key"}""", "NeverHappened")]
    [InlineData(404, "", "Unknown")]
    [InlineData(404, """{"outcome":"succeeded","id":"ch_1"}""", "Unknown")]
    [InlineData(400, "", "Unknown")]
    [InlineData(401, "", "Unknown")]
    [InlineData(500, "", "Unknown")]
    public async Task A_look_up_that_fails_says_nothing_about_what_it_looked_up(int status, string body, string result) =>
        Assert.Equal(result, (await Answering(status, body).FindAsync(Asked, default)).GetType().Name);

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, "Unavailable")]
    [InlineData(HttpRequestError.NameResolutionError, "Unavailable")]
    [InlineData(HttpRequestError.ResponseEnded, "Unknown")]
    [InlineData(HttpRequestError.Unknown, "Unknown")]
    public async Task A_call_that_broke_off_may_have_arrived_unless_it_was_never_sent(HttpRequestError error, string result) =>
        Assert.Equal(
            result, (await Over(() => throw new HttpRequestException(error)).AuthorizeAsync(Asked, default)).GetType().Name);

    [Fact]
    public void The_tools_own_settings_are_none_of_the_gateways()
    {
        // ORDERWRIGHT_URL stands in many an environment, for the command line tool.
        var settings = HttpGatewaySettings.Read(new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("Url", "http://127.0.0.1:4000"), new("Secret", "somebody else's"),
            new("GatewayUrl", "https://pay.example.com/v1"), new("GatewaySecret", "a secret of the gateway"),
        ]).Build());
        Assert.Equal(new Uri("https://pay.example.com/v1/"), settings!.Url);
    }
}
