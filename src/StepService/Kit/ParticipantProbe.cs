using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Orderwright.Contracts;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;

namespace Orderwright.StepService.Kit;

/// <summary>Participant under test.</summary>
/// <param name="Endpoint">Address of the participant, without the step.</param>
/// <param name="Step">Name of the step.</param>
/// <param name="Secrets">Secrets of the step, 1 or more.</param>
/// <param name="HasUndo">False for a step without an undo.</param>
/// <param name="Deadline">Time limit of a call.</param>
/// <param name="Within">Time for which a call is repeated until its reply is final.</param>
/// <param name="Order">Order of the calls, in the shape of their property <c>order</c>; null for an order of one line.</param>
/// <param name="Restart">Restarts the participant; null if the participant cannot be restarted here.</param>
public sealed record ParticipantUnderTest(
    string Endpoint, string Step, IReadOnlyList<string> Secrets, bool HasUndo, TimeSpan Deadline, TimeSpan Within,
    JsonObject? Order = null, Func<CancellationToken, Task>? Restart = null);

/// <summary>Response to a call.</summary>
/// <param name="Status">HTTP status; null without a response.</param>
/// <param name="Reply">Reply; null without a valid one.</param>
/// <param name="Fault">Reason why there is no valid reply; null if there is one.</param>
public sealed record ProbeAnswer(int? Status, StepAnswered? Reply, string? Fault)
{
    public bool IsFinal => Reply?.Outcome is StepOutcome.Completed or StepOutcome.Rejected;

    /// <summary>True when both replies say the same. The message is for people and may differ.</summary>
    public bool IsSameAs(ProbeAnswer other) =>
        (Reply?.Outcome, Reply?.Code, Reply?.Detail) == (other.Reply?.Outcome, other.Reply?.Code, other.Reply?.Detail);

    public override string ToString() =>
        Reply is not { } reply ? Fault ?? "no reply"
        : $"{reply.Outcome.ToString().ToLowerInvariant()}"
            + (reply.Code is { } code ? $" ({code})" : "") + (reply.Detail is { } detail ? $" {detail}" : "");
}

/// <summary>Calls a participant as the coordinator does, and as a disturbed network or an attacker would.</summary>
public sealed class ParticipantProbe(ParticipantUnderTest participant, TimeProvider time) : IDisposable
{
    const int MaxInFlight = 16;
    static readonly TimeSpan CutAfter = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    readonly HttpClient http = NewClient(filter: null);
    readonly HttpClient cut =
        NewClient((context, _) => ValueTask.FromResult<Stream>(new CutStream(context.PlaintextStream, time)));

    /// <summary>Makes one call.</summary>
    /// <param name="orderId">Order of the call.</param>
    /// <param name="undo">True for the undo.</param>
    /// <param name="attempt">Number of the attempt, from 1.</param>
    /// <param name="cancel">Ends the call.</param>
    public Task<ProbeAnswer> CallAsync(Guid orderId, bool undo, int attempt, CancellationToken cancel) =>
        SendAsync(
            http, Request(orderId, undo, attempt, participant.Secrets, time.Now(), BodyOf(orderId, undo, attempt)), undo, cancel);

