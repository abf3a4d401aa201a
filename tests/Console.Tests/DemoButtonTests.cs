using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>The first five minutes with a mouse: each scenario is a button that leads to its order.</summary>
public sealed class DemoButtonTests(Chromium chromium, DemoShop shop)
{
    [Theory]
    [InlineData("decline", "Rejected at authorize-payment")]
    [InlineData("out-of-stock", "Rejected at reserve-stock")]
    [InlineData("gateway-timeout", "Completed at")]
    [InlineData("refund-fails", "an operator has to retry, resolve or compensate it")]
    public async Task A_button_begins_its_story_and_shows_the_order(string scenario, string becomes)
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = scenario }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("/orders/"));
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(becomes, new() { Timeout = 30_000 });
        Assert.Empty(window.Complaints);
    }
}
