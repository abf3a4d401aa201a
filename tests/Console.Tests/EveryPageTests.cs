using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Checks of every page: accessibility, width on a phone, and an empty browser console.</summary>
public abstract class EveryPageTests(Chromium chromium, Shop shop, string prefix)
{
    protected Chromium Chromium => chromium;

    protected Shop Shop => shop;

    public static TheoryData<string> EachPage() => [.. Pages];

    public static readonly string[] Pages =
    [
        "/", "/orders", "/orders?state=open", "/orders?code=nothing_like_that", "/orders/INCIDENT",
        "/orders/none", "/orders/none/act?verb=retry", "/orders/INCIDENT/act?verb=retry",
        "/orders/INCIDENT/act?verb=resolve&step=authorize-payment&outcome=completed&undo=true",
        "/orders/INCIDENT/act?verb=resolve&step=authorize-payment&undo=true", "/incidents",
        "/bulk?step=authorize-payment&code=refund_failed&action=resolve&undo=true&outcome=completed",
        "/incidents?step=authorize-payment&code=refund_failed",
        "/bulk?step=authorize-payment&code=refund_failed&action=retry", "/bulk/none",
        "/incidents?code=nothing_like_that", "/incidents/INCIDENT", "/incidents/none", "/stock",
        "/stock?below=1", "/stock/MUG-01", "/stock/NONE", "/orders/INCIDENT/act?verb=cancel-order",
        "/orders?state=rolled_back&youngerThan=PT1H", "/services/customer-service", "/services/none",
        "/audit?run=01980000-0000-7000-8000-000000000000", "/payments?inDoubt=true", "/reconciliations/none",
        "/payments", "/payments?state=declined", "/payments?attention=true", "/dead-letters",
        "/approvals", "/approvals?state=all", "/approvals/none", "/webhooks", "/webhooks/none", "/dead-letters/none", "/timers",
        "/timers?overdue=true", "/audit",
        "/orders?status=pending&olderThan=yesterday", "/bulk", "/dead-letters?orderId=none",
    ];

    [Theory]
    [MemberData(nameof(EachPage))]
    public async Task A_page_is_accessible_in_light_and_dark_fits_a_phone_and_logs_no_error(string path)
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        var response = await window.Page.GotoAsync(path.Replace("INCIDENT", shop.Incident, StringComparison.Ordinal));
        var isMissing = path.Contains("/none", StringComparison.OrdinalIgnoreCase);
        Assert.Equal(isMissing ? 404 : 200, response!.Status);
        await window.AssertAccessibleAsync(prefix + path);
        // The browser logs the page's own 404 as an error.
        Assert.Equal(isMissing ? [NotFound] : [], window.Complaints);
    }

    const string NotFound = "Failed to load resource: the server responded with a status of 404 (Not Found)";
}

/// <summary>Every page, with each service in a separate process.</summary>
[Collection(SpreadShop.Name)]
public sealed class SpreadEveryPageTests(Chromium chromium, SpreadShop shop) : EveryPageTests(chromium, shop, "/spread");

/// <summary>Every page in one process: with the demo shop, and empty.</summary>
public sealed class EmbeddedEveryPageTests(Chromium chromium, DemoShop shop) : EveryPageTests(chromium, shop, "")
{
    [Fact]
    public async Task Each_page_of_an_empty_shop_has_a_sentence_for_the_empty_list()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        foreach (var path in new[]
        {
            "/", "/orders", "/incidents", "/stock", "/payments", "/approvals", "/webhooks", "/dead-letters", "/timers",
            "/audit",
        })
        {
            await using var window = await Chromium.OpenAsync(host.Url);
            await window.GoAsync(path);
            await Expect(window.Page.Locator(".empty").First).ToBeVisibleAsync();
            // Hints name only products that the shop has.
            await Expect(window.Page.Locator("main")).Not.ToContainTextAsync("MUG-01");
            await window.AssertAccessibleAsync($"{path}-empty");
            Assert.Empty(window.Complaints);
        }
    }

    [Fact]
    public async Task A_planted_violation_and_a_planted_script_are_detected()
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync($"/orders/{Shop.Incident}/act?verb=retry");
        await window.Page.EvaluateAsync(
            """
            () => {
                document.querySelector("h1").innerHTML =
                    "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='><span onclick='x()'>Stock</span>";
                document.querySelector("main").insertAdjacentHTML("beforeend", "<input name='planted'>");
            }
            """);
        Assert.Contains(await window.ViolationsAsync(), violation => violation.StartsWith("label: ", StringComparison.Ordinal));
        Assert.Contains(window.Complaints, complaint => complaint.Contains("Content Security Policy", StringComparison.Ordinal));
    }
}
