using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace Orderwright.Load;

/// <summary>A response: the status and, until the next exchange on the same connection, the body.</summary>
readonly ref struct Response(int status, ReadOnlySpan<byte> body)
{
    public int Status => status;

    public ReadOnlySpan<byte> Body { get; } = body;
}

/// <summary>
/// A keep-alive connection with one request in flight. Reads the subset of HTTP/1.1 that this server writes: status line,
/// headers, and a body of Content-Length.
/// </summary>
sealed class Connection : IDisposable
{
    readonly Socket socket;
    readonly Uri url;
    byte[] buffer = new byte[4_096];
    int filled;

    public Connection(Uri url, Epoll epoll, int number)
    {
        this.url = url;
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Parse(url.Host), url.Port);
        socket.Blocking = false;
        epoll.Watch(socket, number);
    }

    /// <summary>Number of the request in flight.</summary>
    public int Number { get; set; }

    /// <summary>Time at which the request was sent or due.</summary>
    public long Since { get; set; }

    /// <param name="request">Head and body.</param>
    public void Send(ReadOnlySpan<byte> request)
    {
        filled = 0;
        // A request is far smaller than the socket's buffer, which is empty between exchanges.
        if (socket.Send(request, SocketFlags.None, out var error) != request.Length)
            throw new IOException($"{url} did not take a request: {error}.");
    }

    /// <summary>Returns false while the response is incomplete.</summary>
    public bool TryReceive(out Response response)
    {
        response = default;
        var count = socket.Receive(buffer.AsSpan(filled), SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return false;
        if (count == 0) throw new IOException($"{url} closed the connection: {error}.");
        filled += count;

        var read = buffer.AsSpan(0, filled);
        var headEnd = read.IndexOf("\r\n\r\n"u8);
        var whole = headEnd < 0 ? int.MaxValue : headEnd + 4 + LengthOf(read[..headEnd]);
        if (filled < whole)
        {
            if (filled == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            return false;
        }
        response = new Response(NumberAt(read, "HTTP/1.1 ".Length), read[(headEnd + 4)..whole]);
        return true;
    }

    public void Dispose() => socket.Dispose();

    static int LengthOf(ReadOnlySpan<byte> head)
    {
        var name = "\r\nContent-Length: "u8;
        var at = head.IndexOf(name);
        return at < 0 ? 0 : NumberAt(head, at + name.Length);
    }

    static int NumberAt(ReadOnlySpan<byte> head, int at) =>
        Utf8Parser.TryParse(head[at..], out int number, out _) ? number : throw new IOException("This is no HTTP answer.");
}
