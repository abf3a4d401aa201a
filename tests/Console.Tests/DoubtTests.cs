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
        var id = await PlaceAsync(host);

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

    [Fact]
    public async Task A_call_without_an_answer_is_in_doubt_from_the_first_second_on_every_page_and_in_the_tool()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        // Long before the deadline of a gateway, after which the process itself learns of the doubt.
        await using var host = await HttpHost.StartAsync(
            null, "--gateway-url", $"http://{silent.LocalEndpoint}/", "--gateway-secret", new string('s', 40),
            "--gateway-deadline", "60s");
        await host.WaitForAsync("The demo shop has");
        var id = await PlaceAsync(host);

        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync($"/orders/{id}");
        var lead = window.Page.Locator(".lead");
        await Expect(lead).ToContainTextAsync("In doubt: http was asked to authorize 8.95 GBP and has not told the outcome");
        await Expect(lead).ToHaveClassAsync("lead wait");
        await Expect(window.Page.Locator(".process .box.wait")).ToContainTextAsync("in doubt");
        await Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Steps" })).ToContainTextAsync("in doubt");
        await Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Attempts" })).ToContainTextAsync("in doubt");
        // Nothing is recommended: a retry cannot hurry the gateway.
        await Expect(window.Page.Locator(".actions a:not(.second)")).ToHaveCountAsync(0);
        await window.AssertAccessibleAsync("/orders/unanswered");
        await window.GoAsync("/orders");
        await Expect(window.Page.Locator($"#o-{id}")).ToContainTextAsync("in doubt");
        await window.GoAsync("/payments");
        await Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Payments in doubt" })
            .Locator($"a[href='/orders/{id}']")).ToBeVisibleAsync();
        await window.GoAsync("/");
        await Expect(window.Page.Locator(".numbers")).ToContainTextAsync("payment in doubt");
        var (_, why) = await host.RunToolAsync("why", id);
        Assert.Contains("In doubt: http was asked to authorize 8.95 GBP", why, StringComparison.Ordinal);
        var (_, list) = await host.RunToolAsync("list");
        Assert.Contains("in doubt", list.Split('\n').Single(line => line.StartsWith(id, StringComparison.Ordinal)),
            StringComparison.Ordinal);
        Assert.Empty(window.Complaints);
    }

    static async Task<string> PlaceAsync(HttpHost host)
    {
        using var placed = await host.Client.PostAsJsonAsync(
            "/api/v1/orders",
            new
            {
                customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } },
                payment = new { provider = "http", token = "anything" },
            });
        return (string)JsonNode.Parse(await placed.Content.ReadAsStringAsync())!["id"]!;
    }
}
