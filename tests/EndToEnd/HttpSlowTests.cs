using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Orderwright.EndToEnd;

/// <summary>Hundreds of connections sending nothing, or byte by byte, are closed, and others are served.</summary>
public sealed class HttpSlowTests
{
    const int OfEachKind = 100;

    const string Post =
        "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";

    // The kind of client, its first bytes, the bytes that follow every half second, and how long it lives at least.
    static readonly (string Name, string Start, string Drip, int NotBefore)[] Kinds =
    [
        ("silent", "", "", 2),
        ("silent after a request", "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", "", 2),
        ("with endless headers", "GET /health/live HTTP/1.1\r\nHost: localhost\r\n", "X", 8),
        ("with an endless body", Post, " ", 4),
    ];

    [Fact]
    public async Task Slow_connections_are_closed_and_delay_nobody()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo", "--idle-timeout", "3s");
        var slow = Kinds.Select(kind => Task.WhenAll(
            Enumerable.Range(0, OfEachKind).Select(_ => CloseAsync(host.Url.Port, kind.Start, kind.Drip)))).ToList();
        var closing = Task.WhenAll(slow);

        var served = 0;
        while (!closing.IsCompleted)
        {
            Assert.Equal(200, (await host.Client.AskAsync("/api/v1/products")).Status);
            if (!closing.IsCompleted) served++;
            await Task.WhenAny(closing, Task.Delay(50));
        }

        foreach (var (kind, lived) in Kinds.Zip(await closing))
            Assert.True(
                lived.Min() > TimeSpan.FromSeconds(kind.NotBefore),
                $"A client {kind.Name} was closed after {lived.Min()} to {lived.Max()}.");
        Assert.True(served > 3, $"{served} other requests were served meanwhile.");
    }

    // A byte every half second until the server closes.
    static async Task<TimeSpan> CloseAsync(int port, string start, string drip)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var clock = Stopwatch.StartNew();
        using var limit = new CancellationTokenSource(Waiting.HangLimit);
        try
        {
            if (start.Length > 0) await socket.SendAsync(Encoding.ASCII.GetBytes(start));
            var reading = ReadToEndAsync(socket, limit.Token);
            while (!reading.IsCompleted && drip.Length > 0)
            {
                await Task.WhenAny(reading, Task.Delay(500, limit.Token));
                if (!reading.IsCompleted) await socket.SendAsync(Encoding.ASCII.GetBytes(drip));
            }
            await reading;
        }
        catch (SocketException)
        {
            // A reset counts as closed.
        }
        return clock.Elapsed;
    }

    static async Task ReadToEndAsync(Socket socket, CancellationToken limit)
    {
        var buffer = new byte[4_096];
        while (await socket.ReceiveAsync(buffer, limit) > 0)
        {
        }
    }
}
