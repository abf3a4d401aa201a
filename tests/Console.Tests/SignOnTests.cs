using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>People sign in to the console at identity providers written by others.</summary>
public sealed class SignOnTests(Chromium chromium) : IAsyncLifetime
{
    readonly string directory = HttpHost.NewDirectory();
    readonly int port = HttpHost.FreePort();
    readonly int providerPort = HttpHost.FreePort();

    string Callback => $"http://127.0.0.1:{port}/sign-on/login/callback";

    public ValueTask InitializeAsync()
    {
        Chromium.Require();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(directory, recursive: true);
        return default;
    }

    [Fact]
    public async Task A_person_signs_in_at_OpenIddict()
    {
        await using var provider = await OpenIddictProvider.StartAsync(providerPort);
        await SignInAndOutAsync(provider);
    }

    [Fact]
    public async Task A_person_signs_in_at_the_provider_of_Node()
    {
        await using var provider = await NodeProvider.StartAsync(providerPort, Callback);
        await SignInAndOutAsync(provider);
    }

    async Task SignInAndOutAsync(IIdentityProvider provider)
    {
        await using var host = await StartAsync(provider);
        await using var window = await chromium.OpenAsync(host.Url);
        var page = window.Page;
        await window.GoAsync("/timers?overdue=true");
        await window.AssertAccessibleAsync("/login/provider");
        await page.GetByRole(AriaRole.Link, new() { NameRegex = new("Sign in with") }).ClickAsync();
        await provider.SignInAsync(page);
        Assert.False(page.Url.Contains("failed=", StringComparison.Ordinal), host.Output);
        await Expect(page).ToHaveURLAsync(new Regex("/timers\\?overdue=true$"));
        await Expect(page.Locator("main")).ToContainTextAsync("No overdue timers.");
        await Expect(page.Locator(".who")).ToHaveTextAsync("login:ann");

        var cookie = Assert.Single(await page.Context.CookiesAsync(), cookie => cookie.Name == "orderwright_session");
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);

        // The provider goes away: sessions continue, and a sign-in says why it fails.
        await provider.DisposeAsync();
        await window.GoAsync("/orders");
        await Expect(page).ToHaveURLAsync(new Regex("/orders$"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/login"));
        await page.GetByRole(AriaRole.Link, new() { NameRegex = new("Sign in with") }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("cannot be reached");
    }

    [Fact]
    public async Task An_access_token_of_OpenIddict_opens_the_API()
    {
        await using var provider = await OpenIddictProvider.StartAsync(providerPort);
        await using var host = await StartAsync(provider);
        Assert.DoesNotContain("error", host.Output, StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Url, "/api/v1/orders"));
        request.Headers.Authorization = new("Bearer", await provider.TokenAsync());
        using var response = await host.Client.SendAsync(request);
        Assert.Equal(200, (int)response.StatusCode);
    }

    Task<HttpHost> StartAsync(IIdentityProvider provider)
    {
        var file = Path.Combine(directory, "issuers.json");
        File.WriteAllText(file, provider.Settings);
        return HttpHost.StartProcessAsync(
            ["--data", Path.Combine(directory, "data"), "--port", $"{port}", "--no-open", "--no-trickle", "--issuers", file]);
    }
}
