using System.Globalization;
using System.Text.RegularExpressions;

namespace Orderwright.Tidy.Reference;

/// <summary>Reads summaries and literals out of C# source, as far as the reference pages need them.</summary>
static partial class SourceText
{
    /// <summary>Converts the lines of a documentation comment to Markdown, without the tags.</summary>
    public static string Markdown(string comment)
    {
        var text = Regex.Match(
            string.Join(' ', comment.Split('\n').Select(line => line.Trim().TrimStart('/').Trim())),
            "<summary>(.*?)</summary>", RegexOptions.Singleline).Groups[1].Value;
        text = Code().Replace(text, "`$1`");
        text = Reference().Replace(text, match => Words().Replace(match.Groups[1].Value.Split('.')[^1], " ").ToLowerInvariant());
        return Spaces().Replace(text, " ").Trim().Replace("|", "\\|", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
    }

    /// <summary>Body of a class with this name; null if there is none in the text.</summary>
    public static string? BodyOf(string text, string name)
    {
        var start = Regex.Match(text, $@"\bclass {name}\b[^;{{]*\{{");
        if (!start.Success) return null;
        var depth = 1;
        var end = start.Index + start.Length;
        for (; depth > 0; end++) depth += text[end] is '{' ? 1 : text[end] is '}' ? -1 : 0;
        return text[(start.Index + start.Length)..(end - 1)];
    }

    /// <summary>Value of a C# literal as a setting writes it; unresolved names are returned unchanged.</summary>
    public static string Literal(string source)
    {
        source = source.Trim();
        if (Span().Match(source) is { Success: true } span)
            return span.Groups[2].Value.Replace("_", "", StringComparison.Ordinal) + span.Groups[1].Value switch
            {
                "Milliseconds" => "ms", "Seconds" => "s", "Minutes" => "m", "Hours" => "h", _ => "d",
            };
        if (source == "TimeSpan.Zero") return "0s";
        if (source.StartsWith('"') && source.Contains(':'))
            return TimeSpan.TryParse(source.Trim('"'), CultureInfo.InvariantCulture, out var time) ? Short(time) : source.Trim('"');
        var number = source.Replace("_", "", StringComparison.Ordinal);
        if (Shift().Match(number) is { Success: true } shift)
            return (long.Parse(shift.Groups[1].Value, CultureInfo.InvariantCulture)
                << int.Parse(shift.Groups[2].Value, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture);
        return Whole().Match(number) is { Success: true } whole ? whole.Groups[1].Value : source;
    }

    static string Short(TimeSpan time) =>
        time == TimeSpan.Zero ? "0s"
        : time.Ticks % TimeSpan.TicksPerDay == 0 ? $"{time.Days}d"
        : time.Ticks % TimeSpan.TicksPerHour == 0 ? $"{(int)time.TotalHours}h"
        : time.Ticks % TimeSpan.TicksPerMinute == 0 ? $"{(int)time.TotalMinutes}m"
        : time.Ticks % TimeSpan.TicksPerSecond == 0 ? $"{(int)time.TotalSeconds}s"
        : $"{(int)time.TotalMilliseconds}ms";

    [GeneratedRegex("<c>(.*?)</c>")]
    private static partial Regex Code();

    [GeneratedRegex("""<(?:see cref|paramref name)="([^"]*)"\s*/>""")]
    private static partial Regex Reference();

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex Words();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"^TimeSpan\.From(\w+)\(([\d_]+)\)$")]
    private static partial Regex Span();

    [GeneratedRegex(@"^(\d+)L? ?<< ?(\d+)$")]
    private static partial Regex Shift();

    [GeneratedRegex(@"^(-?\d+)L?$")]
    private static partial Regex Whole();
}
