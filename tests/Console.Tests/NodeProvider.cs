using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Playwright;

namespace Orderwright.ConsoleTests;

/// <summary>
/// Identity provider written by others, the npm package oidc-provider, as a process. The package is installed on first use, in
/// <c>orderwright/oidc-provider</c> of the user's directory for application data.
/// </summary>
public sealed class NodeProvider : IIdentityProvider
{
    const string Package = "oidc-provider@9.13.3";

    readonly Process process;
    bool isDisposed;

    NodeProvider(Process process, string url) => (this.process, Url) = (process, url);

    public string Url { get; }

    public static async Task<NodeProvider> StartAsync(int port, string callback)
    {
        var folder = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
            "orderwright", "oidc-provider");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "oidc-provider")))
        {
            Directory.CreateDirectory(folder);
            using var install = Start("npm", ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", Package]);
            var (output, errors) = (install.StandardOutput.ReadToEndAsync(), install.StandardError.ReadToEndAsync());
            await install.WaitForExitAsync();
            if (install.ExitCode != 0) Assert.Skip($"npm cannot install {Package}: {await output}{await errors}");
        }
        var process = Start(
            "node",
            [
                Path.Combine(AppContext.BaseDirectory, "oidc-provider.mjs"), folder, port.ToString(CultureInfo.InvariantCulture),
            ],
            ("REDIRECTS", $"[\"{callback}\"]"));
        _ = process.StandardError.ReadToEndAsync();
        if (await process.StandardOutput.ReadLineAsync() is null)
            throw new InvalidOperationException("The provider ended at once.");
        return new(process, $"http://127.0.0.1:{port}");
    }

    public string Settings => $$"""
        {"issuers":[{"name":"login","issuer":"{{Url}}","grantsClaim":"roles","channels":{"*":["*"]},
          "grants":{"team":["operator","orders","stock","customers","credit","payments"]},
          "signOn":{"clientId":"console","clientSecret":"kept between the two","label":"Node"} }]}
        """;

    // The provider's own pages for development: any name and password, then a consent.
    public async Task SignInAsync(IPage page)
    {
        await page.Locator("input[name=login]").FillAsync("ann");
        await page.Locator("input[name=password]").FillAsync("any");
        await page.Locator("button[type=submit]").ClickAsync();
        await page.Locator("button[type=submit]").ClickAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    static Process Start(string program, string[] arguments, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{program} is not installed here.");
            throw;
        }
    }
}
