using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Methods that no route names: HEAD for every GET, and OPTIONS for every path (RFC 9110, sections 9.3.2 and 9.3.7).
/// </summary>
static class ImpliedMethods
{
    public static async Task HandleAsync(HttpContext http, RequestDelegate next)
    {
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await next(http);
            CompleteAllowed(http);
            return;
        }
        // The server keeps the method of the request line, and sends no body.
        HeadRequests.Mark(http);
        http.Request.Method = HttpMethods.Get;
        try
        {
            await next(http);
            CompleteAllowed(http);
        }
        finally
        {
            http.Request.Method = HttpMethods.Head;
        }
    }

    // Routing's 405 lists the methods of the path's routes.
    static void CompleteAllowed(HttpContext http)
    {
        if (http.Response is not { StatusCode: StatusCodes.Status405MethodNotAllowed, HasStarted: false } response) return;
        var allowed = response.Headers.GetCommaSeparatedValues("Allow").ToHashSet(StringComparer.Ordinal);
        if (allowed.Count == 0) return;
        if (allowed.Contains(HttpMethods.Get)) allowed.Add(HttpMethods.Head);
        allowed.Add(HttpMethods.Options);
        response.Headers.Allow = string.Join(", ", allowed.Order(StringComparer.Ordinal));
        if (HttpMethods.IsOptions(http.Request.Method)) response.StatusCode = StatusCodes.Status204NoContent;
    }
}
