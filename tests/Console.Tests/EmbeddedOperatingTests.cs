using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Operating tests in one process, with further tests on the demo shop's orders.</summary>
public sealed class EmbeddedOperatingTests(Chromium chromium, DemoShop shop) : OperatingTests(chromium, shop)
{
    [Theory]
    [InlineData("status=rejected", "DEMO-5")]
    [InlineData("status=rejected&code=out_of_stock", "DEMO-3")]
    [InlineData("status=pending&olderThan=0&waitingFor=customer", "DEMO-7")]
    public async Task Orders_are_found_by_status_and_by_the_state_of_their_process(string filter, string reference)
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync($"/orders?{filter}");
        await Expect(window.Page.Locator("tbody tr", new() { HasTextString = reference })).ToHaveCountAsync(1);
        await Expect(window.Page.Locator("tbody tr", new() { HasTextString = "DEMO-1" })).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("DEMO-8")]
    [InlineData("grace")]
    public async Task An_order_is_found_by_reference_and_by_customer(string text)
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync($"/orders?q={text}");
        await Expect(window.Page.GetByRole(AriaRole.Cell, new() { NameRegex = new("DEMO-8") })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_order_is_found_by_the_short_id_that_lists_show()
    {
        var id = await Shop.PlaceAsync("tok_visa");
        await using var window = await Chromium.OpenAsync(Shop.Url);
        foreach (var text in new[] { $"…{id[^12..]}", id[^12..], id })
        {
            await window.GoAsync($"/orders?q={Uri.EscapeDataString(text)}");
            await Expect(window.Page.Locator("tbody tr")).ToHaveCountAsync(1);
            await Expect(window.Page.Locator($"tbody a[href='/orders/{id}']")).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task Times_are_in_the_visitors_time_zone_with_UTC_in_the_tooltip()
    {
        var id = await Shop.PlaceAsync("tok_visa");
        var placed = DateTimeOffset.Parse((string)(await Shop.GetAsync($"orders/{id}"))["createdAt"]!, null);
        var context = await Chromium.Browser.NewContextAsync(
            new() { BaseURL = Shop.Url.AbsoluteUri, TimezoneId = "Pacific/Kiritimati" });
        var page = await context.NewPageAsync();
        await page.GotoAsync($"/orders/{id}");
        var time = page.Locator($"dd time[title='{placed.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC']");
        // Fourteen hours ahead of UTC: usually another day, so the date precedes the time.
        await Expect(time).ToHaveTextAsync(new Regex($"{placed.ToOffset(TimeSpan.FromHours(14)):HH:mm:ss}$"));
        await context.CloseAsync();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/orders")]
    [InlineData("/orders?status=rejected")]
    [InlineData("/orders?state=open&youngerThan=PT1H")]
    [InlineData("/orders?code=nothing_like_that")]
    [InlineData("/incidents")]
    [InlineData("/stock?below=10")]
    [InlineData("/stock/MUG-01")]
    [InlineData("/payments")]
    [InlineData("/payments?inDoubt=true")]
    [InlineData("/dead-letters?open=true")]
    [InlineData("/timers")]
    [InlineData("/audit?action=note")]
    [InlineData("/services/stock-service")]
    public async Task A_page_names_its_API_calls_and_each_succeeds(string path)
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync(path);
        // One button per page holds the calls.
        var button = window.Page.GetByText("</>", new() { Exact = true });
        await Expect(button).ToHaveCountAsync(1);
        await Expect(window.Page.Locator("main")).Not.ToContainTextAsync("/api/v1/");
        await button.ClickAsync();
        await Expect(window.Page.Locator(".calls code").First).ToBeVisibleAsync();
        var calls = await window.Page.Locator(".calls code").AllTextContentsAsync();
        Assert.NotEmpty(calls);
        foreach (var call in calls)
        {
            Assert.StartsWith("GET /", call, StringComparison.Ordinal);
            using var http = new HttpClient { BaseAddress = Shop.Url };
            using var response = await http.GetAsync(new Uri(call["GET ".Length..], UriKind.Relative));
            Assert.True(response.IsSuccessStatusCode, call);
        }
    }

    [Fact]
    public async Task A_normal_state_is_plain_text_and_links_of_a_list_are_underlined_under_the_pointer_only()
    {
        var id = await Shop.PlaceToTheEndAsync("tok_visa");
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync("/orders");
        var row = window.Page.Locator($"#o-{id}");
        await Expect(row.Locator(".badge")).ToHaveCSSAsync("background-color", "rgba(0, 0, 0, 0)");
        var link = row.GetByRole(AriaRole.Link).First;
        await Expect(link).ToHaveCSSAsync("text-decoration-line", "none");
        await link.HoverAsync();
        await Expect(link).ToHaveCSSAsync("text-decoration-line", "underline");
        // Columns about the present are left out where no order of the list is under way.
        await window.GoAsync("/orders?status=confirmed");
        await Expect(window.Page.GetByRole(AriaRole.Columnheader, new() { Name = "Next action" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_command_line_previews_an_action_with_the_words_of_the_console()
    {
        var id = await Shop.MakeIncidentAsync();
        await using var window = await Chromium.OpenAsync(Shop.Url);
        foreach (var (address, command) in new (string, string[])[]
        {
            ("verb=resolve&step=authorize-payment&outcome=completed&undo=true",
                ["resolve", id, "authorize-payment", "completed", "--reason", "x"]),
            ("verb=retry", ["retry", id, "--reason", "x"]), ("verb=compensate", ["compensate", id, "--reason", "x"]),
        })
        {
            await window.GoAsync($"/orders/{id}/act?{address}");
            var text = (await window.Page.Locator(".lead").First.InnerTextAsync()).Trim();
            Assert.StartsWith(text + "\n", (await ((DemoShop)Shop).RunToolAsync([.. command, "--preview"])).Output,
                StringComparison.Ordinal);
        }
        var (_, why) = await ((DemoShop)Shop).RunToolAsync("why", id);
        await window.GoAsync($"/orders/{id}");
        var advice = await window.Page.Locator(".advice b").InnerTextAsync();
        Assert.Contains(advice, why, StringComparison.Ordinal);
        Assert.Contains("docs/operations/incidents/refund_failed.md", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_console_works_without_its_script()
    {
        var context = await Chromium.Browser.NewContextAsync(new() { BaseURL = Shop.Url.AbsoluteUri, JavaScriptEnabled = false });
        var page = await context.NewPageAsync();
        var id = await Shop.MakeIncidentAsync();
        await page.GotoAsync($"/orders/{id}/act?verb=retry");
        await page.GetByLabel("Reason (audited)").FillAsync("try");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry now" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status).Filter(new() { HasTextString = "Done" })).ToBeVisibleAsync();
        await context.CloseAsync();
    }

    [Fact]
    public async Task A_form_from_another_site_is_refused()
    {
        using var http = new HttpClient { BaseAddress = Shop.Url };
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["reason"] = "x", ["token"] = new('a', 32) });
        using var response = await http.PostAsync($"/orders/{Shop.Incident}/act?verb=retry", form);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("foreign_form", (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["code"]!);
    }

    [Theory]
    [InlineData("/orders?status=pending&olderThan=yesterday", "olderThan: Seconds, or ISO 8601 such as PT15M.")]
    [InlineData("/orders?status=lost", "status: One of: pending, confirmed")]
    [InlineData("/audit?orderId=none", "orderId: A UUID.")]
    [InlineData("/dead-letters?orderId=none", "orderId: A UUID.")]
    public async Task An_unreadable_filter_is_refused_with_the_expected_format(string path, string error)
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync(path);
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync(error);
        // A refusal must not look like an empty list.
        await Expect(window.Page.Locator(".empty")).ToHaveCountAsync(0);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task At_an_unknown_address_a_browser_gets_a_page_and_a_program_a_problem_document()
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync("/ordres");
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Page not found" })).ToBeVisibleAsync();
        await window.AssertAccessibleAsync("/missing");
        using var http = new HttpClient { BaseAddress = Shop.Url };
        foreach (var (path, accept) in new[] { ("/ordres", "*/*"), ("/api/v1/ordres", "text/html") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", accept } } };
            using var response = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        }
    }

    [Theory]
    [InlineData("/bulk?code=refund_failed&action=retry", "Incidents")]
    [InlineData("/incidents/none", "Incidents")]
    [InlineData("/reconciliations/none", "Payments")]
    [InlineData("/services/stock-service", "Overview")]
    [InlineData("/orders/none", "Orders")]
    public async Task The_menu_highlights_the_current_section(string path, string item)
    {
        await using var window = await Chromium.OpenAsync(Shop.Url);
        await window.GoAsync(path);
        await Expect(window.Page.Locator("nav [aria-current=page]")).ToHaveTextAsync(item);
    }
}
