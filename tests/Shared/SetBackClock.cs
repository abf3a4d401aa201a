using System.Globalization;
using System.Text.RegularExpressions;

namespace Orderwright.Testing;

/// <summary>
/// Verification on a machine whose clock was set back, as by <c>./orderwright test --clock jumping</c>: rows stamped before lie
/// in the future, and <c>verify</c> says so (I10) until the clock has passed the stamps.
/// </summary>
static partial class SetBackClock
{
    // From 90 s ahead to 90 s behind. A row further ahead was planted, or is a fault.
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    // Rows of the last moments are not judged.
    static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    /// <summary>Verifies again once the clock has passed the stamps.</summary>
    /// <param name="verify">Verification.</param>
    /// <param name="findings">Text of the findings within a result.</param>
    public static async Task<T> VerifyAsync<T>(Func<Task<T>> verify, Func<T, string> findings)
    {
        for (var limit = Waiting.NewLimit(); ;)
        {
            var result = await verify();
            var ahead = Stamp().Matches(findings(result))
                .Select(match => DateTimeOffset.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
                .ToList();
            if (ahead.Count == 0 || ahead.Max() > DateTimeOffset.UtcNow + Longest || limit.IsCancellationRequested)
                return result;
            await Waiting.UntilAsync(() => Task.FromResult(DateTimeOffset.UtcNow > ahead.Max() + Rest));
        }
    }

    [GeneratedRegex("stamped in the future, up to ([0-9: -]+Z)")]
    private static partial Regex Stamp();
}
