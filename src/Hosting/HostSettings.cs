using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.Hosting;

/// <summary>Address of a host: <c>http://127.0.0.1:4000</c>. A proxy in front terminates TLS.</summary>
/// <param name="Address">Null for every address of the machine.</param>
/// <param name="Port">0 for any free port.</param>
public sealed record ListenAddress(IPAddress? Address, int Port)
{
    public bool IsLoopback => Address is not null && IPAddress.IsLoopback(Address);

    /// <summary>Parses an address; null for anything else.</summary>
    public static ListenAddress? Parse(string text)
    {
        // .NET and others write * or + for every address; a Uri accepts neither.
        var every = text.Replace("//*", "//0.0.0.0", StringComparison.Ordinal)
            .Replace("//+", "//0.0.0.0", StringComparison.Ordinal);
        if (!Uri.TryCreate(every, UriKind.Absolute, out var uri)
            || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/")
            return null;
        if (uri.Host == "localhost") return new(IPAddress.Loopback, uri.Port);
        if (!IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address)) return null;
        return new(address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? null : address, uri.Port);
    }

    /// <summary>Listening address for people, with the actual port: every address is <c>0.0.0.0</c>.</summary>
    public string Text(int port) =>
        Address is null ? string.Create(CultureInfo.InvariantCulture, $"http://0.0.0.0:{port}") : Url(port);

    /// <summary>URL for a caller on the same machine, with the actual port.</summary>
    public string Url(int port)
    {
        var host = Address is null ? "127.0.0.1"
            : Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{Address}]"
            : Address.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}");
    }
}

/// <summary>Address, host names and keys of a process.</summary>
public sealed class ListenSettings
{
    /// <summary>
    /// Address to listen on, such as <c>http://0.0.0.0:4000</c>. Without keys only a loopback address is allowed. Default:
    /// loopback with <c>ORDERWRIGHT_PORT</c>.
    /// </summary>
    public string Listen { get; set; } = "";

    /// <summary>
    /// Port on loopback; 0 for any free port. Default: 4000 for the coordinator and for several services in a process, 4001
    /// for order-service, 4002 for customer-service, 4003 for stock-service, 4010 for the sandbox gateway.
    /// </summary>
    [Range(0, 65_535)]
    public int? Port { get; set; }

    /// <summary>
    /// Host names, separated by commas, under which callers reach the process; loopback names are always allowed. When
    /// listening beyond loopback without host names, every name is allowed, because keys protect the process.
    /// </summary>
    public string Hosts { get; set; } = "";

    /// <summary>Key file, written by <c>./orderwright keys add</c>. Without keys a process listens on loopback only.</summary>
    public string Keys { get; set; } = "";

    /// <summary>
    /// File with the issuers of access tokens and what their claims grant. In addition to keys, or in place of them.
    /// </summary>
    public string Issuers { get; set; } = "";

    /// <summary>
    /// File with 32 random bytes in base64, the same for all services and instances: seals the sessions of the console. Without
    /// a file, a session ends with its process. A further line holds the former secret while the secret is replaced.
    /// </summary>
    public string SessionKey { get; set; } = "";

    /// <summary>Longest time of a session of the console.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    public TimeSpan SessionTime { get; set; } = TimeSpan.FromHours(12);

    /// <summary>
    /// Addresses of proxies in front, such as <c>10.0.0.0/8,192.168.1.7</c>, whose <c>X-Forwarded-For</c>,
    /// <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Host</c> count.
    /// </summary>
    public string Proxies { get; set; } = "";

    /// <summary>Serve <c>/openapi/v1.json</c> and <c>/swagger</c> to callers without a key as well.</summary>
    public bool PublicDocument { get; set; }

    /// <summary>Idle timeout for client connections; longer than the idle timeout of a proxy in front.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(2);
}

/// <summary>Checked settings of a host.</summary>
/// <param name="Listen">Address to listen on.</param>
/// <param name="Hosts">Host names, other than the loopback ones, under which callers reach the host.</param>
/// <param name="KeyFile">Full path of the key file; null without keys.</param>
/// <param name="IdleTimeout">Idle timeout for client connections.</param>
/// <param name="PublicDocument">The API's description needs no key.</param>
/// <param name="IssuerFile">Full path of the file of issuers; null without issuers.</param>
/// <param name="Proxies">Networks of the proxies in front.</param>
/// <param name="SessionKey">Full path of the file that seals sessions; null for a secret of this process.</param>
/// <param name="SessionTime">Longest time of a session.</param>
public sealed record HostSettings(
    ListenAddress Listen, IReadOnlyList<string> Hosts, string? KeyFile, TimeSpan IdleTimeout, bool PublicDocument = false,
    string? IssuerFile = null, IReadOnlyList<IPNetwork>? Proxies = null, string? SessionKey = null,
    TimeSpan SessionTime = default)
{
    /// <summary>Port without configuration; several services in a process use the coordinator's.</summary>
    public static int DefaultPort(IReadOnlyList<string> services) => services switch
    {
        [var only] when ServiceNames.All.Contains(only) => 4000 + ServiceNames.All.ToList().IndexOf(only),
        [_] => 4010,
        _ => 4000,
    };

    public static HostSettings Read(IConfiguration configuration, IReadOnlyList<string> services)
    {
        var settings = configuration.Bind<ListenSettings>();
        var read = new HostSettings(
            AddressOf(settings, services),
            settings.Hosts.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            settings.Keys.Length > 0 ? Path.GetFullPath(settings.Keys) : null,
            settings.IdleTimeout,
            settings.PublicDocument,
            settings.Issuers.Length > 0 ? Path.GetFullPath(settings.Issuers) : null,
            NetworksOf(settings.Proxies),
            settings.SessionKey.Length > 0 ? Path.GetFullPath(settings.SessionKey) : null,
            settings.SessionTime);
        if (!read.Listen.IsLoopback && !read.KnowsCallers)
            throw new InvalidSettingException(
                $"{Settings.Prefix}LISTEN is \"{settings.Listen}\", which is reachable from other machines, but no keys are " +
                "configured. Allowed without keys: a loopback address. With keys: set " +
                $"{Settings.Prefix}KEYS to a file made by ./orderwright keys add --name NAME --scopes orders,stock.")
            {
                Setting = "LISTEN",
            };
        return read;
    }

    /// <summary>False for a host that takes every local caller for the operator.</summary>
    public bool KnowsCallers => KeyFile is not null || IssuerFile is not null;

    static List<IPNetwork> NetworksOf(string text)
    {
        var networks = new List<IPNetwork>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            if (IPNetwork.TryParse(part, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(part, out var address))
                networks.Add(new(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));
            else
                throw new InvalidSettingException("PROXIES", text, "addresses and networks such as 10.0.0.0/8, with commas");
        return networks;
    }

    static ListenAddress AddressOf(ListenSettings settings, IReadOnlyList<string> services) =>
        settings.Listen.Length == 0
            ? new(IPAddress.Loopback, settings.Port ?? DefaultPort(services))
            : ListenAddress.Parse(settings.Listen)
                ?? throw new InvalidSettingException(
                    "LISTEN", settings.Listen, "an address such as http://127.0.0.1:4000 or http://0.0.0.0:4000");
}
