using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>The first five minutes with a mouse: each scenario is a button that leads to its order.</summary>
public sealed class DemoButtonTests(Chromium chromium, DemoShop shop)
{
    [Theory]
    [InlineData("decline", "Rejected at authorize-payment")]
    [InlineData("out-of-stock", "Rejected at reserve-stock")]
    [InlineData("gateway-timeout", "Completed at")]
    [InlineData("refund-fails", "an operator must retry, resolve or compensate")]
    public async Task A_button_begins_its_story_and_shows_the_order(string scenario, string becomes)
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = scenario }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("/orders/"));
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(becomes, new() { Timeout = 30_000 });
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_reset_mends_what_the_others_left()
    {
        await using var host = await HttpHost.StartAsync();
        await host.SaysAsync("The demo shop has");
        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync("/");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "refund-fails" }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync("an operator must", new() { Timeout = 30_000 });
        await window.GoAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "1 open incident" })).ToBeVisibleAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "reset" }).ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "0 open incidents" }))
            .ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(window.Page).ToHaveURLAsync(host.Url.AbsoluteUri);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_crash_after_the_step_that_was_chosen_leaves_an_order_that_is_carried_out_once()
    {
        var data = HttpHost.NewDirectory();
        await using (var dies = await HttpHost.StartAsync(data))
        {
            await dies.SaysAsync("The demo shop has");
            await using var window = await chromium.OpenAsync(dies.Url);
            await window.GoAsync("/");
            await window.Page.GetByLabel("after").SelectOptionAsync("capture-payment");
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "crash" }).ClickAsync();
            await dies.SaysAsync("It has ended.");
            await using (await HttpHost.StartAsync(data, "--port", $"{dies.Url.Port}"))
            {
                // On a busy machine the process dies before the browser has the order's page: the newest is the one.
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
