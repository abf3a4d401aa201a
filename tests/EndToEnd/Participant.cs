using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StandardWebhooks;

namespace Orderwright.EndToEnd;

/// <summary>
/// Participant over HTTP with a server of its own, as a user would write it. Signatures are verified and made by a library of the
/// Standard Webhooks project.
/// </summary>
sealed class Participant : IAsyncDisposable
{
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// <summary>Request as received.</summary>
    public sealed record Call(string Path, string Key, string TraceParent, JsonNode Body)
    {
        public string Step => (string)Body["step"]!;

        public string Action => (string)Body["action"]!;

        public string OrderId => (string)Body["orderId"]!;

        public string? Reference => (string?)Body["order"]!["reference"];
    }

    readonly WebApplication web;
    readonly ConcurrentQueue<Call> calls = new();
    readonly Func<Call, int, (int Status, string Body)> respond;

    Participant(WebApplication web, Func<Call, int, (int Status, string Body)> respond) =>
        (this.web, this.respond) = (web, respond);

    public string Url => web.Urls.Single() + "/orderwright";

    public IEnumerable<Call> Calls => calls;

    public IReadOnlyList<string> Forged { get; private set; } = [];

    public IEnumerable<Call> Of(string orderId, string step, string action = "do") =>
        calls.Where(call => (call.OrderId, call.Step, call.Action) == (orderId, step, action));

    /// <param name="respond">
    /// Response to a call with its number among the calls of the same key, from 1; status 0 for none.
    /// </param>
    public static async Task<Participant> StartAsync(Func<Call, int, (int Status, string Body)> respond)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var participant = new Participant(builder.Build(), respond);
        participant.web.Run(participant.ReceiveAsync);
        await participant.web.StartAsync();
        return participant;
    }

    async Task ReceiveAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var text = await reader.ReadToEndAsync();
        try
        {
            new StandardWebhook(Secret).Verify(text, http.Request.Headers);
        }
        catch (Exception error)
        {
            Forged = [.. Forged, error.Message];
            http.Response.StatusCode = 401;
            return;
        }
        var call = new Call(
            http.Request.Path, http.Request.Headers["Idempotency-Key"].ToString(), http.Request.Headers["traceparent"].ToString(),
            JsonNode.Parse(text)!);
        calls.Enqueue(call);
        var (status, body) = respond(call, calls.Count(other => other.Key == call.Key));
        if (status == 0)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return;
        }
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body);
    }

    /// <summary>Headers that sign a reply of its own.</summary>
    public static (string Name, string Value)[] Sign(string body, string secret = Secret)
    {
        var now = DateTimeOffset.UtcNow;
        return
        [
            ("webhook-id", "msg_1"), ("webhook-timestamp", now.ToUnixTimeSeconds().ToString(null as IFormatProvider)),
            ("webhook-signature", new StandardWebhook(secret).Sign("msg_1", now, body)),
        ];
    }

    public ValueTask DisposeAsync() => web.DisposeAsync();
}
