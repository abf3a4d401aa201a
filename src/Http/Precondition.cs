using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// What <c>If-Match</c> asks for (RFC 9110, section 13.1.1): that the thing exists, in one of these versions. A weak
/// or foreign tag matches nothing.
/// </summary>
/// <param name="Any"><c>*</c>: whatever its version.</param>
/// <param name="Versions">The versions named.</param>
public sealed record Precondition(bool Any, IReadOnlyList<long> Versions)
{
    /// <summary>Null where the request asks for nothing.</summary>
    public static Precondition? Read(HttpContext http)
    {
        if (!http.Request.Headers.TryGetValue("If-Match", out var values)) return null;
        var tags = values.ToString().Split(',', StringSplitOptions.TrimEntries);
        return new(tags.Contains("*"), [.. tags.Select(VersionOf).OfType<long>()]);
    }

    /// <param name="version">Null where the thing does not exist.</param>
    public bool Holds(long? version) => version is { } actual && (Any || Versions.Contains(actual));

    public static Answer Failed() => Problem.Of(
        StatusCodes.Status412PreconditionFailed, "version_mismatch",
        "If-Match names another version than the present one: read it again, then decide.");

    static long? VersionOf(string tag) =>
        tag is ['"', .. var inside, '"']
        && long.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : null;
}
