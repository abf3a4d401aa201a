using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>What holds of every page: nothing on the browser's console, nothing axe finds, small and fast.</summary>
public abstract class EveryPageTests(Chromium chromium, Shop shop, string prefix)
{
    protected Chromium Chromium => chromium;

    protected Shop Shop => shop;

    public static TheoryData<string> EachPage() => [.. Pages];

    public static readonly string[] Pages =
    [
        "/", "/orders", "/orders?state=open", "/orders?code=nothing_like_that", "/orders/INCIDENT",
        "/orders/none", "/orders/none/act?verb=retry", "/orders/INCIDENT/act?verb=retry",
        "/orders/INCIDENT/act?verb=resolve&step=authorize-payment&outcome=completed", "/incidents",
        "/incidents?step=authorize-payment&code=refund_failed",
        "/bulk?step=authorize-payment&code=refund_failed&action=retry", "/bulk/none",
        "/incidents?code=nothing_like_that", "/incidents/INCIDENT", "/incidents/none", "/stock",
        "/stock?below=1", "/stock/MUG-01", "/stock/NONE", "/orders/INCIDENT/act?verb=cancel-order",
        "/orders?state=turned_back&youngerThan=PT1H", "/services/customer-service", "/services/none",
        "/audit?run=01980000-0000-7000-8000-000000000000", "/payments?inDoubt=true", "/reconciliations/none",
        "/payments", "/payments?state=declined", "/payments?attention=true", "/dead-letters",
        "/dead-letters/none", "/timers", "/timers?overdue=true", "/audit",
        "/orders?status=pending&olderThan=yesterday", "/bulk", "/dead-letters?orderId=none",
    ];

    [Theory]
    [MemberData(nameof(EachPage))]
    public async Task A_page_has_no_accessibility_violation_in_light_and_dark_fits_a_telephone_and_complains_of_nothing(string path)
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        var answer = await window.Page.GotoAsync(path.Replace("INCIDENT", shop.Incident, StringComparison.Ordinal));
        var isOfNothing = path.Contains("/none", StringComparison.OrdinalIgnoreCase);
        Assert.Equal(isOfNothing ? 404 : 200, answer!.Status);
        await window.IsFitAsync(prefix + path);
        // That a page is answered with 404 is an error to the browser.
        Assert.Equal(isOfNothing ? [NotFound] : [], window.Complaints);
    }

    const string NotFound = "Failed to load resource: the server responded with a status of 404 (Not Found)";
}

/// <summary>Each service a process of its own.</summary>
[Collection(SpreadShop.Name)]
public sealed class SpreadEveryPageTests(Chromium chromium, SpreadShop shop) : EveryPageTests(chromium, shop, "/spread");

/// <summary>One process: with its demo, and empty.</summary>
public sealed class EmbeddedEveryPageTests(Chromium chromium, DemoShop shop) : EveryPageTests(chromium, shop, "")
{
    [Fact]
    public async Task An_empty_shop_says_so_on_each_page()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        foreach (var path in new[] { "/", "/orders", "/incidents", "/stock", "/payments", "/dead-letters", "/timers", "/audit" })
        {
            await using var window = await Chromium.OpenAsync(host.Url);
            await window.GoAsync(path);
            await Expect(window.Page.Locator(".empty").First).ToBeVisibleAsync();
            // Nothing is told to be ordered that this shop does not have.
            await Expect(window.Page.Locator("main")).Not.ToContainTextAsync("MUG-01");
            await window.IsFitAsync($"{path}-empty");
            Assert.Empty(window.Complaints);
        }
    }

    [Fact]
    public async Task A_violation_and_a_script_of_another_are_found()
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync($"/orders/{Shop.Incident}/act?verb=retry");
        await window.Page.EvaluateAsync(
            """
            () => {
                document.querySelector("h1").innerHTML = "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='><span onclick='x()'>Stock</span>";
                document.querySelector("main").insertAdjacentHTML("beforeend", "<input name='planted'>");
            }
            """);
        Assert.Contains(await window.ViolationsAsync(), violation => violation.StartsWith("label: ", StringComparison.Ordinal));
        Assert.Contains(window.Complaints, complaint => complaint.Contains("Content Security Policy", StringComparison.Ordinal));
    }
}
