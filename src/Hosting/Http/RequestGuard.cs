using System.Collections.Frozen;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Checks a request before anything else reads it: sane size, a single length, a known host name, no card number in its
/// address, an uncompressed body and, without keys, not sent by another origin's web page.
/// </summary>
sealed partial class RequestGuard(HostSettings settings, ILogger<RequestGuard> log)
{
    // Kestrel's own limits are higher, because Kestrel refuses without a body and closes the connection.
    public const int MaxTarget = 8_000;
    public const int MaxHeaders = 32_000;

    // RFC 9110, section 12.5.3: the codings of bodies that the server reads.
    const string Identity = "identity";

    static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    readonly FrozenSet<string> hosts = LoopbackNames.Concat(settings.Hosts).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    readonly bool anyHost = !settings.Listen.IsLoopback && settings.Hosts.Count == 0;
    readonly bool keyless = !settings.KnowsCallers;

    /// <summary>Returns the refusal of a request, or null.</summary>
    public Answer? Refuse(HttpContext http)
    {
        var request = http.Request;
        if (http.Features.Get<IHttpRequestFeature>()!.RawTarget.Length > MaxTarget)
            return Problem.Of(
                StatusCodes.Status414UriTooLong, ProblemCodes.UriTooLong, $"The request target exceeds {MaxTarget} characters.");
        if (SizeOf(request.Headers) > MaxHeaders)
            return Problem.Of(
                StatusCodes.Status431RequestHeaderFieldsTooLarge, ProblemCodes.HeadersTooLarge,
                $"The headers exceed {MaxHeaders} bytes.");
        if (IsAmbiguous(request))
        {
            LogAmbiguous(AddressOf(http));
            Metrics.Refused(ProblemCodes.AmbiguousLength);
            http.Response.Headers.Connection = "close";
            return Problem.Of(
                StatusCodes.Status400BadRequest, ProblemCodes.AmbiguousLength,
                "A request has one length: a Content-Length in digits, or the Transfer-Encoding chunked.");
        }
        if (!anyHost && !hosts.Contains(request.Host.Host))
            return Problem.Of(
                StatusCodes.Status400BadRequest, ProblemCodes.ForeignHost,
                "The name in the Host header is not one of this server's. Allowed names are listed in ORDERWRIGHT_HOSTS.");
        if (CardIn(request) is { } place)
            return Problem.CardNumber(place);
        if (request.Headers.ContentEncoding is { Count: > 0 } coding
            && !string.Equals(coding.ToString(), Identity, StringComparison.OrdinalIgnoreCase))
        {
            http.Response.Headers.AcceptEncoding = Identity;
            return Problem.Of(
                StatusCodes.Status415UnsupportedMediaType, ProblemCodes.UnsupportedMediaType, "Send the body uncompressed.");
        }
        if (keyless && IsCrossSite(request))
            return Problem.Of(
                StatusCodes.Status403Forbidden, ProblemCodes.CrossSite,
                "Without keys, pages of other origins may not change anything.");
        return null;
    }

    /// <summary>Address of the other end of the connection, for logs.</summary>
    public static IPAddress? AddressOf(HttpContext http) =>
        http.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped
            ? mapped.MapToIPv4()
            : http.Connection.RemoteIpAddress;

    static int SizeOf(IHeaderDictionary headers)
    {
        var size = 0;
        foreach (var (name, values) in headers)
            foreach (var value in values)
                size += name.Length + (value?.Length ?? 0) + 4;
        return size;
    }

    // A proxy in front that reads the length of a body in another way sees two requests where this server sees one. Kestrel
    // lets Transfer-Encoding win, as RFC 9112 allows, and moves Content-Length to X-Content-Length; it takes further codings
    // before the last one, and the header twice.
    static bool IsAmbiguous(HttpRequest request)
    {
        if (request.Headers.ContentLength == LengthDigits.Malformed) return true;
        var coding = request.Headers.TransferEncoding;
        return coding.Count > 0
            && (coding.Count > 1 || !string.Equals(coding[0], "chunked", StringComparison.OrdinalIgnoreCase)
                || request.Headers.ContainsKey("X-Content-Length") || request.Headers.ContentLength is not null);
    }

    [LoggerMessage(2031, LogLevel.Warning, "A request with an ambiguous length was refused, sent from {Address}")]
    partial void LogAmbiguous(IPAddress? address);

    // Checks the address only: bodies, and headers that are stored, are checked by their readers. Headers added by proxies
    // contain long numbers of their own, and are neither stored nor logged.
    static string? CardIn(HttpRequest request)
    {
        if (CardNumbers.Contains(request.Path.Value)) return "path";
        // The codes of an identity provider are random, and neither stored nor logged.
        if (!request.QueryString.HasValue || request.Path.StartsWithSegments("/sign-on")) return null;
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
