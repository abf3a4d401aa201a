using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Orderwright.Tidy;

/// <summary>Alerts, as Prometheus itself judges them, and their pages.</summary>
public partial class AlertTests
{
    const string Folder = "deploy/prometheus";

    [Theory]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts.test.yml")]
    public async Task Promtool_accepts_the_alerts_and_each_fires_and_clears(params string[] arguments)
    {
        Assert.SkipUnless(IsInstalled("promtool"), "promtool is not installed; it comes with Prometheus.");
        var start = new ProcessStartInfo("promtool", arguments)
        {
            WorkingDirectory = Path.Combine(SourceTree.Root, Folder), RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var promtool = Process.Start(start)!;
        var output = await Task.WhenAll(
            promtool.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            promtool.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await promtool.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(promtool.ExitCode == 0, string.Concat(output));
    }

    [Fact]
    public void Every_alert_has_a_severity_a_sentence_and_a_page_of_its_own()
    {
        var alerts = Alert().Split(File.ReadAllText(Path.Combine(SourceTree.Root, Folder, "alerts.yml"))).Skip(1).ToList();
        Assert.NotEmpty(alerts);
        Assert.All(alerts, alert =>
        {
            Assert.Matches(@"severity: (page|ticket) \}", alert);
            Assert.Matches(@"summary: "".+\.""", alert);
        });
        var pages = alerts.Select(alert => Page().Match(alert).Groups[1].Value).ToList();
        Assert.All(pages, page => Assert.True(File.Exists(Path.Combine(SourceTree.Root, page)), page));
        Assert.DoesNotContain("docs/operations/incidents.md", pages);
    }

    [Fact]
    public void Every_page_says_the_meaning_how_to_see_it_what_to_do_and_how_to_confirm_and_is_listed()
    {
        var list = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/operations/incidents.md"));
        string[] parts = ["**How to see it.**", "**What to do.**", "**How to confirm.**"];
        Assert.Empty(
            from page in SourceTree.Read("docs/operations/incidents", "*.md")
            from missing in parts.Where(part => !page.Text.Contains(part, StringComparison.Ordinal))
                .Concat(list.Contains($"(incidents/{Path.GetFileName(page.Path)})", StringComparison.Ordinal) ? [] : ["a link"])
            select $"{page.Path} lacks {missing}");
    }

    static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    [GeneratedRegex(@"- alert: ")]
    private static partial Regex Alert();

    [GeneratedRegex(@"runbook_url: ([^#\s]+)")]
    private static partial Regex Page();
}
