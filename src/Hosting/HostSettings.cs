using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.Hosting;

/// <summary>Where a host listens: <c>http://127.0.0.1:4000</c>. TLS is ended by the proxy in front.</summary>
/// <param name="Address">Null for every address of the machine.</param>
/// <param name="Port">0 for any free one.</param>
public sealed record ListenAddress(IPAddress? Address, int Port)
{
    public bool IsLoopback => Address is not null && IPAddress.IsLoopback(Address);

    /// <summary>Null for a text that is no such address.</summary>
    public static ListenAddress? Parse(string text)
    {
        // * and + are how .NET and others write "every address"; a Uri takes neither.
        var every = text.Replace("//*", "//0.0.0.0", StringComparison.Ordinal)
            .Replace("//+", "//0.0.0.0", StringComparison.Ordinal);
        if (!Uri.TryCreate(every, UriKind.Absolute, out var uri)
            || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/")
            return null;
        if (uri.Host == "localhost") return new(IPAddress.Loopback, uri.Port);
        if (!IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address)) return null;
        return new(address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? null : address, uri.Port);
    }

    /// <summary>How a person on this machine reaches it, at this port.</summary>
    public string Url(int port)
    {
        var host = Address is null ? "127.0.0.1"
            : Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{Address}]"
            : Address.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}");
    }
}

/// <summary>A host's own settings, checked. Those of databases and transport are read by whoever opens them.</summary>
/// <param name="Listen"><c>ORDERWRIGHT_LISTEN</c>, or <c>--port N</c> on loopback.</param>
/// <param name="Hosts">
/// <c>ORDERWRIGHT_HOSTS</c>, comma-separated: names under which callers reach it, besides the loopback ones. On a wider
/// bind with none configured, every name is taken: keys guard it there.
/// </param>
/// <param name="KeyFile"><c>ORDERWRIGHT_KEYS</c>: the key file, without which a host answers on loopback only.</param>
/// <param name="IdleTimeout">
/// <c>ORDERWRIGHT_IDLE_TIMEOUT</c>: how long a connection may say nothing; longer than the proxy in front keeps its own.
/// 1 s to 1 h; default 2 min.
/// </param>
public sealed record HostSettings(
    ListenAddress Listen, IReadOnlyList<string> Hosts, string? KeyFile, TimeSpan IdleTimeout)
{
    /// <summary>The port of a service that is not told another one; several in one process share the coordinator's.</summary>
    public static int DefaultPort(IReadOnlyList<string> services) => services switch
    {
        [var only] when ServiceNames.All.Contains(only) => 4000 + ServiceNames.All.ToList().IndexOf(only),
        [_] => 4010,
        _ => 4000,
    };

    public static HostSettings Read(IConfiguration settings, IReadOnlyList<string> services)
    {
        var keys = settings["KEYS"] is { Length: > 0 } file ? Path.GetFullPath(file) : null;
        var read = new HostSettings(
            ListenOn(settings, services),
            (settings["HOSTS"] ?? "").Split(
                ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            keys,
            settings.Bind<Limits>().IdleTimeout);
        if (!read.Listen.IsLoopback && keys is null)
            throw new InvalidSettingException(
                $"{Settings.Prefix}LISTEN is \"{settings["LISTEN"]}\", which others than this machine can reach, and no " +
                "keys are configured. Allowed without keys: a loopback address. With keys: set " +
                $"{Settings.Prefix}KEYS to a file made by ./orderwright keys add --name NAME --scopes orders,stock.");
        return read;
    }

    static ListenAddress ListenOn(IConfiguration settings, IReadOnlyList<string> services)
    {
        var (listen, port) = (settings["LISTEN"], settings["PORT"]);
        if (listen is { Length: > 0 })
            return ListenAddress.Parse(listen)
                ?? throw new InvalidSettingException(
                    "LISTEN", listen, "an address such as http://127.0.0.1:4000 or http://0.0.0.0:4000");
        if (port is not { Length: > 0 }) return new(IPAddress.Loopback, DefaultPort(services));
        return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 65_535
            ? new(IPAddress.Loopback, number)
            : throw new InvalidSettingException("PORT", port, "a whole number, from 0 to 65535");
    }

    sealed class Limits
    {
        [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
        public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(2);
    }
}
