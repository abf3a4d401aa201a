using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>A group of incidents resolved together, in a shop of its own.</summary>
public sealed class BulkResolveTests(Chromium chromium)
{
    [Fact]
    public async Task A_group_of_failed_refunds_is_resolved_at_once_after_a_canary()
    {
        Chromium.Require();
        await using var shop = new DemoShop();
        await shop.InitializeAsync();
        await shop.MakeIncidentAsync();
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync("/incidents?step=authorize-payment&code=refund_failed");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Resolve all of these" }).ClickAsync();
        var main = window.Page.Locator("main");
        await Expect(main).ToContainTextAsync(new Regex("1 first, then \\d+\\."));
        await Expect(main).ToContainTextAsync("Record that 8.95 GBP was refunded to ada outside the gateway.");
        await Expect(main).ToContainTextAsync(
            "./orderwright bulk resolve authorize-payment completed --undo --code refund_failed");
        await window.Page.GetByLabel("Reason (audited)").FillAsync("all paid back by transfer");
        await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Resolve \\d+ orders?$") }).ClickAsync();
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(
            new Regex("Done: (\\d+) of \\1 orders? recovered"), new() { Timeout = 30_000 });
        Assert.Empty(window.Complaints);
    }
}
