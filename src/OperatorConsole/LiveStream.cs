using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orderwright.Http;

namespace Orderwright.OperatorConsole;

/// <summary>
/// Live updates of a page as server-sent events: the page is rendered every second and sent after a change. The event's id is
/// a hash of the content, so a browser that reconnects with the current id receives no duplicate.
/// </summary>
sealed class LiveStream(PageRenderer renderer, Func<string, CancellationToken, ValueTask<Visit?>> newVisit, TimeProvider time)
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Each stream costs one rendered page per second. 50 serve a team of operators without a noticeable load.
    const int MostStreams = 50;
    static int open;

    public async Task RunAsync(HttpContext http)
    {
        var at = http.Request.Query["at"].ToString();
        if (Site.Find(at.Split('?')[0]) is not { } page)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (Interlocked.Increment(ref open) > MostStreams)
        {
            Interlocked.Decrement(ref open);
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        try
        {
            var stopping = http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(
                http.RequestAborted, stopping, Caller.Of(http).Ended);
            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-store";
            var last = http.Request.Headers["Last-Event-ID"].ToString();
            await SseFormatter.WriteAsync(ChangesAsync(page, at, last, end.Token), http.Response.Body, end.Token);
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    async IAsyncEnumerable<SseItem<string>> ChangesAsync(
        SitePage page, string at, string last, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            if (await newVisit(at, cancel) is not { } visit) yield break;
            var html = await renderer.RenderMainAsync(page, visit);
            var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(html)))[..16];
            if (id != last) yield return new SseItem<string>(html, "page") { EventId = id };
            last = id;
            await Task.Delay(Interval, time, cancel);
        }
    }
}
