using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.OrderService.Events;

/// <summary>
/// Server-sent events (WHATWG HTML, section 9.2): stored events first, then each new event. A comment now and then keeps
/// proxies from closing an idle connection. The <c>id</c> of an event is its <c>seq</c>; a client that reconnects sends the
/// last id and misses nothing.
/// </summary>
/// <param name="subscription">Signal for new events; disposed at the end.</param>
/// <param name="time">Clock for the heartbeat.</param>
/// <param name="after">Position to start after.</param>
public sealed class EventStream(EventFeed.Subscription subscription, TimeProvider time, long after) : IResult
{
    static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Reads the events after a position; the flag marks the first read. Also returns the next position when there are more
    /// events already.
    /// </summary>
    public required Func<long, bool, CancellationToken, Task<(List<EventResponse> Events, long? Next)>> ReadAsync
    {
        get; init;
    }

    /// <summary>True for an event after which no other can follow.</summary>
    public Func<EventResponse, bool> EndsWith { get; init; } = _ => false;

    /// <summary>
    /// True when no event can follow the stored ones. With nothing left to send, the response asks the client not to reconnect.
    /// </summary>
    public bool HasEnded { get; init; }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var registration = subscription;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            httpContext.RequestAborted, Requests.StoppingOf(httpContext), Caller.Of(httpContext).Ended);
        try
        {
            await RunAsync(httpContext.Response, HeadRequests.IsHead(httpContext), end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client disconnected, the usual end of a stream; or its key is no longer valid; or the process is stopping,
            // and the client will reconnect.
        }
    }

    async Task RunAsync(HttpResponse response, bool isHead, CancellationToken cancel)
    {
        var position = after;
        for (var isFirst = true; ; isFirst = false)
        {
            var (events, next) = await ReadAsync(position, isFirst, cancel);
            if (isFirst)
            {
                if (events.Count == 0 && HasEnded)
                {
                    // A browser's EventSource reconnects after anything but a 204.
                    response.StatusCode = StatusCodes.Status204NoContent;
                    return;
                }
                Begin(response);
                if (isHead) return;
            }
            Write(response.BodyWriter, events);
            await response.BodyWriter.FlushAsync(cancel);
            if (events.Exists(e => EndsWith(e))) return;
            position = next ?? (events.Count > 0 ? events[^1].Seq : position);
            if (next is null) await NewEventsAsync(response, cancel);
        }
    }

    static void Begin(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        // nginx buffers responses unless this header turns buffering off.
        response.Headers["X-Accel-Buffering"] = "no";
        response.BodyWriter.Write("retry: 2000\n\n"u8);
    }

    static void Write(IBufferWriter<byte> output, List<EventResponse> events)
    {
        foreach (var e in events)
        {
            output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {e.Seq}\ndata: ")));
            output.Write(JsonSerializer.SerializeToUtf8Bytes(e, OrderJson.Default.EventResponse));
            output.Write("\n\n"u8);
        }
    }

    async Task NewEventsAsync(HttpResponse response, CancellationToken cancel)
    {
        var woken = subscription.Woken.ReadAsync(cancel).AsTask();
        while (await Task.WhenAny(woken, Task.Delay(Heartbeat, time, cancel)) != woken)
        {
            cancel.ThrowIfCancellationRequested();
            response.BodyWriter.Write(": still here\n\n"u8);
            await response.BodyWriter.FlushAsync(cancel);
        }
        await woken;
    }
}
