using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;

namespace Orderwright.ConsoleTests;

/// <summary>Counts on the pages, which link to lists of the same length.</summary>
public sealed partial class NumberTests(Chromium chromium) : IAsyncLifetime
{
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        Chromium.Require();
        // A separate shop, so the counts stay constant during the test.
        host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        await Waiting.UntilAsync(async () =>
            (await host.Client.GetStringAsync("/api/v1/sagas?state=running")).Contains("\"items\":[]", StringComparison.Ordinal));
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_count_links_to_a_list_of_the_same_length()
    {
        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync("/");
        var counts = await window.Page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll(".numbers a, .process a, figcaption a, td.n a")]
                .map(a => a.getAttribute("href") + " " + a.innerText.replace(/\s+/g, " "))
            """);
        var compared = 0;
        foreach (var count in counts)
        {
            if (Count().Match(count) is not { Success: true } match) continue;
            await window.GoAsync(match.Groups["to"].Value);
            var rows = await window.Page.Locator("main tbody tr[id]").CountAsync();
            Assert.True(rows == int.Parse(match.Groups["count"].Value, null), $"{count}: {rows} rows");
            compared++;
        }
        Assert.InRange(compared, 15, 60);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/orders")]
    [InlineData("/orders?state=open")]
    [InlineData("/stock")]
    [InlineData("/payments")]
    public async Task Every_count_and_amount_is_a_link(string path)
    {
        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync(path);
        // Whole numbers and amounts of money; ages and times are no counts.
        var unlinked = await window.Page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll("td.n, .numbers b")]
                .filter(e => /^[\d,]+$|^[\d,.]+ [A-Z]{3}$/.test(e.innerText.trim()) && !e.querySelector("a") && !e.closest("a"))
                .map(e => e.closest("tr, li").innerText)
            """);
        Assert.Empty(unlinked);
    }

    [Fact]
    public async Task A_link_to_a_part_of_a_page_has_its_anchor()
    {
        await using var window = await chromium.OpenAsync(host.Url);
        foreach (var path in new[] { "/", "/orders", "/payments", "/stock" })
        {
            await window.GoAsync(path);
            var links = await window.Page.EvaluateAsync<string[]>(
                """
                () => [...new Set([...document.querySelectorAll("td.n a, td.text a")]
                    .map(a => a.getAttribute("href")).filter(href => href.includes("#")))].slice(0, 12)
                """);
            foreach (var link in links)
            {
                await window.GoAsync(link);
                Assert.True(await window.Page.Locator($"[id='{link.Split('#')[1]}']").CountAsync() == 1, link);
            }
        }
    }

    // Links to lists of orders, incidents and timers, such as "5 open", "0 rolled back (0 %)" and "3 incidents".
    [GeneratedRegex(
        "^(?<to>/(orders|incidents|timers)[^ ]*) (?<count>\\d+)"
        + "( (open incidents?|open|in progress|incidents?|overdue timers|rolled back|placed|completed).*)?$")]
    private static partial Regex Count();
}
