using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Orders;

/// <summary>Erasure of a customer in order-service, and its word about an order, on every engine.</summary>
public abstract class ErasedOrderSuite(StorageEngine engine) : IAsyncLifetime
{
    OrderServer server = null!;

    public async ValueTask InitializeAsync() => server = await OrderServer.OpenAsync(engine);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    const string Order = """
        {"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}],
         "adjustments":[{"type":"shipping","label":"To Ann Lee, 1 High St","amount":499}],
         "metadata":{"address":"1 High St","phone":"01632 960001"}}
        """;

    Task<Reply> ShowAsync(Guid id) => server.GetAsync($"/api/v1/orders/{id}");

    async Task<CustomerErased> EraseAsync(string stage)
    {
        var erasure = Guid.CreateVersion7();
        return (CustomerErased)(await server.AskAsync(
            ServiceNames.Customer, erasure, new EraseCustomer("17850", stage))).Body;
    }

    async Task<Guid> ConfirmedAsync()
    {
        var placed = await server.PlaceAsync(Order);
        await server.DeliverAsync((placed.Id, Outcomes.Paid));
        await server.UntilAsync(placed.Id, "confirmed", "paid");
        return placed.Id;
    }

    [Fact]
    public async Task Open_orders_keep_a_customer_until_they_are_fulfilled()
    {
        var pending = await server.PlaceAsync(Order);
        Assert.Equal(
            new CustomerErased("17850", ErasureStages.Ask, 1, 1, pending.Id), await EraseAsync(ErasureStages.Ask));
        await server.DeliverAsync((pending.Id, Outcomes.Paid));
        await server.UntilAsync(pending.Id, "confirmed", "paid");
        var told = await EraseAsync(ErasureStages.Ask);
        Assert.Equal((1, pending.Id), (told.OpenOrders, told.OpenOrder));
        Assert.Equal(202, (await server.PlaceAsync(Order)).Status);
    }

    [Fact]
    public async Task An_erased_id_places_no_order_and_the_texts_of_its_orders_are_erased()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        var id = await ConfirmedAsync();
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/fulfilments", "{}")).Status);
        // Not yet booked by stock-service, so the order is not over.
        Assert.Equal(1, (await EraseAsync(ErasureStages.Ask)).OpenOrders);
        await server.DeliverAsync(ServiceNames.Stock, id, new GoodsShipped(1));
        using var patience = new CancellationTokenSource(Waiting.HangLimit);
        while (await server.CountAsync("fulfilment_work") > 0) await Task.Delay(20, patience.Token);

        Assert.Equal(new CustomerErased("17850", ErasureStages.Ask, 0, 1), await EraseAsync(ErasureStages.Ask));
        var refused = await server.PlaceAsync(Order);
        Assert.Equal((409, "erased"), (refused.Status, refused["code"]));
        Assert.Equal(202, (await server.PlaceAsync(Order.Replace("17850", "17851", StringComparison.Ordinal))).Status);
        // The decision is customer-service's, so nothing is erased yet.
        Assert.Equal("1 High St", (string?)(await ShowAsync(id)).Json["metadata"]!["address"]);
        var before = await ShowAsync(id);

        Assert.Equal(0, (await EraseAsync(ErasureStages.Decided)).OpenOrders);

        var after = await ShowAsync(id);
        Assert.Empty(after.Json["metadata"]!.AsObject());
        Assert.Equal(
            ("shipping", "erased", 499),
            ((string?)after.Json["adjustments"]![0]!["type"], (string?)after.Json["adjustments"]![0]!["label"],
                (long)after.Json["adjustments"]![0]!["amount"]!));
        Assert.Equal((before["total"], before["version"], before["status"]), (after["total"], after["version"], after["status"]));
        Assert.Equal(0, (await EraseAsync(ErasureStages.Decided)).OpenOrders);
    }

    [Fact]
    public async Task A_withdrawn_erasure_lets_the_customer_order_again()
    {
        Assert.Equal(new CustomerErased("17850", ErasureStages.Ask, 0, 0), await EraseAsync(ErasureStages.Ask));
        Assert.Equal(409, (await server.PlaceAsync(Order)).Status);
        await EraseAsync(ErasureStages.Withdrawn);
        Assert.Equal(202, (await server.PlaceAsync(Order)).Status);
    }

    [Fact]
    public async Task An_order_of_an_erased_customer_among_others_of_a_batch_is_refused_alone()
    {
        await EraseAsync(ErasureStages.Ask);
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => server.PlaceAsync(
            i % 2 == 0 ? Order : Order.Replace("17850", $"c-{i}", StringComparison.Ordinal))));
        Assert.Equal([.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? 409 : 202)], replies.Select(reply => reply.Status));
    }

    [Fact]
    public async Task An_order_is_told_with_the_terms_of_its_payment()
    {
        var id = await ConfirmedAsync();
        var told = (OrderTold)(await server.AskAsync(ServiceNames.Customer, id, new AskOrder())).Body;
        Assert.Equal(
            new OrderTold("confirmed", new PaymentTerms("17850", "GBP", new PaymentMethod("balance"), 1_530, "main")), told);
        Assert.Equal(
            new OrderTold(),
            (await server.AskAsync(ServiceNames.Customer, Guid.CreateVersion7(), new AskOrder())).Body);
    }
}

public sealed class PostgresErasedOrders(PostgresEngine engine) : ErasedOrderSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteErasedOrders(SqliteEngine engine) : ErasedOrderSuite(engine), IClassFixture<SqliteEngine>;
