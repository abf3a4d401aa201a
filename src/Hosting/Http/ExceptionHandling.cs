using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Makes every error a problem document: what an endpoint throws, and the bare 404, 405 and 415 of routing. Nothing
/// internal is told; the trace id finds the log line.
/// </summary>
sealed partial class ExceptionHandling(ILogger<ExceptionHandling> log)
{
    static readonly TimeSpan ComeBackAfter = TimeSpan.FromSeconds(1);

    public async Task GuardAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error)
        {
            if (http.Response.HasStarted)
            {
                LogCutOff(Operation(http), error);
                http.Abort();
                return;
            }
            http.Response.Clear();
            await AnswerTo(error, http).ExecuteAsync(http);
            return;
        }
        if (http.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null })
            await AnswerTo(http.Response.StatusCode, http.Request).ExecuteAsync(http);
    }

    Answer AnswerTo(Exception error, HttpContext http)
    {
        switch (error)
        {
            case OverloadedException:
                return Problem.Of(
                    StatusCodes.Status503ServiceUnavailable, "overloaded",
                    "There is more to do than fits. Come back a little later.")
                    with { RetryAfter = ComeBackAfter };
            case DatabaseUnavailableException:
                return Problem.Of(
                    StatusCodes.Status503ServiceUnavailable, "database_unavailable",
                    "The database cannot be reached just now. Whether the request was carried out is not known: send it " +
                    "again under the same Idempotency-Key.")
                    with { RetryAfter = ComeBackAfter };
            case BadHttpRequestException bad:
                return AnswerTo(bad.StatusCode, http.Request);
            default:
                LogFailed(Operation(http), Activity.Current?.TraceId.ToHexString(), error);
                return Problem.Of(
                    StatusCodes.Status500InternalServerError, "internal_error",
                    "Something went wrong here; the trace id finds it in the log.");
        }
    }

    static Answer AnswerTo(int status, HttpRequest request) => status switch
    {
        StatusCodes.Status404NotFound => Problem.Of(status, "not_found", "There is nothing at this path."),
        StatusCodes.Status405MethodNotAllowed => Problem.Of(
            status, "method_not_allowed", $"This path does not take {Method(request)}."),
        StatusCodes.Status413PayloadTooLarge => Problem.Of(status, "body_too_large", "The body is too large."),
        StatusCodes.Status415UnsupportedMediaType => Problem.Of(
            status, "unsupported_media_type", "Send application/json in UTF-8."),
        _ => Problem.Of(status, "bad_request", "The request could not be read."),
    };

    static string Method(HttpRequest request) => request.Method.Length <= 20 ? request.Method : "this method";

    // The route, not the path: what a client put into a path is not for the log.
    static string Operation(HttpContext http) =>
        http.GetEndpoint() is RouteEndpoint route
            ? $"{Method(http.Request)} {route.RoutePattern.RawText?.TrimEnd('/')}"
            : "A request";

    [LoggerMessage(2011, LogLevel.Error, "{Operation} failed, trace {TraceId}")]
    partial void LogFailed(string operation, string? traceId, Exception error);

    [LoggerMessage(2012, LogLevel.Error, "{Operation} failed after its answer had begun, and was cut off")]
    partial void LogCutOff(string operation, Exception error);
}
