using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Orderwright.ConsoleTests;

/// <summary>What holds of every page: nothing on the browser's console, nothing axe finds, small and fast.</summary>
public sealed class EveryPageTests(Chromium chromium, DemoShop shop)
{
    static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    const string Violations =
        """
        async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }))
            .violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html.slice(0, 120)).join(" | ")}`)
        """;

    public static TheoryData<string> EachPage() => [.. Pages];

    public static readonly string[] Pages =
    [
        "/", "/orders", "/orders?state=open", "/orders?code=nothing_like_that", "/orders/INCIDENT", "/orders/none",
        "/orders/INCIDENT/act?verb=retry", "/orders/INCIDENT/act?verb=resolve&step=authorize-payment&outcome=completed",
        "/incidents", "/incidents?step=authorize-payment&code=refund_failed", "/bulk?step=authorize-payment&code=refund_failed&action=retry",
        "/bulk/none", "/incidents?code=nothing_like_that", "/incidents/INCIDENT", "/incidents/none", "/stock", "/stock?below=1", "/stock/MUG-01", "/stock/NONE",
        "/payments", "/payments?state=declined", "/dead-letters", "/dead-letters/none", "/timers", "/timers?overdue=true",
        "/audit",
    ];

    [Theory]
    [MemberData(nameof(EachPage))]
    public async Task A_page_has_no_accessibility_violation_in_light_and_dark_fits_a_telephone_and_complains_of_nothing(string path)
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync(path.Replace("INCIDENT", shop.Incident, StringComparison.Ordinal));
        Assert.Empty(await ViolationsAsync(window));
        await LookAsync(window, path, "wide-light");
        await window.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.Empty(await ViolationsAsync(window));
        await LookAsync(window, path, "wide-dark");
        await window.Page.SetViewportSizeAsync(390, 800);
        await LookAsync(window, path, "narrow-dark");
        Assert.InRange(await window.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"), 1, 390);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_violation_and_a_script_of_another_are_found()
    {
        await using var window = await chromium.OpenAsync(shop.Url);
        await window.GoAsync($"/orders/{shop.Incident}/act?verb=retry");
        await window.Page.EvaluateAsync(
            """
            () => {
                document.querySelector("h1").innerHTML = "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='><span onclick='x()'>Stock</span>";
                document.querySelector("main").insertAdjacentHTML("beforeend", "<input name='planted'>");
            }
            """);
        Assert.Contains(await ViolationsAsync(window), violation => violation.StartsWith("label: ", StringComparison.Ordinal));
        Assert.Contains(window.Complaints, complaint => complaint.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    // For people: every page as a picture, where ORDERWRIGHT_LOOKS names a directory.
    static async Task LookAsync(Window window, string path, string look)
    {
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_LOOKS") is not { Length: > 0 } directory) return;
        var name = string.Concat(path.Select(c => char.IsLetterOrDigit(c) ? c : '-'));
        await window.Page.ScreenshotAsync(new() { FullPage = true, Path = Path.Combine(directory, $"{look}{name}.png") });
    }

    static async Task<string[]> ViolationsAsync(Window window)
    {
        await window.Page.EvaluateAsync(Axe);
        return await window.Page.EvaluateAsync<string[]>(Violations);
    }
}
