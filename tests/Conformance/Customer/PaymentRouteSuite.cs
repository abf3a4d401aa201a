using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;

namespace Orderwright.Conformance.Customer;

/// <summary>
/// Payments with failover to a second gateway: several attempts under a payment, and never two holding money, judged by the
/// records of both gateways.
/// </summary>
public abstract class PaymentRouteSuite(StorageEngine engine)
{
    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ref-1");
    static readonly GatewayResult Away = new GatewayResult.Unavailable("It is away.");
    static readonly AuthorizePayment Pay = CustomerServer.Pay("card", SandboxTokens.Visa);

    readonly ScriptedGateway first = new();
    readonly Guid order = Guid.CreateVersion7();

    static string Key(Guid order, int n = 1) => PaymentAttempt.KeyOf(order, GatewayOperations.Authorize, n);

    async Task<CustomerServer> StartAsync()
    {
        var server = await CustomerServer.StartAsync(
            engine, [("Routes", "card in GBP: scripted, then sandbox; card: scripted")], first);
        await server.AddCustomerAsync();
        return server;
    }

    [Fact]
    public async Task An_unavailable_gateway_is_followed_by_the_next_under_the_same_payment()
    {
        await using var server = await StartAsync();
        first.Answer(Key(order), Away);
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.AskAsync(order, Pay)).Payment! with { Version = 0 });
        var payment = await server.PaymentAsync(order);
        Assert.Equal(("sandbox", "card"), ((string?)payment["provider"], (string?)payment["route"]));
        Assert.Equal(
            [("scripted", Key(order), "failed"), ("sandbox", Key(order, 2), "succeeded")],
            payment["attempts"]!.AsArray().Select(one =>
                ((string?)one!["provider"], (string?)one["key"], (string?)one["state"])));

        Assert.Equal(1_530, (await server.AskAsync(order, new CapturePayment())).Payment!.CapturedMinor);
        Assert.Equal([("captured", 1_530, 1_530, 0)], await server.ChargesAsync(order));
        Assert.Equal([Key(order)], first.Called);
    }

    [Fact]
    public async Task A_gateway_that_may_have_charged_is_awaited()
    {
        await using var server = await StartAsync();
        await server.TellAsync(order, Pay);
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        for (var i = 0; i < 3; i++)
        {
            server.Clock.Forward(TimeSpan.FromMinutes(1));
            await server.TellAsync(order, Pay);
            Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        }
        Assert.Single((await server.PaymentAsync(order))["attempts"]!.AsArray());
        Assert.Empty(await server.ChargesAsync(order));

        first.Finds = _ => Ok;
        server.Clock.Forward(TimeSpan.FromMinutes(10));
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.SettledAsync(order)).Payment! with { Version = 0 });
        Assert.Equal("scripted", (string?)(await server.PaymentAsync(order))["provider"]);
        Assert.Empty(await server.ChargesAsync(order));
    }

    [Fact]
    public async Task A_late_charge_at_an_abandoned_gateway_needs_a_person()
    {
        await using var server = await StartAsync();
        first.Answer(Key(order), Away);
        await server.AskAsync(order, Pay);
        first.Hook(Key(order), new GatewayResult.Succeeded("late-1"));
        Assert.Equal(200, (await server.SendAsync("POST", "webhooks/scripted", "{}")).Status);
        var listed = (await server.GetAsync("payments?attention=true")).Body!["items"]!.AsArray();
        Assert.Contains("late-1", (string?)Assert.Single(listed)!["attention"], StringComparison.Ordinal);
        Assert.Equal(("sandbox", "authorized"), ((string?)listed[0]!["provider"], (string?)listed[0]!["state"]));
    }

    [Fact]
    public async Task Each_order_is_authorized_once_whatever_happens_at_the_first_gateway()
    {
        await using var server = await StartAsync();
        var orders = Enumerable.Range(0, 48).Select(_ => Guid.CreateVersion7()).ToArray();
        HashSet<Guid> charged = [], found = [];
        for (var i = 0; i < orders.Length; i++)
            switch (i % 4)
            {
                case 0:
                    first.Answer(Key(orders[i]), Ok);
                    charged.Add(orders[i]);
                    break;
                case 1:
                    first.Answer(Key(orders[i]), Away);
                    break;
                case 2:
                    // The answer is lost; a look-up finds the charge.
                    charged.Add(orders[i]);
                    found.Add(orders[i]);
                    break;
                default:
                    // The request is lost, and sent again to the same gateway.
                    charged.Add(orders[i]);
                    break;
            }
        first.Finds = request =>
        {
            if (found.Contains(request.OrderId)) return Ok;
            first.Answer(request.Key, Ok);
            return new GatewayResult.NeverHappened(Final: false);
        };
        await server.TellAsync(orders.Select(one => (one, (IMessageBody)Pay)));
        foreach (var one in orders)
        {
            var answer = await server.SettledAsync(one);
            Assert.Equal(new PaymentTotals(1_530, 0, 0, false), answer.Payment! with { Version = 0 });
            Assert.Equal(1, (await server.ChargesAsync(one)).Count + (charged.Contains(one) ? 1 : 0));
        }
    }
}

public sealed class PaymentRoutesOnPostgres(PostgresEngine engine) : PaymentRouteSuite(engine), IClassFixture<PostgresEngine>;

public sealed class PaymentRoutesOnSqlite(SqliteEngine engine) : PaymentRouteSuite(engine), IClassFixture<SqliteEngine>;
