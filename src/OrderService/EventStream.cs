using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Orderwright.OrderService;

/// <summary>
/// Server-sent events (WHATWG HTML, section 9.2): what is there, then each event as it comes, with a comment
/// now and then so that no proxy takes the connection for dead. The event's <c>id</c> is its <c>seq</c>; a
/// client that reconnects sends the last one back and misses nothing.
/// </summary>
/// <param name="subscription">Says when there may be more; given back at the end.</param>
/// <param name="time">Measures the silence.</param>
/// <param name="after">The number after which the stream begins.</param>
public sealed class EventStream(EventFeed.Subscription subscription, TimeProvider time, long after) : IResult
{
    static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Events after a number, and where to go on at once if there are more; told whether this is the first
    /// read.
    /// </summary>
    public required Func<long, bool, CancellationToken, Task<(List<EventBody> Events, long? Next)>> ReadAsync
    {
        get; init;
    }

    /// <summary>True for the event after which nothing can follow.</summary>
    public Func<EventBody, bool> EndsWith { get; init; } = _ => false;

    /// <summary>
    /// Nothing can follow already; with nothing left to send, the client is told not to come back.
    /// </summary>
    public bool HasEnded { get; init; }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var place = subscription;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            httpContext.RequestAborted, Requests.StoppingOf(httpContext));
        try
        {
            await RunAsync(httpContext.Response, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client went away, which is how most streams end, or the process stops and the client comes
            // back later.
        }
    }

    async Task RunAsync(HttpResponse response, CancellationToken cancel)
    {
        var position = after;
        for (var isFirst = true; ; isFirst = false)
        {
            var (events, next) = await ReadAsync(position, isFirst, cancel);
            if (isFirst)
            {
                if (events.Count == 0 && HasEnded)
                {
                    // A browser's EventSource reconnects for ever, but not after this.
                    response.StatusCode = StatusCodes.Status204NoContent;
                    return;
                }
                Begin(response);
            }
            Write(response.BodyWriter, events);
            await response.BodyWriter.FlushAsync(cancel);
            if (events.Exists(e => EndsWith(e))) return;
            position = next ?? (events.Count > 0 ? events[^1].Seq : position);
            if (next is null) await SomethingNewAsync(response, cancel);
        }
    }

    static void Begin(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        // nginx holds answers back unless it is told not to.
        response.Headers["X-Accel-Buffering"] = "no";
        response.BodyWriter.Write("retry: 2000\n\n"u8);
    }

    static void Write(IBufferWriter<byte> output, List<EventBody> events)
    {
        foreach (var e in events)
        {
            output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {e.Seq}\ndata: ")));
            output.Write(JsonSerializer.SerializeToUtf8Bytes(e, OrderJson.Default.EventBody));
            output.Write("\n\n"u8);
        }
    }

    async Task SomethingNewAsync(HttpResponse response, CancellationToken cancel)
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
