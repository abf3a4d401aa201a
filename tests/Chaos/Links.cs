using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orderwright.LocalServers;

namespace Orderwright.Chaos;

/// <summary>The servers of a service.</summary>
enum Server
{
    Broker,
    Database,
    Gateway,
}

/// <summary>The direction of a cut.</summary>
enum Direction
{
    Out,
    In,
    Both,
}

/// <summary>
/// Network namespaces, one per instance, each joined to this machine by its own veth pair. At the near end every server has
/// an address with a relay behind it, so that each server can be cut off in one or both directions without a packet, a
/// reset or an error: connections just fall silent. Needs Linux, root and the program ip.
/// </summary>
sealed class Links : IAsyncDisposable
{
    readonly string prefix = $"ow{Environment.ProcessId % 100_000}";
    readonly List<Link> links = [];

    /// <summary>Creates the namespaces; null where the machine does not permit them, with the reason.</summary>
    public static Links? TryCreate(out string? whyNot)
    {
        var links = new Links();
        var probe = $"{links.prefix}p"; // The kernel allows 15 characters.
        try
        {
            Ip($"netns add {probe}");
            try
            {
                Ip($"link add {probe}h type veth peer name {probe}c netns {probe}");
                Ip($"link del {probe}h");
            }
            finally
            {
                Ip($"netns del {probe}");
            }
            whyNot = null;
            return links;
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            whyNot = $"no network namespaces: {error.Message.ReplaceLineEndings(" ")}";
            return null;
        }
    }

    public Task<Link> AddAsync(int number, IReadOnlyDictionary<Server, IReadOnlyList<int>> ports, CancellationToken cancel)
    {
        var (name, near, far) = ($"{prefix}n{number}", $"{prefix}h{number}", $"{prefix}c{number}");
        var net = NetOf(number);
        var link = new Link(name, near, far, net, ports);
        links.Add(link);
        Ip($"netns add {name}");
        Ip($"link add {near} type veth peer name {far} netns {name}");
        Ip($"addr add {net}.1/24 dev {near}");
        foreach (var server in ports.Keys) Ip($"addr add {link.AddressOf(server)}/24 dev {near}");
        Ip($"link set {near} up");
        Ip($"-n {name} addr add {net}.2/24 dev {far}");
        Ip($"-n {name} link set {far} up");
        Ip($"-n {name} link set lo up");
        link.StartRelays();
        return Task.FromResult(link);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var link in links)
        {
            await link.DisposeAsync();
            try
            {
                link.Heal();
                Ip($"link del {link.Near}");
                Ip($"netns del {link.Name}");
            }
            catch (InvalidOperationException error)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }
        }
    }

    /// <summary>First three bytes of the addresses.</summary>
    public static string NetOf(int number) => $"10.{100 + Environment.ProcessId % 100}.{number}";

    internal static void Ip(string arguments) =>
        ServerProcess.RunAsync("ip", arguments.Split(' ')).GetAwaiter().GetResult();
}

/// <summary>The namespace of an instance, and its routes to the servers.</summary>
sealed class Link(
    string name, string near, string far, string net, IReadOnlyDictionary<Server, IReadOnlyList<int>> ports) : IAsyncDisposable
{
    // An unused hardware address: frames sent to it are dropped at the far end.
    const string NobodysMac = "02:00:00:00:00:01";

    readonly List<Relay> relays = [];
    readonly HashSet<(Server Server, bool Out)> cuts = [];

    public string Name => name;

    public string Near => near;

    /// <summary>Address of the instance.</summary>
    public IPAddress Address => IPAddress.Parse($"{net}.2");

    public IReadOnlyList<string> Wrapper => ["ip", "netns", "exec", name];

    public IPAddress AddressOf(Server server) => Of(net, server);

    public static IPAddress Of(string net, Server server) => IPAddress.Parse($"{net}.{3 + (int)server}");

    public void StartRelays()
    {
        foreach (var (server, its) in ports)
            foreach (var port in its)
                relays.Add(new Relay(new IPEndPoint(AddressOf(server), port), new IPEndPoint(IPAddress.Loopback, port)));
    }

    /// <summary>Blocks all traffic between the instance and a server in the given direction.</summary>
    public void Cut(Server server, Direction direction)
    {
        var address = AddressOf(server);
        if (direction is not Direction.In && cuts.Add((server, true)))
            Links.Ip($"-n {name} neigh replace {address} lladdr {NobodysMac} dev {far} nud permanent");
        if (direction is not Direction.Out && cuts.Add((server, false)))
            Links.Ip($"rule add from {address} to {Address} blackhole pref {Preference(server)}");
    }

    public void Heal()
    {
        foreach (var (server, isOut) in cuts.ToList())
        {
            var address = AddressOf(server);
            Links.Ip(isOut
                ? $"-n {name} neigh del {address} dev {far}"
                : $"rule del from {address} to {Address} blackhole pref {Preference(server)}");
            cuts.Remove((server, isOut));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var relay in relays) await relay.DisposeAsync();
    }

    static string Preference(Server server) => (1_000 + (int)server).ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// Relays bytes between incoming connections and a target; both ends close together. Several targets take turns, and a target
/// that refuses a connection is passed over, as by a TCP load balancer.
/// </summary>
sealed class Relay : IAsyncDisposable
{
    readonly TcpListener listener;
    readonly IReadOnlyList<IPEndPoint> targets;
    readonly CancellationTokenSource stopping = new();
    readonly Task accepting;
    int turn;

    public Relay(IPEndPoint at, params IReadOnlyList<IPEndPoint> targets)
    {
        this.targets = targets;
        listener = new TcpListener(at);
        listener.Start();
        accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await accepting;
        listener.Dispose();
        stopping.Dispose();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true) _ = PassAsync(await listener.AcceptSocketAsync(stopping.Token));
        }
        catch (OperationCanceledException)
        {
        }
    }

    async Task PassAsync(Socket near)
    {
        using (near)
        {
            try
            {
                near.NoDelay = true;
                using var far = await ConnectAsync();
                await Task.WhenAny(PumpAsync(near, far), PumpAsync(far, near));
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // The connecting side sees that the server is gone.
            }
            // A reset, as from a dying server; behind a cut no reset arrives.
            near.LingerState = new LingerOption(true, 0);
        }
    }

    async Task<Socket> ConnectAsync()
    {
        var first = Interlocked.Increment(ref turn);
        for (var refused = 0; ; refused++)
        {
            var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await far.ConnectAsync(targets[(int)((uint)(first + refused) % targets.Count)], stopping.Token);
                return far;
            }
            catch (Exception error)
            {
                far.Dispose();
                if (error is not SocketException || refused == targets.Count - 1) throw;
            }
        }
    }

    async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, stopping.Token) is > 0 and var read)
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), stopping.Token);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }
}
