using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// What a request must be before anything looks at what it asks: of a sane size, with one length, for this host, without a
/// card's number in its address, and, where no key is asked for, not sent by somebody else's web page.
/// </summary>
sealed class RequestGuard(HostSettings settings)
{
    // Kestrel's own limits lie above these: it answers without a body, and closes.
    public const int MaxTarget = 8_000;
    public const int MaxHeaders = 32_000;

    static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    readonly FrozenSet<string> hosts = LoopbackNames.Concat(settings.Hosts).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    readonly bool anyHost = !settings.Listen.IsLoopback && settings.Hosts.Count == 0;
    readonly bool keyless = settings.KeyFile is null;

    /// <summary>Null for a request that may go on.</summary>
    public Answer? Refuse(HttpContext http)
    {
        var request = http.Request;
        if (http.Features.Get<IHttpRequestFeature>()!.RawTarget.Length > MaxTarget)
            return Problem.Of(
                StatusCodes.Status414UriTooLong, "uri_too_long", $"The request target is over {MaxTarget} characters.");
        if (SizeOf(request.Headers) > MaxHeaders)
            return Problem.Of(
                StatusCodes.Status431RequestHeaderFieldsTooLarge, "headers_too_large",
                $"The headers are over {MaxHeaders} bytes.");
        if (HasTwoLengths(request))
        {
            http.Response.Headers.Connection = "close";
            return Problem.Of(
                StatusCodes.Status400BadRequest, "ambiguous_length",
                "A request has a Content-Length or a Transfer-Encoding, not both.");
        }
        if (!anyHost && !hosts.Contains(request.Host.Host))
            return Problem.Of(
                StatusCodes.Status400BadRequest, "foreign_host",
                "This server does not go by the name in the Host header. Its operator lists names in ORDERWRIGHT_HOSTS.");
        if (CardIn(request) is { } place)
            return Problem.CardNumber(place);
        if (keyless && IsCrossSite(request))
            return Problem.Of(
                StatusCodes.Status403Forbidden, "cross_site",
                "Without keys, a page of another origin may not change anything here.");
        return null;
    }

    static int SizeOf(IHeaderDictionary headers)
    {
        var size = 0;
        foreach (var (name, values) in headers)
            foreach (var value in values)
                size += name.Length + (value?.Length ?? 0) + 4;
        return size;
    }

    // Kestrel lets Transfer-Encoding win, as RFC 9112 allows, and moves the other to X-Content-Length. A proxy in front
    // that decides otherwise would see two requests where this server sees one, so the pair is refused.
    static bool HasTwoLengths(HttpRequest request) =>
        request.Headers.TransferEncoding.Count > 0
        && (request.Headers.ContainsKey("X-Content-Length") || request.Headers.ContentLength is not null);

    // In the address; whoever reads the body, or a header that is kept, looks there. What proxies write into other headers
    // has long numbers of its own, and is neither kept nor logged.
    static string? CardIn(HttpRequest request)
    {
        if (CardNumbers.Contains(request.Path.Value)) return "path";
        if (!request.QueryString.HasValue) return null;
        foreach (var (name, values) in request.Query)
        {
            if (CardNumbers.Contains(name)) return "query";
            if (values.Any(CardNumbers.Contains)) return name;
        }
        return null;
    }

    static bool IsCrossSite(HttpRequest request)
    {
        if (request.Method is "GET" or "HEAD" or "OPTIONS") return false;
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site) && site.ToString() is not ("same-origin" or "none"))
            return true;
        return request.Headers.TryGetValue("Origin", out var origin)
            && !string.Equals(
                origin.ToString(), $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);
    }
}
