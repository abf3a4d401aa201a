using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;

namespace Orderwright.ConsoleTests;

/// <summary>A number that counts something leads to what it counts, and there are as many.</summary>
public sealed partial class NumberTests(Chromium chromium) : IAsyncLifetime
{
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        Chromium.Require();
        // A shop in which nothing moves while it is counted.
        host = await HttpHost.StartAsync();
        await host.SaysAsync("The demo shop has");
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_count_leads_to_a_list_of_as_many()
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
    public async Task No_number_of_a_list_stands_alone(string path)
    {
        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync(path);
        // A whole number, or an amount of money; ages and times count nothing.
        var alone = await window.Page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll("td.n, .numbers b")]
                .filter(e => /^[\d,]+$|^[\d,.]+ [A-Z]{3}$/.test(e.innerText.trim()) && !e.querySelector("a") && !e.closest("a"))
                .map(e => e.closest("tr, li").innerText)
            """);
        Assert.Empty(alone);
    }

    [Fact]
    public async Task What_a_number_leads_to_is_on_the_page()
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

    // Orders in a list with their count first; "5 here", "0 turned back (0 %)", "3 incidents" among them.
    [GeneratedRegex(
        "^(?<to>/(orders|incidents|timers)[^ ]*) (?<count>\\d+)"
        + "( (here|under way|open incidents?|incidents?|overdue timers|turned back|placed|carried out).*)?$")]
    private static partial Regex Count();
}
