using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Console with a gateway that accepts every request and never replies.</summary>
public sealed class DoubtTests(Chromium chromium)
{
    [Fact]
    public async Task Payments_in_doubt_are_listed_first_and_apart_from_payments_in_progress()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var host = await HttpHost.StartAsync(
            null, "--gateway-url", $"http://{silent.LocalEndpoint}/", "--gateway-secret", new string('s', 40),
            "--gateway-deadline", "1s");
        await host.WaitForAsync("The demo shop has");
        using var placed = await host.Client.PostAsJsonAsync(
            "/api/v1/orders",
            new
            {
                customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } },
                payment = new { provider = "http", token = "anything" },
            });
        var id = (string)JsonNode.Parse(await placed.Content.ReadAsStringAsync())!["id"]!;

        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync("/payments");
        var doubts = window.Page.GetByRole(AriaRole.Region, new() { Name = "Payments in doubt" });
        await Expect(doubts.Locator($"a[href='/orders/{id}']")).ToBeVisibleAsync();
        await Expect(doubts).ToContainTextAsync("authorize 1");
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "In progress" })).ToHaveCountAsync(0);
        await window.AssertAccessibleAsync("/payments-doubt");
        await window.GoAsync("/payments?inDoubt=true");
        await Expect(window.Page.Locator("tbody tr")).ToHaveCountAsync(1);
        await window.GoAsync($"/orders/{id}");
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("In doubt since");
        await Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Attempts" })).ToContainTextAsync("in doubt");
        await window.AssertAccessibleAsync("/orders/doubt");
        Assert.Empty(window.Complaints);
    }
}
