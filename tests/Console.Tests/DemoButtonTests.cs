using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Demo scenarios of the overview: each button leads to its order.</summary>
public sealed class DemoButtonTests(Chromium chromium, DemoShop shop)
{
    [Theory]
    [InlineData("decline", "Rejected at authorize-payment")]
    [InlineData("out-of-stock", "Rejected at reserve-stock")]
    [InlineData("gateway-timeout", "Completed at")]
    [InlineData("refund-fails", "an operator has to act")]
    public async Task A_button_starts_a_scenario_and_shows_the_order(string scenario, string summary)
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = scenario }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("/orders/"));
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(summary, new() { Timeout = 30_000 });
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Reset_repairs_what_other_scenarios_left()
    {
        await using var host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync("/");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "refund-fails" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("an operator has to", new() { Timeout = 30_000 });
        await window.GoAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "1 open incident" })).ToBeVisibleAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "reset" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "0 open incidents" }))
            .ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(window.Page).ToHaveURLAsync(host.Url.AbsoluteUri);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task An_order_is_executed_once_although_the_process_crashes_after_the_chosen_step()
    {
        var data = HttpHost.NewDirectory();
        await using (var dies = await HttpHost.StartAsync(data))
        {
            await dies.WaitForAsync("The demo shop has");
            await using var window = await chromium.OpenAsync(dies.Url);
            await window.GoAsync("/");
            await window.Page.GetByLabel("after").SelectOptionAsync("capture-payment");
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "crash" }).ClickAsync();
            await dies.WaitForAsync("It has ended.");
            await using (await HttpHost.StartAsync(data, "--port", $"{dies.Url.Port}"))
            {
                // On a busy machine the process dies before the browser loads the page. The newest order is the right one.
                await window.GoAsync("/orders");
                await window.Page.Locator("tr[id^='o-'] a.id").First.ClickAsync();
                await Expect(window.Page.Locator(".lead")).ToContainTextAsync("Completed at", new() { Timeout = 60_000 });
                var attempts = window.Page.GetByRole(AriaRole.Region, new() { Name = "Attempts" }).Locator("tbody tr");
                await Expect(attempts).ToContainTextAsync(["authorize 1", "capture 1"]);
            }
        }
        Directory.Delete(data, recursive: true);
    }
}
