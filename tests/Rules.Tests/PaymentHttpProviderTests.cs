using System.Net;
using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;

namespace Orderwright.Rules.Tests;

/// <summary>Interpretation of a gateway's HTTP responses: only outcomes of the contract settle an attempt.</summary>
public class PaymentHttpProviderTests
{
    sealed class Stub(Func<HttpResponseMessage> respond) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(respond());
    }

    static readonly GatewayRequest Request = new(
        "01980000-0000-7000-8000-000000000001:authorize:1", new("01980000-0000-7000-8000-000000000001"), "authorize", 1_530,
        "GBP", "tok_visa", null);

    static HttpProvider ProviderWith(Func<HttpResponseMessage> respond) => new(
        new HttpClient(new Stub(respond)) { BaseAddress = new Uri("https://pay.example.com/v1/") },
        new Signature("a secret of the gateway"u8.ToArray()), TimeProvider.System);

    static HttpProvider Responding(int status, string body) => ProviderWith(() => new HttpResponseMessage((HttpStatusCode)status)
    {
        Content = new StringContent(body, Encoding.UTF8, "application/json"),
    });

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
    public async Task Only_outcomes_of_the_contract_settle_a_request(int status, string body, string result) =>
        Assert.Equal(result, (await Responding(status, body).AuthorizeAsync(Request, default)).GetType().Name);

    [Theory]
    [InlineData(200, """{"outcome":"succeeded","id":"ch_1"}""", "Succeeded")]
    [InlineData(404, """{"outcome":"unknown_key"}""", "NeverHappened")]
    [InlineData(404, "", "Unknown")]
    [InlineData(404, """{"outcome":"succeeded","id":"ch_1"}""", "Unknown")]
    [InlineData(400, "", "Unknown")]
    [InlineData(401, "", "Unknown")]
    [InlineData(500, "", "Unknown")]
    public async Task A_failed_look_up_settles_nothing(int status, string body, string result) =>
        Assert.Equal(result, (await Responding(status, body).FindAsync(Request, default)).GetType().Name);

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, "Unavailable")]
    [InlineData(HttpRequestError.NameResolutionError, "Unavailable")]
    [InlineData(HttpRequestError.ResponseEnded, "Unknown")]
    [InlineData(HttpRequestError.Unknown, "Unknown")]
    public async Task A_broken_call_is_in_doubt_unless_certainly_never_sent(HttpRequestError error, string result) =>
        Assert.Equal(
            result,
            (await ProviderWith(() => throw new HttpRequestException(error)).AuthorizeAsync(Request, default)).GetType().Name);

    [Fact]
    public void Settings_of_the_command_line_tool_do_not_affect_the_gateway()
    {
        // ORDERWRIGHT_URL is often set for the command line tool.
        var settings = HttpGatewaySettings.Read(new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("Url", "http://127.0.0.1:4000"), new("Secret", "somebody else's"),
            new("GatewayUrl", "https://pay.example.com/v1"), new("GatewaySecret", "a secret of the gateway"),
        ]).Build());
        Assert.Equal(new Uri("https://pay.example.com/v1/"), settings!.Url);
    }
}
