using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Orderwright.OrderService;

/// <summary><c>Prefer: wait=N</c> (RFC 7240): how long the caller would wait for the decision.</summary>
public static class PreferWait
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>
    /// At most <see cref="Longest"/>; zero without the preference. One that cannot be read is ignored, as the
    /// RFC asks.
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

    /// <summary>What <c>Preference-Applied</c> says.</summary>
    public static string Applied(TimeSpan wait) =>
        string.Create(CultureInfo.InvariantCulture, $"wait={(int)wait.TotalSeconds}");
}
