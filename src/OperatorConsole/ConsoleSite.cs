using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OperatorConsole;

/// <summary>
/// The operator console at <c>/</c>: pages rendered on the server, whole and readable without a script; with one they
/// follow live. All that they show and do goes through the HTTP APIs as their visitor.
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
        var sessions = new Sessions(context.HasKeys);
        var renderer = new PageRenderer(context.Logs);
        var site = web.MapGroup("").OpenToAll().ExcludeFromDescription();

        foreach (var page in Site.Pages)
            site.MapGet(page.Route, http => sessions.EnterAsync(http, key => ShowAsync(http, page, key)));
        site.MapGet("/live", http => sessions.EnterAsync(http, key =>
            new LiveStream(renderer, (at, cancel) => Look(http, at, key, cancel), context.Time).RunAsync(http)));
        new Forms(sessions, renderer, apis, Look, ShowAsync).Map(site);
        new AgentDoor(apis, context.Logs).Map(web);
        // What a person mistypes gets a page; a program gets the problem document that every other path answers with.
        web.Use(next => http => http.GetEndpoint() is null && IsForPeople(http.Request)
            ? ShowAsync(http, Site.Missing, null, StatusCodes.Status404NotFound)
            : next(http));
        foreach (var (name, type) in Assets)
        {
            var bytes = Asset(name);
            site.MapGet($"/assets/{name}", http =>
            {
                // The address carries the content's hash, so that a copy never gets old.
                http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
                http.Response.ContentType = type;
                return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
            });
        }

        async Task ShowAsync(HttpContext http, SitePage page, string? key, int status = 200, string? trouble = null)
        {
            var visit = Look(http, http.Request.Path + http.Request.QueryString.Value, key, http.RequestAborted)!
                with { Trouble = trouble };
            var html = await renderer.WholeAsync(page, visit);
            await WriteAsync(http, status == 200 && visit.IsOfNothing ? StatusCodes.Status404NotFound : status, html);
        }

        Visit Look(HttpContext http, string at, string? key, CancellationToken cancel) =>
            Visit.Of(at, apis.As(key, cancel), context.Time.Now(), Sessions.TokenOf(http), sessions.HasKeys)
                with { Origin = $"{http.Request.Scheme}://{http.Request.Host}" };
    }

    static bool IsForPeople(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && !request.Path.StartsWithSegments("/api")
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    /// <summary>The address of an asset, with the hash of what it holds.</summary>
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
