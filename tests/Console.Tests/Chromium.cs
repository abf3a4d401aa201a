using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Orderwright.ConsoleTests;

/// <summary>Headless browser shared by the run: <c>CHROMIUM</c>, or the system's browser at a usual path.</summary>
public sealed class Chromium : IAsyncLifetime
{
    // The headless shell has no window system and takes half the time.
    static readonly string[] Usual = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/google-chrome"];

    static readonly string? Program =
        Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named ? named : Usual.FirstOrDefault(File.Exists);

    // Milliseconds; far longer than any page takes, and short enough for a failing test.
    const float PageLimit = 60_000;

    IPlaywright? playwright;
    IBrowser? browser;

    public IBrowser Browser
    {
        get
        {
            Require();
            return browser!;
        }
    }

    /// <summary>Skips the calling test where no browser is installed.</summary>
    public static void Require() =>
        Machine.Require(Program is null ? "Chromium is not installed; ./orderwright test installs a headless one." : null);

    public async ValueTask InitializeAsync()
    {
        if (Program is null) return;
        Assertions.SetDefaultExpectTimeout(PageLimit);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        });
    }

    /// <summary>Opens a separate window, which records console messages of its pages.</summary>
    public async Task<Window> OpenAsync(Uri site, bool dark = false, int width = 1440, string? password = null)
    {
        var context = await Browser.NewContextAsync(new()
        {
            BaseURL = site.AbsoluteUri,
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new() { Width = width, Height = 800 },
            HttpCredentials = password is null ? null : new() { Username = "", Password = password },
        });
        context.SetDefaultTimeout(PageLimit);
        return new Window(context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }
}

/// <summary>Page of the console in a separate window.</summary>
public sealed class Window : IAsyncDisposable
{
    static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    const string Violations =
        """
        async () => (await axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        })).violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html.slice(0, 120)).join(" | ")}`)
        """;

    static readonly Clip Top = new() { X = 0, Y = 0, Width = 1440, Height = 960 };

    readonly IBrowserContext context;

    public Window(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => Complaints.Add(error);
    }

    public IPage Page { get; }

    /// <summary>Errors and warnings on the browser's console, including refused scripts and styles.</summary>
    public List<string> Complaints { get; } = [];

    public async Task<Window> GoAsync(string path)
    {
        await Page.GotoAsync(path);
        return this;
    }

    /// <summary>
    /// Checks accessibility with axe in light and dark, and that a phone shows the page without scrolling sideways. Leaves the
    /// window dark and narrow.
    /// </summary>
    public async Task AssertAccessibleAsync(string name)
    {
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await Page.SetViewportSizeAsync(1440, 900);
        Assert.Empty(await ViolationsAsync());
        await CaptureAsync(name, "wide-light");
        await CaptureAsync(name, "top-light", Top);
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.Empty(await ViolationsAsync());
        await CaptureAsync(name, "wide-dark");
        await CaptureAsync(name, "top-dark", Top);
        await Page.SetViewportSizeAsync(390, 800);
        await CaptureAsync(name, "narrow-dark");
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await CaptureAsync(name, "narrow-light");
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.Empty(await ViolationsAsync());
        Assert.InRange(await Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"), 1, 390);
    }

    public async Task<string[]> ViolationsAsync()
    {
        await Page.EvaluateAsync(Axe);
        return await Page.EvaluateAsync<string[]>(Violations);
    }

    public async ValueTask DisposeAsync() => await context.CloseAsync();

    // Pictures for people, if ORDERWRIGHT_LOOKS names a directory: the whole page, and the top of the page for the README.
    async Task CaptureAsync(string name, string view, Clip? part = null)
    {
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_LOOKS") is not { Length: > 0 } directory) return;
        var file = string.Concat(name.Select(c => char.IsLetterOrDigit(c) ? c : '-'));
        await Page.ScreenshotAsync(new() { FullPage = true, Clip = part, Path = Path.Combine(directory, $"{view}{file}.png") });
    }
}
