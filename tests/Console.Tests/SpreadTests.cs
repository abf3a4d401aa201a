using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Console of the coordinator with four processes, including the failure of a service and of the broker.</summary>
[Collection(SpreadShop.Name)]
public sealed class SpreadTests(Chromium chromium, SpreadShop shop)
{
    [Fact]
    public async Task An_orders_page_combines_all_four_services()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        var id = await shop.PlaceAsync("tok_requires_action", wait: 1);
        await window.GoAsync("/orders");
        await Expect(window.Page.Locator($"#o-{id}")).ToContainTextAsync("waiting");
        await window.GoAsync($"/orders/{id}");
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Waiting for the customer");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Compensate" }).ClickAsync();
        await window.Page.GetByLabel("Reason (audited)").FillAsync("the customer called");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Compensate" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("everything was undone");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("the customer called");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await window.GoAsync("/");
        var participants = window.Page.GetByRole(
            AriaRole.Row, new() { NameRegex = new("^customer-service \\d+ m?s ago 0 1 0 –$") });
        await Expect(participants).ToBeVisibleAsync();
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_dead_letter_of_another_service_is_decoded_and_replayed()
    {
        var id = await shop.PlaceAsync("tok_declined");
        await shop.PoisonAsync(id);
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/dead-letters?open=true");
        await Expect(window.Page.GetByRole(AriaRole.Row, new() { NameRegex = new("unreadable") })).ToHaveCountAsync(1);
        await Expect(window.Page.Locator($"a[href='/orders/{id}']")).ToHaveCountAsync(1);
        await window.AssertAccessibleAsync("/dead-letters/full");
        await window.GoAsync($"/orders/{id}");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "orderwright.payment.authorize.v1" }).ClickAsync();
        await Expect(window.Page.Locator("main")).ToContainTextAsync("invalid byte sequence");
        await Expect(window.Page.Locator("pre").First).ToContainTextAsync("\"currency\": \"GBP\"");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("/replay -H 'Content-Type: application/json'");
        await Expect(window.Page.Locator("pre").Last).ToHaveTextAsync(
            new Regex("^./orderwright replay [0-9a-f-]{36} --reason '…'$"));
        await Expect(window.Page.Locator("main")).ToContainTextAsync("The message would be sent to customer-service again.");
        await window.AssertAccessibleAsync("/dead-letters/letter");
        await window.Page.GetByLabel("Reason (audited)").FillAsync("try it again");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Status).Filter(new() { HasTextString = "Replayed" })).ToBeVisibleAsync();
        await window.GoAsync($"/audit?action=replay&orderId={id}");
        await Expect(window.Page.Locator("tbody tr")).ToContainTextAsync("try it again");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task The_command_line_finds_and_replays_a_dead_letter()
    {
        var id = Guid.CreateVersion7().ToString();
        await shop.PoisonManyAsync(id);
        var rows = await ListAsync();
        Assert.Equal(["customer-service", "stock-service"], rows.Select(row => row[1]).Order());
        var letter = rows.Single(row => row[1] == "customer-service");
        Assert.Equal(["orderwright.payment.authorize.v1", id], letter[2..4]);
        var message = $"orderwright.payment.authorize.v1 to customer-service (order {id})";

        Assert.Equal(
            (0, $"· would send {message}\n"), await shop.Up.ToolAsync("replay", letter[0], "--reason", "a look", "--preview"));
        Assert.Equal(2, (await ListAsync()).Count);
        Assert.Equal(
            (0, $"✓ sent {message}\n"), await shop.Up.ToolAsync("replay", letter[0], "--reason", "try it again"));
        Assert.Contains(await ListAsync(), row => row[1] == "stock-service");
        var entry = Assert.Single(await shop.ListAuditAsync(id));
        Assert.Equal(("replay", "try it again", "customer-service"), (
            (string)entry["action"]!, (string)entry["reason"]!, (string)entry["service"]!));
        Assert.Equal(1, (await shop.Up.ToolAsync("replay", id, "--reason", "no such letter")).ExitCode);

        async Task<List<string[]>> ListAsync()
        {
            var (exit, output) = await shop.Up.ToolAsync("dead-letters", "--order", id, "--open");
            Assert.Equal(0, exit);
            return
            [
                .. output.Split('\n').Where(line => line.Contains(id, StringComparison.Ordinal)).Select(line => line.Split('\t')),
            ];
        }
    }

    [Fact]
    public async Task Dead_letters_of_two_services_form_one_paged_list()
    {
        string[] ids = [.. Enumerable.Range(0, 35).Select(_ => Guid.CreateVersion7().ToString())];
        await shop.PoisonManyAsync(ids);
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/dead-letters");
        var rows = window.Page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(50);
        Assert.InRange((await window.Page.ContentAsync()).Length, 10_000, FullShopTests.MostBytes);
        var orders = await rows.EvaluateAllAsync<string[]>(Orders);
        var next = window.Page.GetByRole(AriaRole.Link, new() { Name = "Next page" });
        await next.ClickAsync();
        await Expect(next).ToHaveCountAsync(0);
        orders = [.. orders, .. await rows.EvaluateAllAsync<string[]>(Orders)];
        Assert.All(ids, id => Assert.Equal(2, orders.Count(order => order == $"/orders/{id}")));
        await Expect(window.Page.Locator("footer.calls")).ToContainTextAsync(
            "at saga-coordinator, order-service, customer-service, stock-service");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "stock-service", Exact = true }).ClickAsync();
        await Expect(rows.Filter(new() { HasText = "orderwright.payment" })).ToHaveCountAsync(0);
        orders = await rows.EvaluateAllAsync<string[]>(Orders);
        Assert.All(ids, id => Assert.Contains($"/orders/{id}", orders));
        Assert.Empty(window.Complaints);
    }

    const string Orders = "rows => rows.map(row => row.querySelector('a[href^=\"/orders/\"]')?.getAttribute('href') ?? '')";

    [Fact]
    public async Task An_unavailable_service_is_named_in_place_of_its_part_of_the_page()
    {
        var id = await shop.PlaceToTheEndAsync("tok_visa");
        await using var window = await chromium.OpenAsync(shop.Url);
        await shop.Up.SuspendAsync("CustomerService");
        try
        {
            await window.GoAsync($"/orders/{id}");
            await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync(
                "The payment could not be loaded. customer-service does not answer");
            await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Completed at");
            await window.AssertAccessibleAsync("/orders/service-unavailable");
            foreach (var (path, what) in new[]
            {
                ("/payments", "The list of payments"), ("/audit?action=void", "The audit of customer-service"),
                ("/dead-letters?orderId=01980000-0000-7000-8000-000000000000", "The list of customer-service"),
            })
            {
                await window.GoAsync(path);
                await Expect(window.Page.Locator("main")).ToContainTextAsync(
                    $"{what} could not be loaded. customer-service does not answer");
                // The other services have no entries, but the list as a whole is unknown and so not empty.
                await Expect(window.Page.Locator(".empty")).ToHaveCountAsync(0);
                await window.AssertAccessibleAsync($"{path.Split('?')[0]}/service-unavailable");
            }
            await window.GoAsync("/services/customer-service");
            await Expect(window.Page.Locator(".lead")).ToContainTextAsync("customer-service does not answer");
            await window.AssertAccessibleAsync("/services/unavailable");
        }
        finally
        {
            await shop.Up.ResumeAsync("CustomerService");
        }
        await window.GoAsync($"/orders/{id}");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await Expect(window.Page.Locator("main")).ToContainTextAsync("captured");
    }

    [Fact]
    public async Task The_overview_reports_an_unavailable_broker_until_it_returns()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await shop.Up.KillBrokerAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync(
            "Message broker unavailable. RabbitMQ at 127.0.0.1");
        await window.AssertAccessibleAsync("/broker-unavailable");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
    }
}
