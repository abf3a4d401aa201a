using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using RabbitMQ.Client;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>The coordinator's console where each service is a process of its own, and what it says when one is away.</summary>
public sealed class SpreadTests(Chromium chromium, SpreadTests.Shop shop) : IClassFixture<SpreadTests.Shop>
{
    [Fact]
    public async Task An_order_is_followed_live_and_its_page_knows_all_four_services()
    {
        await using var window = await chromium.OpenAsync(shop.Console);
        var id = await shop.PlaceAsync("tok_requires_action", wait: 1);
        await window.GoAsync("/orders");
        await Expect(window.Page.Locator($"#o-{id}")).ToContainTextAsync("waiting");
        await window.GoAsync($"/orders/{id}");
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Waiting for the customer");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Compensate" }).ClickAsync();
        await window.Page.GetByLabel("Reason; it stands in the audit").FillAsync("the customer called");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Compensate" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("everything was undone");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("the customer called");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await window.GoAsync("/");
        var participants = window.Page.GetByRole(AriaRole.Row, new() { NameRegex = new("^customer-service \\d+ m?s ago 0 1 0 –$") });
        await Expect(participants).ToBeVisibleAsync();
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_dead_letter_of_another_service_is_decoded_and_sent_again()
    {
        var id = await shop.PlaceAsync("tok_declined");
        await shop.MisleadAsync(id);
        await using var window = await chromium.OpenAsync(shop.Console);
        await window.GoAsync("/dead-letters?open=true");
        await Expect(window.Page.GetByRole(AriaRole.Row, new() { NameRegex = new("unreadable") })).ToHaveCountAsync(1);
        await Expect(window.Page.Locator($"a[href='/orders/{id}']")).ToHaveCountAsync(1);
        await window.IsFitAsync("/dead-letters/full");
        await window.GoAsync($"/orders/{id}");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "orderwright.stock.release.v1" }).ClickAsync();
        await Expect(window.Page.Locator("main")).ToContainTextAsync("order-service takes no orderwright.stock.release.v1.");
        await Expect(window.Page.Locator("pre")).ToContainTextAsync("\"step\": \"reserve-stock\"");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("It would go to stock-service once more.");
        await window.IsFitAsync("/dead-letters/letter");
        await window.Page.GetByLabel("Reason; it stands in the audit").FillAsync("try it again");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Send it again" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Status).Filter(new() { HasTextString = "Sent again" })).ToBeVisibleAsync();
        await window.GoAsync("/audit?action=replay");
        await Expect(window.Page.Locator("tbody tr")).ToContainTextAsync("try it again");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Dead_letters_of_two_services_are_one_list_page_by_page()
    {
        var id = Guid.CreateVersion7().ToString();
        await shop.MisleadManyAsync(id, 35);
        await using var window = await chromium.OpenAsync(shop.Console);
        await window.GoAsync($"/dead-letters?orderId={id}");
        var rows = window.Page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(50);
        var first = await rows.EvaluateAllAsync<string[]>(Ids);
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Next page" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(20);
        var second = await rows.EvaluateAllAsync<string[]>(Ids);
        Assert.Equal(70, first.Concat(second).Distinct().Count());
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Next page" })).ToHaveCountAsync(0);
        await Expect(window.Page.Locator("main")).ToContainTextAsync("of saga-coordinator, order-service, customer-service, stock-service");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "stock-service", Exact = true }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(35);
        Assert.Empty(window.Complaints);
    }

    const string Ids = "rows => rows.map(row => row.id)";

    [Fact]
    public async Task A_service_that_does_not_answer_is_named_where_its_part_would_stand()
    {
        var id = await shop.PlaceAsync("tok_visa");
        await using var window = await chromium.OpenAsync(shop.Console);
        await shop.Up.SuspendAsync("CustomerService");
        try
        {
            await window.GoAsync($"/orders/{id}");
            await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The payment is missing. customer-service does not answer");
            await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Completed at");
            await window.IsFitAsync("/orders/service-away");
        }
        finally
        {
            await shop.Up.ResumeAsync("CustomerService");
        }
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await Expect(window.Page.Locator("main")).ToContainTextAsync("captured");
    }

    [Fact]
    public async Task A_broker_that_is_away_is_said_on_the_overview_until_it_is_back()
    {
        await using var window = await chromium.OpenAsync(shop.Console);
        await window.GoAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await shop.Up.KillBrokerAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Messages do not travel. RabbitMQ at 127.0.0.1");
        await window.IsFitAsync("/broker-away");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0, new() { Timeout = 60_000 });
    }

    /// <summary>Four processes with something to sell.</summary>
    public sealed class Shop : IAsyncLifetime
    {
        public FourProcesses Up { get; } = new();

        public Uri Console => Up.Coordinator.BaseAddress!;

        public async ValueTask InitializeAsync()
        {
            await Up.InitializeAsync();
            await PutAsync(Up.Stock, "products/MUG-01", new { name = "Mug", unitPrice = 895, currency = "GBP" });
            await PutAsync(Up.Stock, "stock/MUG-01", new { onHand = 100 });
            await PutAsync(Up.Customers, "customers/ada", new { name = "Ada", email = "ada@example.com" });
        }

        public ValueTask DisposeAsync() => Up.DisposeAsync();

        /// <summary>Returns once it is decided, which takes longer while others still look for a broker that was away.</summary>
        public async Task<string> PlaceAsync(string token, int wait = 25)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/orders")
            {
                Content = JsonContent.Create(new
                {
                    customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } },
                    payment = new { provider = "sandbox", token },
                }),
            };
            request.Headers.Add("Prefer", $"wait={wait}");
            using var placed = await Up.Orders.SendAsync(request);
            placed.EnsureSuccessStatusCode();
            return (string)JsonNode.Parse(await placed.Content.ReadAsStringAsync())!["id"]!;
        }

        /// <summary>A message about the order that comes to the wrong service, and one that nobody can read.</summary>
        public async Task MisleadAsync(string orderId)
        {
            var misled = new JsonArray(new JsonObject
            {
                ["specversion"] = "1.0", ["id"] = Guid.CreateVersion7().ToString(), ["source"] = "/orderwright/saga-coordinator",
                ["type"] = "orderwright.stock.release.v1", ["subject"] = orderId, ["time"] = "2026-01-31T09:30:00.123Z",
                ["step"] = "reserve-stock", ["attempt"] = 1, ["data"] = new JsonObject(),
            });
            await using var connection = await new ConnectionFactory { Uri = await Up.BrokerAsync() }.CreateConnectionAsync();
            await using var channel = await connection.CreateChannelAsync();
            foreach (var body in new[] { misled.ToJsonString(), "no message at all" })
                await channel.BasicPublishAsync(
                    "orderwright", "order-service.any", mandatory: true,
                    new BasicProperties { ContentType = "application/cloudevents-batch+json" },
                    System.Text.Encoding.UTF8.GetBytes(body));
            await DemoShop.UntilAsync(async () => await LettersAsync(Up.Orders, $"?orderId={orderId}") == 1);
        }

        /// <summary>Messages about the order that come to the wrong services: so many to each of two.</summary>
        public async Task MisleadManyAsync(string orderId, int each)
        {
            await using var connection = await new ConnectionFactory { Uri = await Up.BrokerAsync() }.CreateConnectionAsync();
            await using var channel = await connection.CreateChannelAsync();
            foreach (var (service, type) in new[]
            {
                ("order-service", "orderwright.stock.release.v1"), ("stock-service", "orderwright.payment.capture.v1"),
            })
                await channel.BasicPublishAsync(
                    "orderwright", $"{service}.any", mandatory: true,
                    new BasicProperties { ContentType = "application/cloudevents-batch+json" },
                    System.Text.Encoding.UTF8.GetBytes(new JsonArray([.. Enumerable.Range(0, each).Select(_ => new JsonObject
                    {
                        ["specversion"] = "1.0", ["id"] = Guid.CreateVersion7().ToString(), ["source"] = "/orderwright/saga-coordinator",
                        ["type"] = type, ["subject"] = orderId, ["time"] = "2026-01-31T09:30:00.123Z", ["step"] = "reserve-stock",
                        ["attempt"] = 1, ["data"] = new JsonObject(),
                    })]).ToJsonString()));
            foreach (var service in new[] { Up.Orders, Up.Stock })
                await DemoShop.UntilAsync(async () => await LettersAsync(service, $"?orderId={orderId}") == each);
        }

        static async Task<int> LettersAsync(HttpClient service, string query) => JsonNode.Parse(
            await service.GetStringAsync(new Uri($"/api/v1/dead-letters{query}", UriKind.Relative)))!["items"]!.AsArray().Count;

        static async Task PutAsync(HttpClient service, string path, object body)
        {
            using var answer = await service.PutAsJsonAsync($"/api/v1/{path}", body);
            answer.EnsureSuccessStatusCode();
        }
    }
}
