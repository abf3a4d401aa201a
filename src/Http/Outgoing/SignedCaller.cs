using System.Net.Sockets;
using Orderwright.Runtime;

namespace Orderwright.Http.Outgoing;

/// <summary>Message to a receiver.</summary>
/// <param name="Id">The same in every attempt, so that a receiver recognizes repetitions.</param>
/// <param name="Body">JSON.</param>
public sealed record SignedMessage(string Id, ReadOnlyMemory<byte> Body)
{
    /// <summary>W3C trace context of the message; null for none.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>Attempt to send a message.</summary>
/// <param name="At">Time of the attempt.</param>
/// <param name="Status">HTTP status; null without a response.</param>
/// <param name="Took">Time until the response, or until the attempt was given up.</param>
/// <param name="Response">
/// Beginning of the response's body, at most <see cref="SignedCallLimits.MostResponseBytes"/> bytes, or the reason why there was
/// no response.
/// </param>
/// <param name="RetryAfter">Pause requested by the receiver; null for none.</param>
public sealed record CallAttempt(
    DateTimeOffset At, int? Status, TimeSpan Took, string? Response, TimeSpan? RetryAfter = null)
{
    public bool Succeeded => Status is >= 200 and < 300;

    /// <summary>True when the receiver wants no more messages, ever.</summary>
    public bool IsGone => Status is 410;
}

/// <summary>Limits of signed calls.</summary>
/// <param name="Timeout">Time limit of a call, from the connection to the end of the response.</param>
/// <param name="MaxInFlight">Connections to a receiver.</param>
public sealed record SignedCallLimits(TimeSpan Timeout, int MaxInFlight)
{
    /// <summary>Part of a response that is read and kept.</summary>
    public int MostResponseBytes { get; init; } = 1_024;
}

/// <summary>Sends messages to receivers, signed as Standard Webhooks, over a <see cref="GuardedHttp"/>.</summary>
public sealed class SignedCaller(SignedCallLimits limits, ReceiverNetworks networks, TimeProvider time)
{
    readonly Lazy<HttpClient> http = new(() => GuardedHttp.Create(networks, limits.MaxInFlight));

    /// <summary>Sends a message. Never throws, except when cancelled.</summary>
    /// <param name="url">Address of the receiver.</param>
    /// <param name="secrets">Secrets valid now, 1 or more.</param>
    /// <param name="message">Message.</param>
    /// <param name="cancel">Ends the attempt.</param>
    public async Task<CallAttempt> SendAsync(
        string url, IReadOnlyList<string> secrets, SignedMessage message, CancellationToken cancel)
    {
        var (at, since) = (time.Now(), time.GetTimestamp());
        using var deadline = new CancellationTokenSource(limits.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            using var request = GuardedHttp.SignedPost(url, secrets, message.Id, at, message.Body);
            if (message.TraceParent is { } trace) request.Headers.Add("traceparent", trace);
            using var response = await http.Value.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var bytes = await GuardedHttp.BeginningOfAsync(response.Content, limits.MostResponseBytes, either.Token);
            return new(
                at, (int)response.StatusCode, time.GetElapsedTime(since), bytes.Length == 0 ? null : GuardedHttp.TextOf(bytes),
                GuardedHttp.RetryAfterOf(response, at));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Failed($"No response within {limits.Timeout.TotalSeconds:0.#} s.");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return Failed(GuardedHttp.WhyOf(error));
        }

        CallAttempt Failed(string why) => new(at, null, time.GetElapsedTime(since), why);
    }
}
