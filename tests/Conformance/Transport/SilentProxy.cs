using System.Net;
using System.Net.Sockets;

namespace Orderwright.Conformance.Transport;

/// <summary>
/// Proxy between client and server with a silent mode: open connections then carry nothing and report nothing, as if a
/// firewall drops their state. New connections work.
/// </summary>
sealed class SilentProxy : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource closing = new();
    readonly int target;
    readonly Task accepting;
    volatile TaskCompletionSource silence = new();

    public SilentProxy(int target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public void GoSilent()
    {
        var old = silence;
        silence = new TaskCompletionSource();
        old.SetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Stop();
        await accepting;
    }

    async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(closing.Token)));
        }
        catch (Exception) when (closing.IsCancellationRequested)
        {
        }
        await Task.WhenAll(connections);
    }

    async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var server = new TcpClient();
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, target, closing.Token);
            var silent = silence.Task;
            await Task.WhenAny(
                CopyAsync(client.GetStream(), server.GetStream(), silent),
                CopyAsync(server.GetStream(), client.GetStream(), silent));
        }
        catch (Exception error) when (error is IOException or SocketException || closing.IsCancellationRequested)
        {
        }
    }

    async Task CopyAsync(NetworkStream from, NetworkStream to, Task silent)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, closing.Token) is var count and > 0)
        {
            if (silent.IsCompleted) await Task.Delay(Timeout.Infinite, closing.Token);
            await to.WriteAsync(buffer.AsMemory(0, count), closing.Token);
        }
    }
}
