using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Serialization;
using Npgsql;

namespace Orderwright.Peers.Shop;

/// <summary>Body of <c>POST /api/v1/orders</c>.</summary>
public sealed record NewOrder(string CustomerId, string Currency, Line[] Lines);

sealed record NewProduct(string Name, long UnitPrice, string Currency);

sealed record NewLevel(long OnHand);

sealed record NewCustomer(string Name, string? Email);

sealed record NewCredit(long Amount, string Currency);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(NewOrder))]
[JsonSerializable(typeof(NewProduct))]
[JsonSerializable(typeof(NewLevel))]
[JsonSerializable(typeof(NewCustomer))]
[JsonSerializable(typeof(NewCredit))]
[JsonSerializable(typeof(Line[]))]
sealed partial class ShopJson : JsonSerializerContext;

/// <summary>Commits an order and its first message, as the library provides for.</summary>
interface IIntake
{
    Task PlaceAsync(Guid id, NewOrder order, CancellationToken cancel);
}

/// <summary>Callers that wait for the decision on their order, in the only instance of the order service.</summary>
sealed class Decisions
{
    readonly ConcurrentDictionary<Guid, TaskCompletionSource<object>> waiting = new();

    public Task<object> Expect(Guid order) =>
        waiting.GetOrAdd(order, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Forget(Guid order) => waiting.TryRemove(order, out _);

    /// <summary>Wakes the caller of a decided order, after the commit.</summary>
    public void Announce(object message)
    {
        if (OrderOf(message) is { } order && waiting.TryGetValue(order, out var caller)) caller.TrySetResult(message);
    }

    static Guid? OrderOf(object message) => message switch
    {
        OrderConfirmed confirmed => confirmed.OrderId,
        OrderRejected rejected => rejected.OrderId,
        _ => null,
    };
}

/// <summary>The requests of the benchmark, with the paths, bodies and responses of Orderwright.</summary>
static class Api
{
    public static void Map(WebApplication app, string service)
    {
        if (service == Services.Order) MapOrders(app);
        if (service == Services.Stock) MapStock(app);
        if (service == Services.Customer) MapCustomers(app);
    }

    static void MapOrders(WebApplication app)
    {
        app.MapPost("/api/v1/orders", PlaceAsync);
        app.MapGet("/api/v1/orders", async (NpgsqlDataSource data, string status, CancellationToken cancel) =>
        {
            await using var connection = await data.OpenConnectionAsync(cancel);
            var id = await connection.ReadAsync(
                "SELECT id FROM orders WHERE status = $1 LIMIT 1", [status], row => (Guid?)row.GetGuid(0), cancel);
            var items = id is { } some ? $$"""{"id":"{{some}}","status":"{{status}}"}""" : "";
            return Json(200, $$"""{"items":[{{items}}],"nextCursor":null}""");
        });
    }

    static async Task<IResult> PlaceAsync(
        HttpContext http, NewOrder order, IIntake intake, Decisions decisions, CancellationToken cancel)
    {
        if (order.Lines.Length == 0 || order.Lines.Any(line => line.Quantity <= 0)) return Json(400, """{"code":"invalid"}""");
        var id = Guid.CreateVersion7();
        if (WaitOf(http) is not { } wait)
        {
            await intake.PlaceAsync(id, order, cancel);
            return Json(202, $$"""{"id":"{{id}}","status":"pending"}""");
        }
        var decision = decisions.Expect(id);
        try
        {
            await intake.PlaceAsync(id, order, cancel);
            return await decision.WaitAsync(wait, cancel) is OrderConfirmed confirmed
                ? Json(201, $$"""{"id":"{{id}}","status":"confirmed","total":{{confirmed.Total}}}""")
                : Json(201, $$"""{"id":"{{id}}","status":"rejected"}""");
        }
        catch (TimeoutException)
        {
            return Json(202, $$"""{"id":"{{id}}","status":"pending"}""");
        }
        finally
        {
            decisions.Forget(id);
        }
    }

    static void MapStock(WebApplication app)
    {
        app.MapPut("/api/v1/products/{sku}", (NpgsqlDataSource data, string sku, NewProduct product, CancellationToken cancel) =>
            ChangeAsync(
                data, "INSERT INTO products VALUES ($1, $2, $3, $4)", [sku, product.Name, product.UnitPrice, product.Currency],
                cancel));
        app.MapPut("/api/v1/stock/{sku}", (NpgsqlDataSource data, string sku, NewLevel level, CancellationToken cancel) =>
            ChangeAsync(data, "INSERT INTO levels (sku, on_hand) VALUES ($1, $2)", [sku, level.OnHand], cancel));
    }

    static void MapCustomers(WebApplication app)
    {
        app.MapPut("/api/v1/customers/{id}", (NpgsqlDataSource data, string id, NewCustomer customer, CancellationToken cancel) =>
            ChangeAsync(
                data, "INSERT INTO customers VALUES ($1, $2, $3)", [id, customer.Name, customer.Email ?? ""], cancel));
        app.MapPost(
            "/api/v1/customers/{id}/credits",
            (NpgsqlDataSource data, string id, NewCredit credit, CancellationToken cancel) => ChangeAsync(
                data,
                """
                WITH added AS (INSERT INTO credits VALUES ($1, $2, $3, $4, now()))
                INSERT INTO balances VALUES ($2, $3, $4, 1)
                ON CONFLICT (customer_id, currency) DO UPDATE SET amount = balances.amount + $4, version = balances.version + 1
                """,
                [Guid.CreateVersion7(), id, credit.Currency, credit.Amount], cancel));
    }

    static async Task<IResult> ChangeAsync(NpgsqlDataSource data, string text, object[] values, CancellationToken cancel)
    {
        await using var connection = await data.OpenConnectionAsync(cancel);
        await connection.ExecuteAsync(text, values, cancel);
        return Json(200, "{}");
    }

    static TimeSpan? WaitOf(HttpContext http) =>
        http.Request.Headers["Prefer"].ToString() is var text && text.StartsWith("wait=", StringComparison.Ordinal)
            ? TimeSpan.FromSeconds(int.Parse(text[5..], CultureInfo.InvariantCulture))
            : null;

    // With a Content-Length, which the load client requires.
    static IResult Json(int status, string body) => Results.Text(body, "application/json", statusCode: status);
}
