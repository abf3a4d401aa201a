using System.Text.RegularExpressions;
using Npgsql;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Parses the address of a database: Npgsql's own form (<c>Host=…;Database=…</c>), or the URL that hosting platforms provide
/// (<c>postgres://user:password@host:5432/name?sslmode=require</c>; parts percent-encoded). Several hosts, separated by commas,
/// are a primary and its standbys in any order; the one that accepts writes is used.
/// </summary>
public static partial class PostgresAddress
{
    const string ReadWrite = "read-write";

    // Values under which a host that accepts writes is chosen. Services have no use for the others.
    static readonly string[] WritableTargets = [ReadWrite, "primary"];

    /// <summary>Throws <see cref="DatabaseUnfitException"/>, without the password, for anything else.</summary>
    public static NpgsqlConnectionStringBuilder Parse(string address)
    {
        try
        {
            var settings = Url().Match(address) is { Success: true } url
                ? OfUrl(url)
                : new NpgsqlConnectionStringBuilder(address);
            if (string.IsNullOrEmpty(settings.Host) || string.IsNullOrEmpty(settings.Database))
                throw new ArgumentException("The host or the database is missing.");
            if (settings.TargetSessionAttributes is { } target && !WritableTargets.Contains(target.ToLowerInvariant()))
                throw new ArgumentException(
                    $"target_session_attrs is {target}, but a service needs a host that accepts writes: {ReadWrite} or primary.");
            if (HasSeveralHosts(settings)) settings.TargetSessionAttributes ??= ReadWrite;
            return settings;
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            throw new DatabaseUnfitException(
                $"The address of the PostgreSQL database is invalid: {error.Message} Expected: " +
                "postgres://user:password@host:5432/name or Host=…;Database=…;Username=…;Password=….");
        }
    }

    /// <summary>Adds the name of a database to an address without one; other addresses are returned unchanged.</summary>
    public static string WithDatabase(string address, string name)
    {
        if (Url().Match(address) is not { Success: true } url)
            return address.Contains("Database=", StringComparison.OrdinalIgnoreCase) ? address : $"{address};Database={name}";
        if (url.Groups["path"].Value.Trim('/').Length > 0) return address;
        var parts = address.Split('?', 2);
        return $"{parts[0].TrimEnd('/')}/{name}{(parts.Length > 1 ? $"?{parts[1]}" : "")}";
    }

    /// <summary>Hosts and ports for people: <c>db1:5432, db2:5432</c>.</summary>
    public static string Server(NpgsqlConnectionStringBuilder settings) => string.Join(
        ", ", settings.Host!.Split(',').Select(host => HasPort().IsMatch(host) ? host : $"{host}:{settings.Port}"));

    internal static bool HasSeveralHosts(NpgsqlConnectionStringBuilder settings) =>
        settings.Host!.Contains(',', StringComparison.Ordinal);

    static NpgsqlConnectionStringBuilder OfUrl(Match url)
    {
        var settings = new NpgsqlConnectionStringBuilder { Database = Decode(url.Groups["path"].Value.Trim('/')) };
        var hosts = url.Groups["hosts"].Value.Split(',');
        if (hosts is [var only])
        {
            var parts = HostAndPort().Match(only);
            if (!parts.Success) throw new FormatException($"\"{only}\" is no host.");
            settings.Host = parts.Groups["host"].Value.Trim('[', ']');
            if (parts.Groups["port"].Length > 0) settings.Port = PortOf(parts);
        }
        else
        {
            foreach (var host in hosts)
                if (HostAndPort().Match(host) is not { Success: true } parts)
                    throw new FormatException($"\"{host}\" is no host.");
                else if (parts.Groups["port"].Length > 0)
                    _ = PortOf(parts);
            settings.Host = string.Join(',', hosts);
        }
        var user = url.Groups["user"].Value.Split(':', 2);
        if (user[0].Length > 0) settings.Username = Decode(user[0]);
        if (user.Length > 1) settings.Password = Decode(user[1]);
        foreach (var pair in url.Groups["query"].Value.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            var value = parts.Length > 1 ? Decode(parts[1]) : "";
            var name = Keyword(Decode(parts[0]));
            // libpq writes verify-full, Npgsql VerifyFull.
            settings[name] = name == "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        return settings;
    }

    static int PortOf(Match host) =>
        ushort.TryParse(host.Groups["port"].Value, out var port) && port > 0
            ? port
            : throw new FormatException($"\"{host.Value}\" has no valid port.");

    // libpq's keywords for which Npgsql has other names.
    static string Keyword(string name) => name switch
    {
        "sslmode" => "SSL Mode",
        "sslrootcert" => "Root Certificate",
        "sslcert" => "SSL Certificate",
        "sslkey" => "SSL Key",
        "application_name" => "Application Name",
        "connect_timeout" => "Timeout",
        "target_session_attrs" => "Target Session Attributes",
        _ => name,
    };

    static string Decode(string part) => Uri.UnescapeDataString(part);

    // Not a Uri, which holds a single host.
    [GeneratedRegex(
        @"^postgres(ql)?://((?<user>[^/?#]*)@)?(?<hosts>[^/?#@]*)(?<path>/[^?#]*)?(\?(?<query>[^#]*))?$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Url();

    [GeneratedRegex(
        @"^(?<host>\[[0-9a-f:.]+\]|[^:\[\]\s]+)(:(?<port>\d+))?$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex HostAndPort();

    [GeneratedRegex(@"(^[^:]+|\]):\d+$")]
    private static partial Regex HasPort();
}
