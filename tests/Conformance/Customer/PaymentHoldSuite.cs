using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Providers.Sandbox;

namespace Orderwright.Conformance.Customer;

/// <summary>Expiring authorizations, on every engine.</summary>
public abstract class PaymentHoldSuite(StorageEngine engine)
{
    [Fact]
    public async Task A_payment_is_flagged_before_and_after_its_authorization_expires()
    {
        await using var server = await CustomerServer.StartAsync(engine, [("SandboxHolds", "25h")]);
        await server.AddCustomerAsync();
        var (order, taken) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var one in new[] { order, taken })
            await server.AskAsync(one, CustomerServer.Pay("sandbox", SandboxTokens.Visa));
        Assert.NotNull((await server.PaymentAsync(order))["captureBefore"]);
        await server.AskAsync(taken, new CapturePayment());
        Assert.Null((await server.PaymentAsync(taken))["captureBefore"]);
        Assert.Empty(await ListAsync());

        // A starting instance checks the authorizations at once.
        server.Clock.Forward(TimeSpan.FromHours(2));
        await using (await server.StartAnotherAsync())
            await UntilAsync("The authorization expires at");
        Assert.Equal([order], await ListAsync());
        server.Clock.Forward(TimeSpan.FromHours(24));
        await using (await server.StartAnotherAsync())
            await UntilAsync("The authorization expired at");

        // A shipment now cannot be captured: the payment is flagged, and the capture is not repeated at once.
        for (var i = 0; i < 3; i++) await server.TellAsync(order, new TakeShipped(500, Close: false));
        await CustomerServer.UntilAsync(async () =>
            (await server.PaymentAsync(order))["captures"]!.AsArray() is [var capture] && (string?)capture!["state"] == "failed");
        await server.TellAsync(order, new TakeShipped(500, Close: false));
        Assert.Equal((StepOutcome.Completed, true), Of(await server.AskAsync(order, new UndoPayment("cancelled"))));
        Assert.Single((await server.PaymentAsync(order))["captures"]!.AsArray());
        Assert.Equal("settled", (string?)(await server.PaymentAsync(order))["voids"]![0]!["state"]);
        Assert.Empty(await ListAsync());

        Task UntilAsync(string attention) => CustomerServer.UntilAsync(async () =>
            (string?)(await server.PaymentAsync(order))["attention"] is { } actual
            && actual.StartsWith(attention, StringComparison.Ordinal));

        async Task<Guid[]> ListAsync() =>
        [
            .. (await server.GetAsync("payments?attention=true")).Body!["items"]!.AsArray()
                .Select(payment => payment!["id"]!.GetValue<Guid>()),
        ];

        static (StepOutcome, bool) Of(StepAnswered answer) => (answer.Outcome, answer.Payment!.Voided);
    }
}

public sealed class PostgresPaymentHolds(PostgresEngine engine) : PaymentHoldSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqlitePaymentHolds(SqliteEngine engine) : PaymentHoldSuite(engine), IClassFixture<SqliteEngine>;
