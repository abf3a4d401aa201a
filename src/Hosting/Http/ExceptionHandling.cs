using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Turns every error into a problem document: exceptions of endpoints, and routing's bare 404, 405 and 415. No internals are
/// exposed; the trace id finds the log line.
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
        catch (Exception error) when (
            error is ConnectionResetException
            || error is OperationCanceledException && http.RequestAborted.IsCancellationRequested)
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
                    StatusCodes.Status503ServiceUnavailable, ProblemCodes.Overloaded,
                    "The service is overloaded. Retry later.")
                    with { RetryAfter = ComeBackAfter };
            case DatabaseBehindException:
                return Problem.Of(
                    StatusCodes.Status503ServiceUnavailable, ProblemCodes.DatabaseBehind,
                    "The database was restored to an earlier moment and is being repaired. Nothing was carried out: send the " +
                    "request again later.")
                    with { RetryAfter = ComeBackAfter };
            case DatabaseUnavailableException:
                return Problem.Of(
                    StatusCodes.Status503ServiceUnavailable, ProblemCodes.DatabaseUnavailable,
                    "The database is unavailable. The request may or may not have been carried out: send it " +
                    "again with the same Idempotency-Key.")
                    with { RetryAfter = ComeBackAfter };
            case BadHttpRequestException bad:
                return Unreadable(bad.StatusCode, http);
            case IOException { InnerException: OverflowException }:
                // Kestrel throws this for a chunk size beyond 2^31.
                return Unreadable(StatusCodes.Status400BadRequest, http);
            default:
                LogFailed(Operation(http), Activity.Current?.TraceId.ToHexString(), error);
                return Problem.Of(
                    StatusCodes.Status500InternalServerError, ProblemCodes.InternalError,
                    "An internal error occurred; the trace id finds it in the log.");
        }
    }

    // Too slow, truncated, badly chunked, too large for the server. The rest of the connection cannot be understood.
    Answer Unreadable(int status, HttpContext http)
    {
        var answer = status == StatusCodes.Status413PayloadTooLarge
            ? AnswerTo(status, http.Request)
            : Problem.Of(status, ProblemCodes.UnreadableBody, "The body could not be read completely.");
        LogUnreadable(Operation(http), status, RequestGuard.AddressOf(http));
        Metrics.Refused(ProblemCodes.UnreadableBody);
        http.Response.Headers.Connection = "close";
        return answer;
    }

    static Answer AnswerTo(int status, HttpRequest request) => status switch
    {
        StatusCodes.Status404NotFound => Problem.Of(status, ProblemCodes.NotFound, "No resource exists at this path."),
        StatusCodes.Status405MethodNotAllowed => Problem.Of(
            status, ProblemCodes.MethodNotAllowed, $"This path does not support {Method(request)}."),
        StatusCodes.Status413PayloadTooLarge => Problem.Of(status, ProblemCodes.BodyTooLarge, "The body is too large."),
        StatusCodes.Status415UnsupportedMediaType => Problem.Of(
            status, ProblemCodes.UnsupportedMediaType, "Send application/json in UTF-8."),
        _ => Problem.Of(status, ProblemCodes.BadRequest, "The request could not be read."),
    };

    static string Method(HttpRequest request) => request.Method.Length <= 20 ? request.Method : "this method";

    // The route, not the path: client input in a path is not logged.
    static string Operation(HttpContext http) =>
        http.GetEndpoint() is RouteEndpoint route
            ? $"{Method(http.Request)} {route.RoutePattern.RawText?.TrimEnd('/')}"
            : "A request";

    [LoggerMessage(2011, LogLevel.Error, "{Operation} failed, trace {TraceId}")]
    partial void LogFailed(string operation, string? traceId, Exception error);

    [LoggerMessage(2013, LogLevel.Warning, "{Operation}: the body could not be read ({Status}), sent from {Address}")]
    partial void LogUnreadable(string operation, int status, IPAddress? address);

    [LoggerMessage(2012, LogLevel.Error, "{Operation} failed after its response had started; the response was cut off")]
    partial void LogCutOff(string operation, Exception error);
}
