using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// Precondition of <c>If-Match</c> (RFC 9110, section 13.1.1): the resource exists in a listed version. A weak or
/// foreign tag matches nothing.
/// </summary>
/// <param name="Any"><c>*</c>: any version.</param>
/// <param name="Versions">Versions listed.</param>
public sealed record Precondition(bool Any, IReadOnlyList<long> Versions)
{
    /// <summary>Reads the precondition; null without <c>If-Match</c>.</summary>
    public static Precondition? Read(HttpContext http)
    {
        if (!http.Request.Headers.TryGetValue("If-Match", out var values)) return null;
        var tags = values.ToString().Split(',', StringSplitOptions.TrimEntries);
        return new(tags.Contains("*"), [.. tags.Select(VersionOf).OfType<long>()]);
    }

    /// <param name="version">Null if the resource does not exist.</param>
    public bool Holds(long? version) => version is { } actual && (Any || Versions.Contains(actual));

    public static Answer Failed() => Problem.Of(
        StatusCodes.Status412PreconditionFailed, ProblemCodes.VersionMismatch,
        "If-Match does not list the current version: read the resource again, then decide.");

    static long? VersionOf(string tag) =>
        tag is ['"', .. var inside, '"']
        && long.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : null;
}
