using Npgsql;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Parses the address of a database: Npgsql's own form (<c>Host=…;Database=…</c>), or the URL that hosting platforms provide
/// (<c>postgres://user:password@host:5432/name?sslmode=require</c>; parts percent-encoded).
/// </summary>
public static class PostgresAddress
{
    /// <summary>Throws <see cref="DatabaseUnfitException"/>, without the password, for anything else.</summary>
    public static NpgsqlConnectionStringBuilder Parse(string address)
    {
        try
        {
            var settings = Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme is "postgres" or "postgresql"
                ? OfUrl(url)
                : new NpgsqlConnectionStringBuilder(address);
            return string.IsNullOrEmpty(settings.Host) || string.IsNullOrEmpty(settings.Database)
                ? throw new ArgumentException("The host or the database is missing.")
                : settings;
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            throw new DatabaseUnfitException(
                $"The address of the PostgreSQL database is invalid: {error.Message} Expected: " +
                "postgres://user:password@host:5432/name or Host=…;Database=…;Username=…;Password=….");
        }
    }

    static NpgsqlConnectionStringBuilder OfUrl(Uri url)
    {
        var settings = new NpgsqlConnectionStringBuilder { Host = url.Host, Database = Decode(url.AbsolutePath.Trim('/')) };
        if (url.Port > 0) settings.Port = url.Port;
        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0) settings.Username = Decode(user[0]);
        if (user.Length > 1) settings.Password = Decode(user[1]);
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            settings[Keyword(Decode(parts[0]))] = parts.Length > 1 ? Decode(parts[1]) : "";
        }
        return settings;
    }

    // libpq's keywords for which Npgsql has other names.
    static string Keyword(string name) => name switch
    {
        "sslmode" => "SSL Mode",
        "sslrootcert" => "Root Certificate",
        "application_name" => "Application Name",
        "connect_timeout" => "Timeout",
        _ => name,
    };

    static string Decode(string part) => Uri.UnescapeDataString(part);
}
