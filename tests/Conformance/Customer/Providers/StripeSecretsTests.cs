using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>Secrets must never be logged, stored or returned: our API key, and card numbers in Stripe's messages.</summary>
public sealed class StripeSecretsTests(SqliteEngine engine) : IClassFixture<SqliteEngine>
{
    const string Number = "4242 4242 4242 4242";

    readonly Guid order = Guid.CreateVersion7();

    [Fact]
    public async Task Our_key_appears_in_no_log_line_row_or_response()
    {
        await using var fixture = await StripeFixture.OpenAsync();
        using var logs = new Lines();
        await using var server = await CustomerServer.StartAsync(engine, [], logs, fixture.Provider);
        await server.AddCustomerAsync();
        foreach (var (status, body) in new[]
            {
                (401, ErrorOf("invalid_request_error")),
                (500, $"Authorization: Bearer {StripeMock.Key}"),
                (403, ErrorOf(StripeMock.Key)),
            })
        {
            fixture.Mock.Broken = (status, body);
            var one = Guid.CreateVersion7();
            await server.TellAsync(one, CustomerServer.Pay("stripe", fixture.TokenOf(Card.Good)));
            await CustomerServer.UntilAsync(async () =>
                (int?)(await server.GetAsync($"payments/{one}")).Body!["attempts"]?[0]!["sent"] >= 1
                && (string?)(await server.PaymentAsync(one))["attempts"]![0]!["state"] is "retry" or "in_doubt");
            Assert.DoesNotContain(StripeMock.Key, (await server.GetAsync($"payments/{one}")).Text, StringComparison.Ordinal);
        }
        fixture.Mock.Broken = null;
        Assert.Equal(
            StepOutcome.Completed,
            (await server.AskAsync(order, CustomerServer.Pay("stripe", fixture.TokenOf(Card.Good)))).Outcome);

        Assert.NotEmpty(logs.All);
        foreach (var secret in new[] { StripeMock.Key, StripeFixture.WebhookSecret })
        {
            Assert.DoesNotContain(logs.All, line => line.Contains(secret, StringComparison.Ordinal));
            foreach (var text in await RowsAsync(server)) Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_card_number_in_a_webhook_is_masked_and_the_webhook_still_settles()
    {
        await using var fixture = await StripeFixture.OpenAsync();
        using var logs = new Lines();
        await using var server = await CustomerServer.StartAsync(engine, [], logs, fixture.Provider);
        await server.AddCustomerAsync();
        await server.AskAsync(order, CustomerServer.Pay("stripe", fixture.TokenOf(Card.RequiresAction)));
        await fixture.ActAsync(order, approve: false);
        fixture.Mock.OfOrder(order).Single().Intent["last_payment_error"]!["message"] = $"The card {Number} was not approved.";
        var webhook = await fixture.WebhookAsync(order, SteadyTime.Shared.GetUtcNow());
        Assert.Contains(Number, webhook.Body, StringComparison.Ordinal);
        Assert.Equal(200, (await server.SendAsync(
            "POST", "webhooks/stripe", webhook.Body, header: (webhook.SignatureHeader, webhook.Signature))).Status);

        var answer = await server.SettledAsync(order);
        Assert.Equal((StepOutcome.Rejected, ReasonCodes.PaymentDeclined), (answer.Outcome, answer.Code));
        Assert.Equal(
            "The card **** **** **** **** was not approved.",
            (string?)(await server.PaymentAsync(order))["attempts"]![0]!["reason"]!["message"]);
        foreach (var text in await RowsAsync(server)) Assert.DoesNotContain("4242", text, StringComparison.Ordinal);
        Assert.DoesNotContain(logs.All, line => line.Contains("4242", StringComparison.Ordinal));
    }

    static string ErrorOf(string type) => new JsonObject
    {
        ["error"] = new JsonObject { ["type"] = type, ["message"] = $"Invalid API Key provided: {StripeMock.Key}" },
    }.ToJsonString();

    static async Task<List<string>> RowsAsync(CustomerServer server) => await server.QueryAsync(
        """
        SELECT coalesce(message, '') || coalesce(evidence, '') || coalesce(code, '') AS text FROM payment_attempts
        UNION ALL SELECT coalesce(message, '') || coalesce(attention, '') FROM payments
        UNION ALL SELECT body FROM gateway_events
        """,
        row => row.Text("text"));

    /// <summary>Lines of all loggers, including exceptions.</summary>
    sealed class Lines : ILoggerFactory, ILogger
    {
        readonly ConcurrentQueue<string> lines = new();

        public IReadOnlyCollection<string> All => lines;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
