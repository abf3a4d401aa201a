using System.Text.RegularExpressions;

namespace Orderwright.Tidy;

/// <summary>JSON of HTTP bodies is read with the same strict options by every service.</summary>
public partial class JsonTests
{
    const string StrictOptions =
        "JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, " +
        "Converters = [typeof(UtcMillisecondsConverter)]";

    [Fact]
    public void All_request_bodies_are_read_with_the_same_strict_options()
    {
        var sources = SourceTree.Read("src", "*.cs");
        var reading = sources
            .SelectMany(file => RequestContext().Matches(file.Text).Select(match => match.Groups[1].Value))
            .ToHashSet();
        Assert.NotEmpty(reading);
        Assert.Empty(
            from file in sources
            from match in Context().Matches(file.Text).AsEnumerable()
            where reading.Contains(match.Groups["name"].Value) && Options(match.Groups["options"].Value) != StrictOptions
            select $"{file.Path}: {match.Groups["name"].Value} has {Options(match.Groups["options"].Value)}");
    }

    [Fact]
    public void Other_options_are_found()
    {
        var match = Context().Match(
            """
            [JsonSourceGenerationOptions(
                JsonSerializerDefaults.Web,
                AllowDuplicateProperties = false)]
            [JsonSerializable(typeof(Item))]
            sealed partial class ItemJson : JsonSerializerContext;
            """);
        Assert.Equal("ItemJson", match.Groups["name"].Value);
        Assert.Equal("JsonSerializerDefaults.Web, AllowDuplicateProperties = false", Options(match.Groups["options"].Value));
    }

    static string Options(string text) => Spaces().Replace(text, " ").Trim();

    // The serializer contexts of the bodies that endpoints read.
    [GeneratedRegex(@"Commands\.ReadAsync\(\s*\w+,\s*(\w+)\.Default\.")]
    private static partial Regex RequestContext();

    [GeneratedRegex(
        @"\[JsonSourceGenerationOptions\((?<options>[^)]*(?:\([^)]*\)[^)]*)*)\)\]\s*(?:\[JsonSerializable\([^\n]*\)\]\s*)*" +
        @"[\w ]*partial class (?<name>\w+) : JsonSerializerContext")]
    private static partial Regex Context();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
