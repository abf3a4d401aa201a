using System.Net;
using System.Net.Sockets;
using Orderwright.Runtime;

namespace Orderwright.Http.Outgoing;

/// <summary>
/// Addresses to which signed calls may be sent: public addresses over https, and the networks that a setting allows, over http
/// too. A caller with a key must not reach internal servers through a service (server-side request forgery).
/// </summary>
/// <param name="setting">Name of the setting, without its prefix.</param>
/// <param name="allowed">Networks that the setting allows.</param>
public sealed class ReceiverNetworks(string setting, IReadOnlyList<IPNetwork> allowed)
{
    // RFC 6890 and its successors: everything that is not a public unicast address.
    static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/3",
        }.Select(IPNetwork.Parse),
    ];

    // The only block from which public IPv6 addresses are assigned.
    static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    // Documentation, protocol assignments with Teredo, and 6to4, which hide an IPv4 address.
    static readonly IPNetwork[] SpecialV6 =
        [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse)];

    static readonly IPNetwork[] Loopback = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")];

    /// <summary>Reads a setting. Throws <see cref="InvalidSettingException"/> for an invalid value.</summary>
    /// <param name="setting">Name of the setting, without its prefix.</param>
    /// <param name="text">Networks in CIDR notation, separated by commas.</param>
    /// <param name="allowsLoopback">True for a server without keys, which is reachable on the loopback interface only.</param>
    public static ReceiverNetworks Read(string setting, string text, bool allowsLoopback)
    {
        var allowed = new List<IPNetwork>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            allowed.Add(IPNetwork.TryParse(part, out var network)
                ? network
                : throw new InvalidSettingException(
                    setting, text, "networks in CIDR notation, such as 10.1.0.0/16,fd00::/8"));
        if (allowsLoopback) allowed.AddRange(Loopback);
        return new(setting, allowed);
    }

    /// <summary>True if some networks beyond the public ones are allowed.</summary>
    public bool AllowsPlainHttp => allowed.Count > 0;

    /// <summary>Returns the reason why nothing may be sent to an address; null if it may.</summary>
    /// <param name="address">Resolved address of the receiver.</param>
    /// <param name="isEncrypted">True for https.</param>
    public string? Refuse(IPAddress address, bool isEncrypted)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (allowed.Any(network => network.Contains(address))) return null;
        if (!IsPublic(address))
            return $"The receiver's address {address} is not public. {Settings.Prefix}{setting} can allow its network.";
        return isEncrypted ? null : "A receiver on the public internet must use https.";
    }

    static bool IsPublic(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        ? GlobalUnicast.Contains(address) && !SpecialV6.Any(network => network.Contains(address))
        : !Special.Any(network => network.Contains(address));
}
