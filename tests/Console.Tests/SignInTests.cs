using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using Orderwright.Hosting.Keys;
using Orderwright.Http;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>Console of a server with API keys: signing in and out.</summary>
public sealed class SignInTests(Chromium chromium) : IAsyncLifetime
{
    readonly string directory = HttpHost.NewDirectory();
    HttpHost host = null!;
    string keyOfOperator = "";
    string keyOfShop = "";

    public async ValueTask InitializeAsync()
    {
        Chromium.Require();
        var file = Path.Combine(directory, "keys.json");
        keyOfOperator = KeyFile.Add(file, "anna", [.. Scopes.All], DateTimeOffset.UtcNow);
        keyOfShop = KeyFile.Add(file, "shop", [Scopes.Orders], DateTimeOffset.UtcNow);
        host = await HttpHost.StartAsync(null, "--keys", file);
    }

    [Fact]
    public async Task A_visitor_signs_in_with_a_key_lands_on_the_requested_page_and_signs_out()
    {
        await using var window = await chromium.OpenAsync(host.Url);
        var page = window.Page;
        await window.GoAsync("/timers?overdue=true");
        await window.AssertAccessibleAsync("/login");
        await page.GetByLabel("Key").FillAsync("ow_nonsense_key");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("key_unknown");
        await window.AssertAccessibleAsync("/login/refused");

        // A key with the scope orders only cannot use the console.
        await page.GetByLabel("Key").FillAsync(keyOfShop);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("missing_scope");

        await page.GetByLabel("Key").FillAsync(keyOfOperator);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/timers\\?overdue=true$"));
        await Expect(page.Locator("main")).ToContainTextAsync("No overdue timers.");
        await Expect(page.Locator("#live")).ToHaveTextAsync("live");

        var cookie = Assert.Single(await page.Context.CookiesAsync(), cookie => cookie.Name == "orderwright_session");
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);
        Assert.DoesNotContain(keyOfOperator, Uri.UnescapeDataString(cookie.Value), StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await window.GoAsync("/");
        await Expect(page).ToHaveURLAsync(new Regex("/login"));
    }

    [Fact]
    public async Task The_description_of_the_API_opens_for_a_visitor_who_is_signed_in()
    {
        await using var window = await chromium.OpenAsync(host.Url);
        await window.GoAsync("/");
        await window.Page.GetByLabel("Key").FillAsync(keyOfOperator);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(window.Page).ToHaveURLAsync(new Regex("/$"));
        await OpenDescriptionAsync(window);
    }

    [Fact]
    public async Task The_description_of_the_API_opens_with_a_key_as_the_browsers_password()
    {
        await using var window = await chromium.OpenAsync(host.Url, password: keyOfShop);
        await OpenDescriptionAsync(window);
    }

    static async Task OpenDescriptionAsync(Window window)
    {
        await window.GoAsync("/swagger");
        await Expect(window.Page.Locator("h1.title, h2.title").First).ToContainTextAsync("Orderwright");
        await Expect(window.Page.GetByText("/api/v1/orders/{id}/fulfilments", new() { Exact = true }).First).ToBeVisibleAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
