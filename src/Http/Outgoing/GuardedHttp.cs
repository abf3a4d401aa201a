using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Orderwright.Http.Outgoing;

/// <summary>
/// HTTP client for addresses given by others. Follows no redirect, and checks each address right before connecting: a name that
/// resolves to another address later (DNS rebinding) gains nothing.
/// </summary>
public static class GuardedHttp
{
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <param name="networks">Addresses that may be reached.</param>
    /// <param name="maxInFlight">Connections to a server.</param>
    public static HttpClient Create(ReceiverNetworks networks, int maxInFlight) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // A proxy would connect to addresses that were not checked here.
        UseProxy = false,
        ConnectTimeout = ConnectTimeout,
        MaxConnectionsPerServer = maxInFlight,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectCallback = (context, cancel) => ConnectAsync(networks, context, cancel),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>POST of a JSON body, signed as Standard Webhooks.</summary>
    /// <param name="url">Address of the receiver.</param>
    /// <param name="secrets">1 or more; each adds a signature.</param>
    /// <param name="id">The same in every attempt, so that a receiver recognizes repetitions.</param>
    /// <param name="at">Time of the attempt.</param>
    /// <param name="body">Body, byte for byte.</param>
    public static HttpRequestMessage SignedPost(
        string url, IReadOnlyList<string> secrets, string id, DateTimeOffset at, ReadOnlyMemory<byte> body)
    {
        var seconds = at.ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ReadOnlyMemoryContent(body)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        request.Headers.Add("user-agent", "Orderwright");
        request.Headers.Add(WebhookSignature.IdHeader, id);
        request.Headers.Add(WebhookSignature.TimestampHeader, seconds.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(secrets, id, seconds, body.Span));
        return request;
    }

    /// <summary>Reads the beginning of a response.</summary>
    public static async Task<byte[]> BeginningOfAsync(HttpContent content, int mostBytes, CancellationToken cancel)
    {
        await using var stream = await content.ReadAsStreamAsync(cancel);
        var bytes = new byte[mostBytes];
        var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return bytes[..length];
    }

    /// <summary>Pause that a response asks for; null for none.</summary>
    public static TimeSpan? RetryAfterOf(HttpResponseMessage response, DateTimeOffset now) => response.Headers.RetryAfter switch
    {
        { Delta: { } pause } => pause,
        { Date: { } date } when date > now => date - now,
        _ => null,
    };

    /// <summary>Sentence about a request that failed.</summary>
    public static string WhyOf(Exception error)
    {
        // The innermost message says what happened; the outer ones say that a request failed.
        while (error.InnerException is { } inner) error = inner;
        return error.Message;
    }

    /// <summary>Text of a response, in a form that both databases store.</summary>
    public static string TextOf(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes).Replace('\0', '\uFFFD');

    static async ValueTask<Stream> ConnectAsync(
        ReceiverNetworks networks, SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var target = context.DnsEndPoint;
        var isEncrypted = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps;
        var addresses = await Dns.GetHostAddressesAsync(target.Host, cancel);
        var refusals = addresses.Select(address => networks.Refuse(address, isEncrypted)).ToList();
        // A name with a single forbidden address is suspicious as a whole.
        if (refusals.OfType<string>().FirstOrDefault() is { } refusal) throw new HttpRequestException(refusal);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
