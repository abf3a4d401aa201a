using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Orderwright.OperatorConsole;

/// <summary>
/// Who visits. Where callers need a key, a visitor gives theirs once, and it is kept in a cookie that only this process
/// can open: it ends with the process, or after half a day. Every form carries a token that only our own pages know.
/// </summary>
public sealed class Sessions(bool hasKeys) : IDisposable
{
    const string KeyCookie = "orderwright_key";
    const string FormCookie = "orderwright_form";
    public const string FormField = "token";
    static readonly TimeSpan HalfADay = TimeSpan.FromHours(12);

    readonly AesGcm cipher = new(RandomNumberGenerator.GetBytes(32), AesGcm.TagByteSizes.MaxSize);

    public bool HasKeys => hasKeys;

    /// <summary>Calls the page with the visitor's key, or shows the door.</summary>
    public Task EnterAsync(HttpContext http, Func<string?, Task> page)
    {
        if (!hasKeys) return page(null);
        if (KeyOf(http) is { } key) return page(key);
        http.Response.Redirect($"/login?to={Uri.EscapeDataString(http.Request.Path + http.Request.QueryString.Value)}");
        return Task.CompletedTask;
    }

    public void Remember(HttpContext http, string key) =>
        http.Response.Cookies.Append(KeyCookie, Seal(key), Cookie(http, HalfADay));

    public static void Forget(HttpContext http) => http.Response.Cookies.Delete(KeyCookie);

    /// <summary>The token of this visitor's forms; a first visit gets one.</summary>
    public static string TokenOf(HttpContext http)
    {
        if (http.Request.Cookies[FormCookie] is { Length: 32 } known && known.All(char.IsAsciiHexDigitLower)) return known;
        if (http.Items[FormCookie] is string given) return given;
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        http.Items[FormCookie] = token;
        if (!http.Response.HasStarted) http.Response.Cookies.Append(FormCookie, token, Cookie(http, null));
        return token;
    }

    /// <summary>The form, or null when it does not come from a page of ours.</summary>
    public static async Task<IFormCollection?> ReadFormAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType || http.Request.ContentLength is null or > 32_768) return null;
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (expected, said) = (http.Request.Cookies[FormCookie] ?? "", form[FormField].ToString());
        return expected.Length > 0 && CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(said))
            ? form
            : null;
    }

    public void Dispose() => cipher.Dispose();

    // Strict: no other site's page or link brings it along.
    static CookieOptions Cookie(HttpContext http, TimeSpan? age) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Path = "/", MaxAge = age,
    };

    string? KeyOf(HttpContext http)
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
            return null; // another process sealed it
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
