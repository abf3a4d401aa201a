using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.WebUtilities;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Problem documents for requests that Kestrel refuses itself, before any middleware: a malformed first line, path or header, or
/// one that is too long or too slow. Kestrel announces the refusal and then sends an empty response, which this replaces.
/// </summary>
sealed class UnreadableRequests : IObserver<KeyValuePair<string, object?>>
{
    const string Refused = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    /// <summary>Prepares the connections of an address.</summary>
    public static void Prepare(ListenOptions address) => address.Use(next => connection =>
    {
        var output = new Output(connection.Transport.Output);
        connection.Items[typeof(Output)] = output;
        connection.Transport = new Pipes(connection.Transport.Input, output);
        return next(connection);
    });

    public static void Watch(DiagnosticListener server) =>
        server.Subscribe(new UnreadableRequests(), static name => name == Refused);

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value is not { Key: Refused, Value: IFeatureCollection request }) return;
        var response = request.Get<IHttpResponseFeature>();
        if (response is not { HasStarted: false } || HttpMethods.IsHead(request.Get<IHttpRequestFeature>()?.Method ?? "")) return;
        if (request.Get<IConnectionItemsFeature>()?.Items.TryGetValue(typeof(Output), out var found) == true)
            ((Output)found!).Replace(ResponseOf(response));
        Metrics.Refused(CodeOf(response.StatusCode));
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    static byte[] ResponseOf(IHttpResponseFeature refusal)
    {
        var status = refusal.StatusCode;
        var answer = Problem.Of(status, CodeOf(status), DetailOf(status));
        var head = new StringBuilder($"HTTP/1.1 {status} {ReasonPhrases.GetReasonPhrase(status)}\r\n");
        foreach (var (name, values) in refusal.Headers)
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)) head.Append($"{name}: {values}\r\n");
        head.Append($"Content-Type: {answer.ContentType}\r\nContent-Length: {answer.Body.Length}\r\nConnection: close\r\n\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. answer.Body.Span];
    }

    static string CodeOf(int status) => status switch
    {
        StatusCodes.Status405MethodNotAllowed => ProblemCodes.MethodNotAllowed,
        StatusCodes.Status408RequestTimeout => ProblemCodes.UnreadableBody,
        StatusCodes.Status413PayloadTooLarge => ProblemCodes.BodyTooLarge,
        StatusCodes.Status414UriTooLong => ProblemCodes.UriTooLong,
        StatusCodes.Status431RequestHeaderFieldsTooLarge => ProblemCodes.HeadersTooLarge,
        _ => ProblemCodes.BadRequest,
    };

    static string DetailOf(int status) => status switch
    {
        StatusCodes.Status408RequestTimeout => "The request arrived too slowly.",
        StatusCodes.Status414UriTooLong => "The request target is too long.",
        StatusCodes.Status431RequestHeaderFieldsTooLarge => "The headers are too long.",
        _ => "The request could not be read: its first line, its path or a header is malformed.",
    };

    sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    // Passes everything on, until a response is replaced: the server's own response is then dropped.
    sealed class Output(PipeWriter inner) : PipeWriter
    {
        bool replaced;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public void Replace(byte[] response)
        {
            if (replaced) return;
            inner.Write(response);
            replaced = true;
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) =>
            replaced ? new byte[Math.Max(sizeHint, 4_096)] : inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => replaced ? GetMemory(sizeHint).Span : inner.GetSpan(sizeHint);

        public override void Advance(int bytes)
        {
            if (!replaced) inner.Advance(bytes);
        }

        public override ValueTask<FlushResult> WriteAsync(
            ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
            replaced ? inner.FlushAsync(cancellationToken) : inner.WriteAsync(source, cancellationToken);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            inner.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }
}
