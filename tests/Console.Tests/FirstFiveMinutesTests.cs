using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>What the README tells first, from start to end: <c>dev</c> under its supervisor, each <c>demo</c>, and the console.</summary>
public sealed partial class FirstFiveMinutesTests(Chromium chromium) : IAsyncLifetime
{
    static readonly TimeSpan Limit = Waiting.HangLimit;

    readonly string data = HttpHost.NewDirectory();
    readonly Uri url = new($"http://127.0.0.1:{HttpHost.FreePort()}");
    readonly List<string> told = [];
    readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource restarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Process dev = null!;

    public async ValueTask InitializeAsync()
    {
        Chromium.Require();
        var since = Stopwatch.GetTimestamp();
        dev = Start("dev", "--data", data, "--port", $"{url.Port}", "--no-open");
        dev.OutputDataReceived += (_, line) => Hear(line.Data, " is ready: ", ready);
        dev.ErrorDataReceived += (_, line) => Hear(line.Data, "The process was killed; it is started again.", restarted);
        dev.BeginOutputReadLine();
        dev.BeginErrorReadLine();
        await ready.Task.WaitAsync(Limit);
        Tell("dev, until it is ready", since);
    }

    [Fact]
    public async Task Each_story_is_told_by_the_tool_and_shown_by_the_console()
    {
        await using var window = await chromium.OpenAsync(url);
        await window.GoAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Let something happen" })).ToBeVisibleAsync();
        var placed = window.Page.Locator("figcaption a", new() { HasTextRegex = new("placed$") });
        await Expect(placed).ToHaveTextAsync(new Regex("^(9|\\d\\d+) placed")); // the trickle goes on

        await ShowAsync(window, "decline", "rejected: payment_declined", "Rejected at authorize-payment");
        await ShowAsync(window, "out-of-stock", "rejected: out_of_stock", "Rejected at reserve-stock");
        await ShowAsync(window, "gateway-timeout", "confirmed, 29.90 GBP paid", "Completed at");
        await ShowAsync(window, "refund-fails", "Mend it: ./orderwright resolve", "an operator has to retry, resolve or compensate it");
        var page = window.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Resolve undo of authorize-payment as completed" }).ClickAsync();
        await page.GetByLabel("Reason; it stands in the audit").FillAsync("paid back by hand");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resolve" }).ClickAsync();
        await Expect(page.Locator(".lead")).ToContainTextAsync("everything was undone");
        Assert.Empty(window.Complaints);

        // Who looks on while the process dies sees it come back by itself.
        await window.GoAsync("/");
        await ShowAsync(null, "crash", "✓ 1 authorization of 42.50 GBP.", "");
        await restarted.Task.WaitAsync(Limit);
        await Expect(page.Locator("#live")).ToHaveTextAsync("live");
        await ShowAsync(null, "reset", "Done.", "");
        await window.GoAsync("/incidents");
        await Expect(page.Locator(".empty")).ToContainTextAsync("Nothing needs a person.");
        var since = Stopwatch.GetTimestamp();
        var verified = await RunAsync("verify", "--data", data, "--settle", "20");
        Tell("verify", since);
        Assert.DoesNotContain("✗", verified, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', told));
    }

    public async ValueTask DisposeAsync()
    {
        // To the supervisor, which passes it on.
        using (var end = Process.Start("kill", ["-TERM", $"{dev.Id}"])) await end.WaitForExitAsync();
        using var limit = new CancellationTokenSource(Limit);
        await dev.WaitForExitAsync(limit.Token);
        dev.Dispose();
        Directory.Delete(data, recursive: true);
    }

    async Task ShowAsync(Window? window, string story, string says, string shows)
    {
        var since = Stopwatch.GetTimestamp();
        var said = await RunAsync("demo", story);
        Tell($"demo {story}", since);
        Assert.Contains(says, said, StringComparison.Ordinal);
        if (window is null) return;
        await window.GoAsync(Look().Match(said).Groups["path"].Value);
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(shows);
    }

    static void Hear(string? line, string part, TaskCompletionSource heard)
    {
        if (line?.Contains(part, StringComparison.Ordinal) == true) heard.TrySetResult();
    }

    void Tell(string what, long since) => told.Add($"{what}: {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s");

    async Task<string> RunAsync(params string[] verb)
    {
        using var tool = Start(verb);
        var said = await Task.WhenAll(tool.StandardOutput.ReadToEndAsync(), tool.StandardError.ReadToEndAsync());
        await tool.WaitForExitAsync();
        Assert.True(tool.ExitCode == 0, string.Concat(said));
        return said[0];
    }

    Process Start(params string[] arguments)
    {
        var program = HttpHost.ProgramOf("Cli");
        var root = program[..program.LastIndexOf("/src/Cli/", StringComparison.Ordinal)];
        var start = new ProcessStartInfo("bash", [$"{root}/orderwright", .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["ORDERWRIGHT_BUILT"] = "1", ["ORDERWRIGHT_URL"] = url.AbsoluteUri, ["NO_COLOR"] = "1" },
        };
        return Process.Start(start)!;
    }

    [GeneratedRegex("Order [0-9a-f-]{36}: http://[^/]+(?<path>/orders/[0-9a-f-]{36})")]
    private static partial Regex Look();
}
