using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Orderwright.Http;

/// <summary>Versions listed by a header; a foreign tag is no version.</summary>
/// <param name="Any"><c>*</c>: any version.</param>
/// <param name="Versions">Versions listed.</param>
public sealed record EntityTags(bool Any, IReadOnlyList<long> Versions)
{
    /// <summary>Reads a header; null without the header.</summary>
    /// <param name="header">Values of the header.</param>
    /// <param name="weak">True if weak tags count as well.</param>
    public static EntityTags? Read(StringValues header, bool weak)
    {
        if (header.Count == 0) return null;
        var tags = header.ToString().Split(',', StringSplitOptions.TrimEntries);
        return new(tags.Contains("*"), [.. tags.Select(tag => VersionOf(tag, weak)).OfType<long>()]);
    }

    /// <param name="version">Null if the resource does not exist.</param>
    public bool Include(long? version) => version is { } actual && (Any || Versions.Contains(actual));

    static long? VersionOf(string tag, bool weak)
    {
        if (weak && tag.StartsWith("W/", StringComparison.Ordinal)) tag = tag[2..];
        return tag is ['"', .. var inside, '"']
            && long.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
                ? version
                : null;
    }
}

/// <summary>
/// Preconditions of a change (RFC 9110, section 13.1): with <c>If-Match</c>, the resource exists in a listed version; with
/// <c>If-None-Match</c>, in none of the listed ones, and with <c>If-None-Match: *</c> not at all.
/// </summary>
public sealed record Precondition(EntityTags? Match, EntityTags? NoneMatch)
{
    /// <summary>Reads the preconditions; null without any.</summary>
    public static Precondition? Read(HttpContext http)
    {
        var match = EntityTags.Read(http.Request.Headers.IfMatch, weak: false);
        var noneMatch = EntityTags.Read(http.Request.Headers.IfNoneMatch, weak: true);
        return match is null && noneMatch is null ? null : new(match, noneMatch);
    }

    /// <summary>True for a read of a version that the caller has.</summary>
    public static bool IsUnchanged(HttpContext http, long version) =>
        EntityTags.Read(http.Request.Headers.IfNoneMatch, weak: true)?.Include(version) == true;

    /// <param name="version">Null if the resource does not exist.</param>
    public bool Holds(long? version) => Match?.Include(version) != false && NoneMatch?.Include(version) != true;

    public static Answer Failed() => Problem.Of(
        StatusCodes.Status412PreconditionFailed, ProblemCodes.VersionMismatch,
        "If-Match does not list the current version, or If-None-Match does: read the resource again, then decide.");
}
