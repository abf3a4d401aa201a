using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Conformance.Customer;

/// <summary>Outage and recovery of a gateway: orders wait, and the gateway is not flooded.</summary>
public sealed class PaymentOutageTests(SqliteEngine engine) : IClassFixture<SqliteEngine>
{
    sealed class Away : IPaymentProvider
    {
        readonly ConcurrentDictionary<string, GatewayResult> done = new();
        int requests;
        int lookUps;

        public string Name => "away";

        public ProviderCapabilities Capabilities { get; } = new(true, true, true, false, false);

        public volatile bool IsDown;

        public int Requests => Volatile.Read(ref requests);

        public int LookUps => Volatile.Read(ref lookUps);

        public int Done => done.Count;

        public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel)
        {
            // Half of the failures are certainly without effect, the other half in doubt.
            var n = Interlocked.Increment(ref requests);
            GatewayResult result = !IsDown ? done.GetOrAdd(request.Key, key => new GatewayResult.Succeeded(key))
                : n % 2 == 0 ? new GatewayResult.Unavailable("503")
                : new GatewayResult.Unknown("502");
            return Task.FromResult(result);
        }

        public Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel)
        {
            Interlocked.Increment(ref lookUps);
            return Task.FromResult(IsDown ? new GatewayResult.Unknown("502")
                : done.TryGetValue(request.Key, out var result) ? result
                : new GatewayResult.NeverHappened(Final: false));
        }

        public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
            throw new NotSupportedException();

        public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
            throw new NotSupportedException();

        public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
            throw new NotSupportedException();

        public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
            new WebhookReading.Forged("It sends none.");
    }

    [Fact]
    public async Task Orders_wait_out_a_ten_minute_outage_with_few_requests_and_then_complete()
    {
        const int Orders = 200;
        var gateway = new Away { IsDown = true };
        await using var server = await CustomerServer.StartAsync(engine, [("GatewayBreakAfter", "20")], gateway);
        await server.AddCustomerAsync();
        var orders = Enumerable.Range(0, Orders).Select(_ => Guid.CreateVersion7()).ToArray();
        await server.TellAsync(orders.Select(order => (order, (IMessageBody)CustomerServer.Pay("away", amount: 1))));
        for (var second = 0; second < 600; second += 20)
        {
            await QuietAsync(server);
            server.Clock.Forward(TimeSpan.FromSeconds(20));
        }
        Assert.Equal(0, gateway.Done);
        Assert.InRange(gateway.Requests + gateway.LookUps, 1, Orders / 5 + 60);

        gateway.IsDown = false;
        for (var second = 0; gateway.Done < Orders && second < 120; second += 10)
        {
            await QuietAsync(server);
            server.Clock.Forward(TimeSpan.FromSeconds(10));
        }
        foreach (var order in orders) Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.InRange(gateway.Requests, Orders, 1.2 * Orders);
        Assert.Equal(Orders, gateway.Done);
    }

    // No request is in progress: every attempt waits until due.
    static Task QuietAsync(CustomerServer server) => CustomerServer.UntilAsync(async () =>
    {
        var now = server.Clock.GetUtcNow();
        var waiting = await server.QueryAsync(
            "SELECT state, due_at FROM payment_attempts WHERE finished_at IS NULL",
            row => (State: row.Text("state"), Due: row.Time("due_at")));
        return waiting.All(call => call.State != AttemptStates.Open && call.Due > now)
            && (await server.QueryAsync("SELECT order_id FROM payments", row => row.Uuid("order_id"))).Count > 0;
    });
}
