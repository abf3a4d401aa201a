using System.Text.RegularExpressions;

namespace Orderwright.Tidy;

/// <summary>
/// Time, ids and random numbers are passed as arguments, so that a simulation controls all of them (CONTRIBUTING.md). The
/// tool and the private servers are not simulated.
/// </summary>
public class BannedCallTests
{
    static readonly (Regex Pattern, string Instead)[] Banned =
    [
        (new(@"\bDateTime(Offset)?\.(UtcNow|Now|Today)\b"), "TimeProvider, Work.Now"),
        (new(@"\bGuid\.NewGuid\("), "IIdSource"),
        (new(@"\bGuid\.CreateVersion7\("), "IIdSource"),
        (new(@"\bRandom\.Shared\b|\bnew Random\(\)"), "a seeded source"),
        (new(@"\bTask\.Delay\((?![^;]*\b[tT]ime\b)(?![^;]*TimeProvider)"), "Task.Delay with a TimeProvider"),
        (new(@"\bThread\.Sleep\("), "a signal, or Task.Delay with a TimeProvider"),
        (new(@"\.GetAwaiter\(\)\.GetResult\(\)"), "await"),
    ];

    static readonly string[] Exempt = ["src/Cli/", "src/LocalServers/"];

    // Files that define the one real source.
    static readonly string[] Sources = ["src/Runtime/Ids.cs"];

    [Fact]
    public void Nothing_asks_the_machine_for_time_ids_or_chance() =>
        Assert.Empty(Violations(SourceTree.Read("src", "*.cs")));

    [Theory]
    [InlineData("var now = DateTimeOffset.UtcNow;")]
    [InlineData("var id = Guid.NewGuid();")]
    [InlineData("await Task.Delay(100);")]
    [InlineData("await Task.Delay(pause, cancel);")]
    [InlineData("var dice = Random.Shared.Next(6);")]
    public void A_banned_call_is_found(string line) =>
        Assert.Single(Violations([new SourceFile("src/StockService/Planted.cs", line)]));

    [Fact]
    public void A_delay_on_a_time_provider_is_fine() =>
        Assert.Empty(Violations([new SourceFile("src/Runtime/Fine.cs", "await Task.Delay(pause, time, cancel);")]));

    static IEnumerable<string> Violations(IEnumerable<SourceFile> files) =>
        from file in files
        where !Exempt.Any(folder => file.Path.StartsWith(folder, StringComparison.Ordinal)) && !Sources.Contains(file.Path)
        from banned in Banned
        from Match match in banned.Pattern.Matches(file.Text)
        let line = file.Text[..match.Index].Count(c => c == '\n') + 1
        select $"{file.Path}:{line}: {match.Value} (use {banned.Instead})";
}
