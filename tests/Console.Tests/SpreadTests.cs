using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>The coordinator's console where each service is a process of its own, and what it says when one is away.</summary>
[Collection(SpreadShop.Name)]
public sealed class SpreadTests(Chromium chromium, SpreadShop shop)
{
    [Fact]
    public async Task An_order_is_followed_live_and_its_page_knows_all_four_services()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
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
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/dead-letters?open=true");
        await Expect(window.Page.GetByRole(AriaRole.Row, new() { NameRegex = new("unreadable") })).ToHaveCountAsync(1);
        await Expect(window.Page.Locator($"a[href='/orders/{id}']")).ToHaveCountAsync(1);
        await window.IsFitAsync("/dead-letters/full");
        await window.GoAsync($"/orders/{id}");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "orderwright.stock.release.v1" }).ClickAsync();
        await Expect(window.Page.Locator("main")).ToContainTextAsync("order-service takes no orderwright.stock.release.v1.");
        await Expect(window.Page.Locator("pre").First).ToContainTextAsync("\"step\": \"reserve-stock\"");
        await Expect(window.Page.Locator("main")).ToContainTextAsync("/replay -H 'Content-Type: application/json'");
        await Expect(window.Page.Locator("pre").Last).ToHaveTextAsync(new Regex("^./orderwright replay [0-9a-f-]{36} --reason '…'$"));
        await Expect(window.Page.Locator("main")).ToContainTextAsync("It would go to stock-service once more.");
        await window.IsFitAsync("/dead-letters/letter");
        await window.Page.GetByLabel("Reason; it stands in the audit").FillAsync("try it again");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Send it again" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Status).Filter(new() { HasTextString = "Sent again" })).ToBeVisibleAsync();
        await window.GoAsync($"/audit?action=replay&orderId={id}");
        await Expect(window.Page.Locator("tbody tr")).ToContainTextAsync("try it again");
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_dead_letter_is_found_and_sent_again_by_the_tool()
    {
        var id = Guid.CreateVersion7().ToString();
        await shop.MisleadManyAsync(id, each: 1);
        var rows = await ListAsync();
        Assert.Equal(["order-service", "stock-service"], rows.Select(row => row[1]).Order());
        var letter = rows.Single(row => row[1] == "order-service");
        Assert.Equal(["orderwright.stock.release.v1", id], letter[2..4]);
        var message = $"orderwright.stock.release.v1 to stock-service (order {id})";

        Assert.Equal(
            (0, $"· would send {message}\n"), await shop.Up.ToolAsync("replay", letter[0], "--reason", "a look", "--preview"));
        Assert.Equal(2, (await ListAsync()).Count);
        Assert.Equal((0, $"✓ sent {message}\n"), await shop.Up.ToolAsync("replay", letter[0], "--reason", "it was misled"));
        Assert.Equal("stock-service", Assert.Single(await ListAsync())[1]);
        var entry = Assert.Single(await shop.ListAuditAsync(id));
        Assert.Equal(("replay", "it was misled", "order-service"), (
            (string)entry["action"]!, (string)entry["reason"]!, (string)entry["service"]!));
        Assert.Equal(1, (await shop.Up.ToolAsync("replay", id, "--reason", "of nothing")).ExitCode);

        async Task<List<string[]>> ListAsync()
        {
            var (exit, said) = await shop.Up.ToolAsync("dead-letters", "--order", id, "--open");
            Assert.Equal(0, exit);
            return
            [
                .. said.Split('\n').Where(line => line.Contains(id, StringComparison.Ordinal)).Select(line => line.Split('\t')),
            ];
        }
    }

    [Fact]
    public async Task Dead_letters_of_two_services_are_one_list_page_by_page()
    {
        var id = Guid.CreateVersion7().ToString();
        await shop.MisleadManyAsync(id, 35);
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync($"/dead-letters?orderId={id}");
        var rows = window.Page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(50);
        Assert.InRange((await window.Page.ContentAsync()).Length, 10_000, FullShopTests.MostBytes);
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
        await using var window = await chromium.OpenAsync(shop.Url);
        await shop.Up.SuspendAsync("CustomerService");
        try
        {
            await window.GoAsync($"/orders/{id}");
            await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The payment is missing. customer-service does not answer");
            await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Completed at");
            await window.IsFitAsync("/orders/service-away");
            foreach (var (path, what) in new[]
            {
                ("/payments", "The list of payments is missing."), ("/audit?action=void", "The audit of customer-service is missing."),
                ("/dead-letters?orderId=01980000-0000-7000-8000-000000000000", "The list of customer-service is missing."),
            })
            {
                await window.GoAsync(path);
                await Expect(window.Page.Locator("main")).ToContainTextAsync($"{what} customer-service does not answer");
                // Of the others there is nothing; of all, nobody knows.
                await Expect(window.Page.Locator(".empty")).ToHaveCountAsync(0);
                await window.IsFitAsync($"{path.Split('?')[0]}/service-away");
            }
            await window.GoAsync("/services/customer-service");
            await Expect(window.Page.Locator(".lead")).ToContainTextAsync("customer-service does not answer");
            await window.IsFitAsync("/services/away");
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
    public async Task A_broker_that_is_away_is_said_on_the_overview_until_it_is_back()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await shop.Up.KillBrokerAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Messages do not travel. RabbitMQ at 127.0.0.1");
        await window.IsFitAsync("/broker-away");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
    }
}
