using System.Net;
using System.Net.Sockets;
using Orderwright.Contracts;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;

namespace Orderwright.StepService;

/// <summary>
/// Calls participants: <c>POST {participant}/{step}</c>, signed as Standard Webhooks, over a <see cref="GuardedHttp"/>. The
/// response is 200 with a reply, or 202 for a reply that follows; everything else is called again.
/// </summary>
public sealed class HttpParticipants(StepSettings settings, StepSecrets secrets, ReceiverNetworks networks, TimeProvider time)
    : IStepParticipants
{
    internal const string KeyHeader = "Idempotency-Key";
    const string TraceHeader = "traceparent";

    readonly Lazy<HttpClient> http = new(() => GuardedHttp.Create(networks, settings.StepMaxInFlight));

    public string? FaultOf(string step) => secrets.Of(step).Fault;

    public async Task<StepResult> CallAsync(Guid orderId, StepCall call, CancellationToken cancel)
    {
        var (signing, fault) = secrets.Of(call.Step);
        if (fault is not null) return CallAgain(call, fault, isAnswered: true);
        using var deadline = new CancellationTokenSource(settings.StepDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            using var request = GuardedHttp.SignedPost(
                $"{call.Endpoint}/{call.Step}", signing, call.KeyOf(orderId), time.Now(), call.BodyOf(orderId));
            request.Headers.Add(KeyHeader, call.KeyOf(orderId));
            if (call.TraceParent is not null) request.Headers.Add(TraceHeader, call.TraceParent);
            using var response = await http.Value.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return await ReadAsync(call, response, either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return CallAgain(call, $"No response within {settings.StepDeadline.TotalSeconds:0.#} s.", isAnswered: false);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return CallAgain(call, GuardedHttp.WhyOf(error), isAnswered: false);
        }
    }

    async Task<StepResult> ReadAsync(StepCall call, HttpResponseMessage response, CancellationToken cancel)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.Accepted:
                return new(new StepAnswered(call.Undo, StepOutcome.Waiting), IsAnswered: true);
            case HttpStatusCode.OK:
                var bytes = await GuardedHttp.BeginningOfAsync(response.Content, ParticipantReply.MaxBytes + 1, cancel);
                var (answer, fault) = bytes.Length > ParticipantReply.MaxBytes
                    ? (null, $"The reply has over {ParticipantReply.MaxBytes} bytes.")
                    : ParticipantReply.Read(bytes, call.Undo);
                return new(answer ?? ParticipantReply.CallAgain(call.Undo, ParticipantReply.Invalid, fault!), IsAnswered: true);
            case var status:
                return CallAgain(
                    call, $"The response was {(int)status} {response.ReasonPhrase}.",
                    isAnswered: (int)status < 500 && status != HttpStatusCode.TooManyRequests,
                    GuardedHttp.RetryAfterOf(response, time.Now()));
        }
    }

    static StepResult CallAgain(StepCall call, string why, bool isAnswered, TimeSpan? after = null) =>
        new(ParticipantReply.CallAgain(call.Undo, ParticipantReply.Unavailable, why, after), isAnswered);
}
