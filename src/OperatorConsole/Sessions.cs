using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orderwright.Http;
using Orderwright.Http.Visitors;

namespace Orderwright.OperatorConsole;

/// <summary>
/// Visitors of the console: signed in where the server needs a session. Every form carries a token known only to the console's
/// pages.
/// </summary>
sealed class Sessions(VisitorSessions visitors)
{
    const string FormCookie = "orderwright_form";
    public const string FormField = "token";

    public VisitorSessions Visitors => visitors;

    /// <summary>Calls the page with the proof for calls to the APIs, or redirects to the sign-in page.</summary>
    public async Task AuthenticateAsync(HttpContext http, Func<string?, Task> page)
    {
        if (!visitors.AreNeeded)
        {
            await page(null);
            return;
        }
        if (await visitors.FindAsync(http) is { } found)
        {
            Caller.Set(http, found.Caller);
            await page(found.Proof);
            return;
        }
        http.Response.Redirect($"/login?to={Uri.EscapeDataString(http.Request.Path + http.Request.QueryString.Value)}");
    }

    /// <summary>Token of the visitor's forms; created on the first visit.</summary>
    public static string TokenOf(HttpContext http)
    {
        if (http.Request.Cookies[FormCookie] is { Length: 32 } known && known.All(char.IsAsciiHexDigitLower)) return known;
        if (http.Items[FormCookie] is string created) return created;
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        http.Items[FormCookie] = token;
        if (!http.Response.HasStarted)
            http.Response.Cookies.Append(FormCookie, token, VisitorSessions.Options(http, SameSiteMode.Strict, age: null));
        return token;
    }

    /// <summary>Reads a submitted form; null for a form from another site.</summary>
    public static async Task<IFormCollection?> ReadFormAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType || http.Request.ContentLength is null or > 32_768) return null;
        if (IsFromElsewhere(http.Request)) return null;
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (expected, actual) = (http.Request.Cookies[FormCookie] ?? "", form[FormField].ToString());
        return expected.Length > 0 && CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(actual))
            ? form
            : null;
    }

    // Hosts are compared, not schemes: an unknown proxy in front may have changed the scheme.
    static bool IsFromElsewhere(HttpRequest request) =>
        request.Headers.TryGetValue("Origin", out var origin)
        && !(Uri.TryCreate(origin.ToString(), UriKind.Absolute, out var from)
            && string.Equals(from.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
}
