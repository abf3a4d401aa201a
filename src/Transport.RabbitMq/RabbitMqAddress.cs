using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using RabbitMQ.Client;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Address of a broker, <c>amqp://user:password@host:port/vhost</c>, or of a cluster,
/// <c>amqps://user:password@mq1,mq2,mq3/vhost?cacertfile=FILE</c>; parts percent-encoded.
/// </summary>
/// <param name="Endpoints">Nodes, 1 or more; a connection goes to any of them that replies.</param>
/// <param name="User">Default: <c>guest</c>.</param>
/// <param name="Password">Default: <c>guest</c>.</param>
/// <param name="VirtualHost">Default: <c>/</c>.</param>
public sealed partial record RabbitMqAddress(
    IReadOnlyList<AmqpTcpEndpoint> Endpoints, string User, string Password, string VirtualHost)
{
    const string Authorities = "cacertfile";

    // The broker's own maximum: a body beyond the client's limit would break the connection, again at every redelivery. A body
    // beyond our limit becomes a dead letter.
    const uint MaxBodyBytes = 512u << 20;

    public bool IsCluster => Endpoints.Count > 1;

    /// <summary>Hosts and ports for people, without user and password.</summary>
    public string Nodes => string.Join(", ", Endpoints.Select(node => $"{node.HostName}:{node.Port}"));

    /// <summary>Parses an address; throws <see cref="FormatException"/>, with the end of a sentence, for anything else.</summary>
    public static RabbitMqAddress Parse(string text)
    {
        // Not a Uri, which holds a single host.
        if (Form().Match(text) is not { Success: true } url) throw new FormatException("is no amqp:// or amqps:// address");
        var user = url.Groups["user"].Value;
        if (user.Length > 0 && !user.Contains(':', StringComparison.Ordinal))
            throw new FormatException("names a user without a password");
        var name = url.Groups["path"].Value;
        if (name.Contains('/', StringComparison.Ordinal))
            throw new FormatException("names more than one virtual host; a slash in its name is written %2f");
        var isSecure = url.Groups["scheme"].Value.Equals("amqps", StringComparison.OrdinalIgnoreCase);
        var trusted = AuthoritiesOf(url.Groups["query"].Value, isSecure);
        var credentials = user.Split(':', 2);
        return new(
            [.. url.Groups["hosts"].Value.Split(',').Select(host => EndpointOf(host, isSecure, trusted))],
            user.Length > 0 ? Uri.UnescapeDataString(credentials[0]) : ConnectionFactory.DefaultUser,
            user.Length > 0 ? Uri.UnescapeDataString(credentials[1]) : ConnectionFactory.DefaultPass,
            name.Length > 0 ? Uri.UnescapeDataString(name) : ConnectionFactory.DefaultVHost);
    }

    static AmqpTcpEndpoint EndpointOf(string text, bool isSecure, X509Certificate2Collection? trusted)
    {
        var parts = Node().Match(text);
        var digits = parts.Groups["port"].Value;
        ushort port = 0;
        if (!parts.Success || digits.Length > 0 && (!ushort.TryParse(digits, out port) || port == 0))
            throw new FormatException($"names the node \"{text}\", which is no host with a port");
        var host = parts.Groups["host"].Value.Trim('[', ']');
        var tls = new SslOption(host, enabled: isSecure);
        if (trusted is not null) tls.CertificateValidationCallback = OnlyFrom(trusted);
        return new AmqpTcpEndpoint(host, port > 0 ? port : AmqpTcpEndpoint.UseDefaultPort, tls, MaxBodyBytes);
    }

    static X509Certificate2Collection? AuthoritiesOf(string query, bool isSecure)
    {
        if (query.Length == 0) return null;
        var parts = query.Split('=', 2);
        if (parts is not [Authorities, { Length: > 0 } encoded])
            throw new FormatException($"has the query \"{parts[0]}\"; only {Authorities}=FILE is known");
        if (!isSecure) throw new FormatException($"has {Authorities}, which needs amqps://");
        var file = Uri.UnescapeDataString(encoded);
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            return authorities.Count > 0 ? authorities : throw new CryptographicException("It holds no certificate in PEM form.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FormatException($"names the file \"{file}\", which cannot be read: {error.Message}", error);
        }
    }

    // The certificate must name the host and lead to one of the authorities, whatever the machine trusts.
    static RemoteCertificateValidationCallback OnlyFrom(X509Certificate2Collection authorities) =>
        (_, certificate, received, errors) =>
        {
            if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
                return false;
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            if (received is not null)
                foreach (var element in received.ChainElements) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
            return chain.Build(certificate as X509Certificate2 ?? new X509Certificate2(certificate));
        };

    [GeneratedRegex(
        @"^(?<scheme>amqps?)://((?<user>[^/?#]*)@)?(?<hosts>[^/?#@]+)(/(?<path>[^?#]*))?(\?(?<query>[^#]*))?$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Form();

    [GeneratedRegex(
        @"^(?<host>\[[0-9a-f:.]+\]|[^:\[\]\s]+)(:(?<port>\d+))?$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Node();
}
