using System.Text.RegularExpressions;

namespace Orderwright.Tidy;

/// <summary>Metrics in the code, in the reference, in the alerts and in the dashboards are the same.</summary>
public partial class MetricsTests
{
    static readonly IReadOnlySet<string> Documented =
        DocumentedName().Matches(TextOf("docs/reference/metrics.md")).Select(match => match.Groups[1].Value)
            .ToHashSet();

    static IEnumerable<SourceFile> Monitoring =>
        SourceTree.Read("deploy/prometheus", "*.yml").Concat(SourceTree.Read("deploy/grafana", "*.json"));

    [Fact]
    public void Every_instrument_is_documented_and_every_documented_instrument_exists()
    {
        var created = SourceTree.Read("src", "*.cs").SelectMany(file => Instrument().Matches(file.Text))
            .Select(match => match.Groups[1].Value).ToHashSet();
        var documented = DocumentedInstrument().Matches(TextOf("docs/reference/metrics.md"))
            .Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Equal(created.Order(), documented.Order());
    }

    [Fact]
    public void Alerts_and_dashboards_name_documented_metrics_only() =>
        Assert.Empty(
            from file in Monitoring
            from name in Metric().Matches(file.Text).Select(match => Suffix().Replace(match.Value, "")).Distinct()
            where !Documented.Contains(name)
            select $"{file.Path} names {name}");

    [Fact]
    public void Every_runbook_exists() =>
        Assert.Empty(
            from match in Runbook().Matches(TextOf("deploy/prometheus/alerts.yml"))
            let path = match.Groups[1].Value
            let anchor = match.Groups[2].Value
            where !AnchorsOf(TextOf(path)).Contains(anchor) && anchor.Length > 0
            select $"{path}#{anchor}");

    static string TextOf(string path) => File.ReadAllText(Path.Combine(SourceTree.Root, path));

    // As code forges make them: lower case, without punctuation, spaces as dashes.
    static HashSet<string> AnchorsOf(string markdown) =>
        [.. Heading().Matches(markdown).Select(match =>
            NotInAnchor().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex(@"^\| `((?:orderwright|dotnet|http|db)_[a-z_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex DocumentedName();

    [GeneratedRegex(@"^\| `[a-z_]+` \| `(orderwright\.[a-z_.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex DocumentedInstrument();

    [GeneratedRegex(@"(?:Create\w+(?:<\w+>)?|new)\(\s*""(orderwright\.[a-z_]+(?:\.[a-z_]+)*)""(?=,)")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"\b(?:orderwright|dotnet|http_server|db_client)_[a-z_]+\b")]
    private static partial Regex Metric();

    [GeneratedRegex(@"_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"runbook_url: ([^#\s]+)#?(\S*)")]
    private static partial Regex Runbook();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
