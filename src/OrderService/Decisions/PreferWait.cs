using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Orderwright.OrderService.Decisions;

/// <summary><c>Prefer: wait=N</c> (RFC 7240): time the caller will wait for the decision.</summary>
public static class PreferWait
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Reads the preference, capped at <see cref="Longest"/>; zero without one. A malformed preference is ignored, as the RFC
    /// requires.
    /// </summary>
    public static TimeSpan Read(HttpContext http)
    {
        foreach (var header in http.Request.Headers["Prefer"])
            foreach (var preference in (header ?? "").Split(',', StringSplitOptions.TrimEntries))
            {
                var parts = preference.Split(';')[0].Split('=', 2, StringSplitOptions.TrimEntries);
                if (parts.Length == 2 && parts[0].Equals("wait", StringComparison.OrdinalIgnoreCase)
                    && uint.TryParse(
                        parts[1].Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                    return TimeSpan.FromSeconds(Math.Min(seconds, Longest.TotalSeconds));
            }
        return TimeSpan.Zero;
    }

    /// <summary>Value of <c>Preference-Applied</c>.</summary>
    public static string Applied(TimeSpan wait) =>
        string.Create(CultureInfo.InvariantCulture, $"wait={(int)wait.TotalSeconds}");
}
