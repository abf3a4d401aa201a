using System.Net;
using System.Net.Sockets;

namespace Orderwright.Hosting;

/// <summary>A port on which another process already listens: what a person needs to know about that process.</summary>
public static class UsedPort
{
    const string Live = """{"live":true}""";

    // A busy machine may let an Orderwright take seconds; the caller has failed already and is in no hurry.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>True if another process listens at the address.</summary>
    /// <param name="url">Address on this machine, with an IP address.</param>
    public static bool IsUsed(Uri url)
    {
        var address = IPAddress.Parse(url.Host.Trim('[', ']'));
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, url.Port));
            socket.Listen();
            return false;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode == SocketError.AddressAlreadyInUse;
        }
    }

    /// <summary>A sentence: the port, and whether an Orderwright answers there.</summary>
    /// <param name="url">Address for a caller on this machine.</param>
    /// <param name="cancel">Cancels the call.</param>
    public static async Task<string> DescribeAsync(Uri url, CancellationToken cancel) =>
        $"Port {url.Port} is in use: " + (await IsOrderwrightAsync(url, cancel)
            ? $"an Orderwright already answers at {url.GetLeftPart(UriPartial.Authority)}."
            : "another program listens there.");

    static async Task<bool> IsOrderwrightAsync(Uri url, CancellationToken cancel)
    {
        try
        {
            // No proxy: the process is on this machine.
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
            {
                Timeout = Patience, MaxResponseContentBufferSize = 10_000,
            };
            return await http.GetStringAsync(new Uri(url, "/health/live"), cancel) == Live;
        }
        catch (Exception error) when (
            error is HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }
}