    /// <summary>Repeats a call under its key until the reply is final, or the time is over.</summary>
    public async Task<ProbeAnswer> SettleAsync(Guid orderId, bool undo, CancellationToken cancel)
    {
        var since = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            var answer = await CallAsync(orderId, undo, attempt, cancel);
            if (answer.IsFinal || time.GetElapsedTime(since) > participant.Within) return answer;
            await Task.Delay(Pause, time, cancel);
        }
    }

    /// <summary>Makes a call whose body has properties that a later version might send.</summary>
    public Task<ProbeAnswer> CallWithMoreAsync(Guid orderId, CancellationToken cancel)
    {
        var body = BodyOf(orderId, undo: false, attempt: 1);
        body["addedLater"] = new JsonObject { ["value"] = 1 };
        body["order"]!["addedLater"] = "text";
        return SendAsync(http, Request(orderId, false, 1, participant.Secrets, time.Now(), body), undo: false, cancel);
    }

    /// <summary>Makes a call with another secret or another time.</summary>
    public Task<ProbeAnswer> CallSignedAsync(
        Guid orderId, IReadOnlyList<string> secrets, DateTimeOffset at, CancellationToken cancel) =>
        SendAsync(http, Request(orderId, false, 1, secrets, at, BodyOf(orderId, false, 1)), undo: false, cancel);

    /// <summary>Makes a call without a signature.</summary>
    public Task<ProbeAnswer> CallUnsignedAsync(Guid orderId, CancellationToken cancel)
    {
        var request = Request(orderId, false, 1, participant.Secrets, time.Now(), BodyOf(orderId, false, 1));
        request.Headers.Remove(WebhookSignature.SignatureHeader);
        return SendAsync(http, request, undo: false, cancel);
    }

    /// <summary>Sends a whole call and closes the connection instead of reading the reply.</summary>
    public async Task LoseReplyAsync(Guid orderId, bool undo, CancellationToken cancel) =>
        await SendAsync(
            cut, Request(orderId, undo, 1, participant.Secrets, time.Now(), BodyOf(orderId, undo, 1)), undo, cancel);

    public void Dispose()
    {
        http.Dispose();
        cut.Dispose();
    }

    JsonObject BodyOf(Guid orderId, bool undo, int attempt)
    {
        var call = CallOf(undo, attempt);
        var body = JsonNode.Parse(call.BodyOf(orderId).Span)!.AsObject();
        if (participant.Order is { } order) body["order"] = order.DeepClone();
        return body;
    }

    StepCall CallOf(bool undo, int attempt)
    {
        var order = new OrderPlaced(
            "participant-test", "EUR", [new OrderLine(1, "PARTICIPANT-TEST", 1, 1_000)], 0, new PaymentMethod("sandbox"),
            MaySetPrice: true);
        return new StepCall(
            participant.Step, undo, attempt, time.Now() + participant.Within, participant.Endpoint, order, 1_000, [], null);
    }

    HttpRequestMessage Request(
        Guid orderId, bool undo, int attempt, IReadOnlyList<string> secrets, DateTimeOffset at, JsonObject body)
    {
        var key = CallOf(undo, attempt).KeyOf(orderId);
        var request = GuardedHttp.SignedPost(
            $"{participant.Endpoint}/{participant.Step}", secrets, key, at,
            System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()));
        request.Headers.Add(HttpParticipants.KeyHeader, key);
        return request;
    }

    async Task<ProbeAnswer> SendAsync(HttpClient client, HttpRequestMessage request, bool undo, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(participant.Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            using (request)
            using (var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token))
            {
                var status = (int)response.StatusCode;
                if (response.StatusCode == HttpStatusCode.Accepted)
                    return new(status, new StepAnswered(undo, StepOutcome.Waiting), null);
                if (response.StatusCode != HttpStatusCode.OK) return new(status, null, $"status {status}");
                var bytes = await GuardedHttp.BeginningOfAsync(response.Content, ParticipantReply.MaxBytes + 1, either.Token);
                var (reply, fault) = bytes.Length > ParticipantReply.MaxBytes
                    ? (null, $"The reply has over {ParticipantReply.MaxBytes} bytes.")
                    : ParticipantReply.Read(bytes, undo);
                return new(status, reply, fault);
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(null, null, $"no response within {participant.Deadline.TotalSeconds:0.#} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return new(null, null, GuardedHttp.WhyOf(error));
        }
    }

    static HttpClient NewClient(Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>>? filter) =>
        new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, UseProxy = false, MaxConnectionsPerServer = MaxInFlight,
            PlaintextStreamFilter = filter,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };

    // Passes everything that is written, and closes the connection instead of reading.
    sealed class CutStream(Stream inner, TimeProvider time) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // A server that sees the end of the connection at once may not even read the call.
            await Task.Delay(CutAfter, time, cancellationToken);
            await inner.DisposeAsync();
            throw new IOException("The connection was closed before the reply.");
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
