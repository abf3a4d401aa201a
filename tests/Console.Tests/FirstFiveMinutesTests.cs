using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orderwright.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Orderwright.ConsoleTests;

/// <summary>First five minutes of the README: <c>dev</c> under its supervisor, each <c>demo</c>, and the console.</summary>
public sealed partial class FirstFiveMinutesTests(Chromium chromium) : IAsyncLifetime
{
    static readonly TimeSpan Limit = Waiting.HangLimit;

    readonly string data = HttpHost.NewDirectory();
    readonly Uri url = new($"http://127.0.0.1:{HttpHost.FreePort()}");
    readonly List<string> durations = [];
    readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource restarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Process dev = null!;

    public async ValueTask InitializeAsync()
    {
        Chromium.Require();
        var since = Stopwatch.GetTimestamp();
        dev = Start("dev", "--data", data, "--port", $"{url.Port}", "--no-open");
        dev.OutputDataReceived += (_, line) => SignalOn(line.Data, " is ready: ", ready);
        dev.ErrorDataReceived += (_, line) => SignalOn(line.Data, "The process was killed; restarting it.", restarted);
        dev.BeginOutputReadLine();
        dev.BeginErrorReadLine();
        await ready.Task.WaitAsync(Limit);
        Record("dev, until it is ready", since);
    }

    [Fact]
    public async Task Each_demo_runs_in_the_terminal_and_shows_its_order_in_the_console()
    {
        await using var window = await chromium.OpenAsync(url);
        await window.GoAsync("/");
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Demo scenarios" })).ToBeVisibleAsync();
        var placed = window.Page.Locator("figcaption a", new() { HasTextRegex = new("placed$") });
        // The demo shop keeps placing orders.
        await Expect(placed).ToHaveTextAsync(new Regex("^(9|\\d\\d+) placed"));

        await RunDemoAsync(window, "decline", "rejected: payment_declined", "Rejected at authorize-payment");
        await RunDemoAsync(window, "out-of-stock", "rejected: out_of_stock", "Rejected at reserve-stock");
        await RunDemoAsync(window, "gateway-timeout", "confirmed, 29.90 GBP paid", "Completed at");
        await RunDemoAsync(
            window, "refund-fails", "./orderwright resolve", "an operator has to act");
        var page = window.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Resolve undo of authorize-payment as completed" }).ClickAsync();
        await page.GetByLabel("Reason (audited)").FillAsync("paid back by hand");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resolve" }).ClickAsync();
        await Expect(page.Locator(".lead")).ToContainTextAsync("everything was undone");
        Assert.Empty(window.Complaints);

        // An open page reconnects by itself after the process restarts.
        await window.GoAsync("/");
        await RunDemoAsync(null, "crash", "✓ 1 authorization of 42.50 GBP.", "");
        await restarted.Task.WaitAsync(Limit);
        await Expect(page.Locator("#live")).ToHaveTextAsync("live");
        await RunDemoAsync(null, "reset", "Done.", "");
        await window.GoAsync("/incidents");
        await Expect(page.Locator(".empty")).ToContainTextAsync("No open incidents.");
        var since = Stopwatch.GetTimestamp();
        var verified = await RunAsync("verify", "--data", data, "--settle", "20");
        Record("verify", since);
        Assert.DoesNotContain("✗", verified, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', durations));
    }

    public async ValueTask DisposeAsync()
    {
        // The supervisor passes the signal on.
        using (var end = Process.Start("kill", ["-TERM", $"{dev.Id}"])) await end.WaitForExitAsync();
        using var limit = new CancellationTokenSource(Limit);
        await dev.WaitForExitAsync(limit.Token);
        dev.Dispose();
        Directory.Delete(data, recursive: true);
    }

    async Task RunDemoAsync(Window? window, string scenario, string output, string summary)
    {
        var since = Stopwatch.GetTimestamp();
        var printed = await RunAsync("demo", scenario);
        Record($"demo {scenario}", since);
        Assert.Contains(output, printed, StringComparison.Ordinal);
        if (window is null) return;
        await window.GoAsync(OrderLink().Match(printed).Groups["path"].Value);
        await Expect(window.Page.Locator(".lead")).ToContainTextAsync(summary);
    }

    static void SignalOn(string? line, string part, TaskCompletionSource signal)
    {
        if (line?.Contains(part, StringComparison.Ordinal) == true) signal.TrySetResult();
    }

    void Record(string what, long since) => durations.Add($"{what}: {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s");

    async Task<string> RunAsync(params string[] verb)
    {
        var (exit, output, errors) = await SetBackClock.VerifyAsync(() => RunOnceAsync(verb), result => result.Output);
        Assert.True(exit == 0, output + errors);
        return output;
    }

    async Task<(int ExitCode, string Output, string Errors)> RunOnceAsync(string[] verb)
    {
        using var tool = Start(verb);
        var output = await Task.WhenAll(tool.StandardOutput.ReadToEndAsync(), tool.StandardError.ReadToEndAsync());
        await tool.WaitForExitAsync();
        return (tool.ExitCode, output[0], output[1]);
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
    private static partial Regex OrderLink();
}
