using System.Text.Json;
using System.Text.RegularExpressions;
using Orderwright.Client;

namespace Orderwright.ConsoleTests;

/// <summary>The recommended action of each code of incidents.</summary>
public sealed partial class RecommendationTests
{
    static readonly string Pages = Path.Combine(Root(), "docs/operations/incidents");

    [Fact]
    public void Each_code_with_a_runbook_has_a_recommendation() => Assert.Empty(
        Directory.GetFiles(Pages, "*.md").Select(file => Heading().Match(File.ReadAllText(file)))
            .Where(heading => heading.Success).Select(heading => heading.Groups["code"].Value)
            .Except(Recommendation.ByCode.Keys));

    [Fact]
    public void Each_recommendation_has_a_runbook_a_reason_and_a_command()
    {
        foreach (var (code, recommended) in Recommendation.ByCode.Append(new("of_a_participant", Recommendation.Of("?"))))
        {
            Assert.True(File.Exists(Path.Combine(Root(), recommended.Runbook)), $"{code}: {recommended.Runbook}");
            Assert.EndsWith(".", recommended.Reason, StringComparison.Ordinal);
            Assert.Contains(recommended.Verb, recommended.CommandFor("ID", "a-step", undo: false), StringComparison.Ordinal);
            // A recommendation that its own runbook does not mention would send the operator in two directions.
            if (recommended.Page == code)
                Assert.Contains(recommended.Verb, File.ReadAllText(Path.Combine(Root(), recommended.Runbook)),
                    StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void A_cancelled_order_is_compensated_where_another_is_cancelled()
    {
        Assert.Equal("cancel", Of("""{ "state": "failed", "code": "not_authorized" }"""));
        Assert.Equal(
            "compensate", Of("""{ "state": "failed", "code": "not_authorized", "reason": { "kind": "cancelled" } }"""));
        Assert.Equal("compensate", Of("""{ "code": "not_authorized", "compensating": true }"""));
        Assert.Null(Of("""{ "state": "compensating", "code": "not_authorized" }"""));

        static string? Of(string saga) => Recommendation.For(JsonElement.Parse(saga))?.Verb;
    }

    [Theory]
    [InlineData(1, 7, "1 first, then 6")]
    [InlineData(7, 7, "7 at once, as the canary batch")]
    [InlineData(0, 7, "all 7 at once")]
    public void The_canary_batch_is_stated_in_words(int canary, int total, string words) =>
        Assert.Equal(words, CanaryWords.Of(canary, total));

    static string Root()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Orderwright.slnx"))) at = Path.GetDirectoryName(at.TrimEnd('/'))!;
        return at;
    }

    // The heading of a code's page is the code; pages of alerts have words.
    [GeneratedRegex("^# `(?<code>[a-z_]+)`")]
    private static partial Regex Heading();
}
