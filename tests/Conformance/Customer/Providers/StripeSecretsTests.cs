using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>What must never be said or kept: our key at Stripe, and a card's number in what Stripe tells.</summary>
public sealed class StripeSecretsTests(SqliteEngine engine) : IClassFixture<SqliteEngine>
{
    const string Number = "4242 4242 4242 4242";

    readonly Guid order = Guid.CreateVersion7();

    [Fact]
    public async Task Our_key_is_in_no_log_line_no_row_and_no_answer_whatever_Stripe_says()
    {
        await using var house = await StripeHouse.OpenAsync();
        using var logs = new Lines();
        await using var server = await CustomerServer.StartAsync(engine, [], logs, house.Provider);
        await server.AddCustomerAsync();
        foreach (var (status, body) in new[]
            {
                (401, ErrorOf("invalid_request_error")),
                (500, $"Authorization: Bearer {StripeMock.Key}"),
                (403, ErrorOf(StripeMock.Key)),
            })
        {
            house.Mock.Broken = (status, body);
            var one = Guid.CreateVersion7();
            await server.TellAsync(one, CustomerServer.Pay("stripe", house.TokenOf(Card.Good)));
            await CustomerServer.UntilAsync(async () =>
                (int?)(await server.GetAsync($"payments/{one}")).Body!["attempts"]?[0]!["sent"] >= 1
                && (string?)(await server.PaymentAsync(one))["attempts"]![0]!["state"] is "retry" or "in_doubt");
            Assert.DoesNotContain(StripeMock.Key, (await server.GetAsync($"payments/{one}")).Text, StringComparison.Ordinal);
        }
        house.Mock.Broken = null;
        Assert.Equal(
            StepOutcome.Completed,
            (await server.AskAsync(order, CustomerServer.Pay("stripe", house.TokenOf(Card.Good)))).Outcome);

        Assert.NotEmpty(logs.All);
        foreach (var secret in new[] { StripeMock.Key, StripeHouse.WebhookSecret })
        {
            Assert.DoesNotContain(logs.All, line => line.Contains(secret, StringComparison.Ordinal));
            foreach (var text in await RowsAsync(server)) Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_card_number_in_a_webhook_or_a_reason_settles_what_it_tells_and_is_not_kept()
    {
        await using var house = await StripeHouse.OpenAsync();
        using var logs = new Lines();
        await using var server = await CustomerServer.StartAsync(engine, [], logs, house.Provider);
        await server.AddCustomerAsync();
        await server.AskAsync(order, CustomerServer.Pay("stripe", house.TokenOf(Card.RequiresAction)));
        await house.ActAsync(order, approve: false);
        house.Mock.OfOrder(order).Single().Intent["last_payment_error"]!["message"] = $"The card {Number} was not approved.";
        var told = await house.TellAsync(order, TimeProvider.System.GetUtcNow());
        Assert.Contains(Number, told.Body, StringComparison.Ordinal);
        Assert.Equal(200, (await server.SendAsync(
            "POST", "webhooks/stripe", told.Body, header: (told.SignatureHeader, told.Signature))).Status);

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

    /// <summary>Every line of every logger, with what an exception says.</summary>
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
