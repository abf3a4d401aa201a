using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OperatorConsole;

/// <summary>
/// Operator console at <c>/</c>. Pages are rendered on the server and work without a script; the script adds live updates.
/// The console reads and acts only through the HTTP APIs, with the visitor's rights.
/// </summary>
public sealed class ConsoleSite : ISite
{
    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
        "base-uri 'none'; frame-ancestors 'none'";

    static readonly FrozenDictionary<string, string> Assets = new Dictionary<string, string>
    {
        ["console.css"] = "text/css; charset=utf-8",
        ["console.js"] = "text/javascript; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
    }.ToFrozenDictionary();

    public void Map(WebApplication web, SiteContext context)
    {
        var apis = new Apis(context);
        var sessions = new Sessions(context.Sessions);
        var links = TelemetryLinks.Read(context.Configuration);
        var renderer = new PageRenderer(context.Logs);
        var site = web.MapGroup("").OpenToAll().ExcludeFromDescription();

        foreach (var page in Site.Pages)
            site.MapGet(page.Route, http => sessions.AuthenticateAsync(http, key => ShowAsync(http, page, key)));
        // The visitor is looked up for every rendering: a stream ends with its session.
        site.MapGet("/live", http => sessions.AuthenticateAsync(http, _ => new LiveStream(
            renderer,
            async (at, cancel) => !context.Sessions.AreNeeded ? NewVisit(http, at, null, cancel)
                : await context.Sessions.FindAsync(http) is { } visitor ? NewVisit(http, at, visitor.Proof, cancel) : null,
            context.Time).RunAsync(http)));
        new Forms(sessions, renderer, apis, NewVisit, ShowAsync).Map(site);
        new McpEndpoint(apis, context.Logs).Map(web);
        // A browser at an unknown address gets a page; a program gets the usual problem document.
        web.Use(next => http => http.GetEndpoint() is null && IsFromBrowser(http.Request)
            ? ShowAsync(http, Site.NotFound, null, StatusCodes.Status404NotFound)
            : next(http));
        foreach (var (name, type) in Assets)
        {
            var bytes = Asset(name);
            site.MapGet($"/assets/{name}", http =>
            {
                // The address contains the content's hash, so a cached copy never goes stale.
                http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
                http.Response.ContentType = type;
                return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
            });
        }

        async Task ShowAsync(HttpContext http, SitePage page, string? key, int status = 200, string? error = null)
        {
            var visit = NewVisit(http, http.Request.Path + http.Request.QueryString.Value, key, http.RequestAborted)!
                with { Error = error };
            var html = await renderer.RenderPageAsync(page, visit);
            await WriteAsync(http, status == 200 && visit.IsNotFound ? StatusCodes.Status404NotFound : status, html);
        }

        Visit NewVisit(HttpContext http, string at, string? key, CancellationToken cancel) =>
            Visit.Of(at, apis.As(key, cancel), context.Time.Now(), Sessions.TokenOf(http), context.Sessions.AreNeeded)
                with { Origin = $"{http.Request.Scheme}://{http.Request.Host}", Links = links, Who = WhoIs(http) };

        string? WhoIs(HttpContext http) => context.Sessions.AreNeeded ? Caller.Find(http)?.Name : null;
    }

    static bool IsFromBrowser(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && !request.Path.StartsWithSegments("/api")
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    /// <summary>Address of an asset, with a hash of the content.</summary>
    public static string AddressOf(string asset) => $"/assets/{asset}?{Hashes[asset]}";

    internal static async Task WriteAsync(HttpContext http, int status, string html)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync(html, http.RequestAborted);
    }

    static readonly FrozenDictionary<string, string> Hashes =
        Assets.Keys.ToFrozenDictionary(name => name, name => Convert.ToHexStringLower(SHA256.HashData(Asset(name)))[..12]);

    static byte[] Asset(string name)
    {
        using var stream = typeof(ConsoleSite).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The asset {name} is not in the assembly.");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
