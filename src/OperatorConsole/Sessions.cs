using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.OperatorConsole;

/// <summary>
/// Sessions of visitors. On a server with API keys, a visitor signs in with a key, which a cookie keeps encrypted for this
/// process: the session ends with the process or after half a day. Every form carries a token known only to the console's pages.
/// </summary>
/// <param name="callerOf">Caller with a key, as long as the key is valid; null on a server without keys.</param>
public sealed class Sessions(Func<string, Caller?>? callerOf) : IDisposable
{
    const string KeyCookie = "orderwright_key";
    const string FormCookie = "orderwright_form";
    public const string FormField = "token";
    static readonly TimeSpan HalfADay = TimeSpan.FromHours(12);

    readonly AesGcm cipher = new(RandomNumberGenerator.GetBytes(32), AesGcm.TagByteSizes.MaxSize);

    public bool HasKeys => callerOf is not null;

    /// <summary>
    /// Calls the page with the visitor's key, or redirects to the sign-in page. A session ends with its key.
    /// </summary>
    public Task AuthenticateAsync(HttpContext http, Func<string?, Task> page)
    {
        if (callerOf is null) return page(null);
        if (KeyOf(http) is { } key && callerOf(key) is { } caller)
        {
            Caller.Set(http, caller);
            return page(key);
        }
        http.Response.Redirect($"/login?to={Uri.EscapeDataString(http.Request.Path + http.Request.QueryString.Value)}");
        return Task.CompletedTask;
    }

    public void SignIn(HttpContext http, string key) =>
        http.Response.Cookies.Append(KeyCookie, Seal(key), Cookie(http, HalfADay));

    public static void SignOut(HttpContext http) => http.Response.Cookies.Delete(KeyCookie);

    /// <summary>Token of the visitor's forms; created on the first visit.</summary>
    public static string TokenOf(HttpContext http)
    {
        if (http.Request.Cookies[FormCookie] is { Length: 32 } known && known.All(char.IsAsciiHexDigitLower)) return known;
        if (http.Items[FormCookie] is string created) return created;
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        http.Items[FormCookie] = token;
        if (!http.Response.HasStarted) http.Response.Cookies.Append(FormCookie, token, Cookie(http, null));
        return token;
    }

    /// <summary>Reads a submitted form; null for a form from another site.</summary>
    public static async Task<IFormCollection?> ReadFormAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType || http.Request.ContentLength is null or > 32_768) return null;
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (expected, actual) = (http.Request.Cookies[FormCookie] ?? "", form[FormField].ToString());
        return expected.Length > 0 && CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(actual))
            ? form
            : null;
    }

    public void Dispose() => cipher.Dispose();

    // Strict: requests from other sites carry no cookie.
    static CookieOptions Cookie(HttpContext http, TimeSpan? age) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Path = "/", MaxAge = age,
    };

    /// <summary>Key of a signed-in visitor, valid or not; null for others.</summary>
    public string? KeyOf(HttpContext http)
    {
        if (http.Request.Cookies[KeyCookie] is not { Length: > 0 and < 512 } text) return null;
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var length) || length < 29) return null;
        var plain = new byte[length - 28];
        try
        {
            cipher.Decrypt(bytes.AsSpan(0, 12), bytes.AsSpan(28, plain.Length), bytes.AsSpan(12, 16), plain);
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null; // sealed by another process
        }
    }

    // Nonce, tag, text.
    string Seal(string key)
    {
        var plain = Encoding.UTF8.GetBytes(key);
        var bytes = new byte[28 + plain.Length];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, 12));
        cipher.Encrypt(bytes.AsSpan(0, 12), plain, bytes.AsSpan(28), bytes.AsSpan(12, 16));
        return Convert.ToBase64String(bytes);
    }
}
