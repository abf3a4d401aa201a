using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Storage.Postgres;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Hosting;

/// <summary>
/// Where the services' databases are. <c>ORDERWRIGHT_DATABASE</c> is <c>sqlite:DIR</c> (default <c>sqlite:./data</c>, a
/// file per service in it), <c>postgres://user:password@host:port/name</c>, or a connection string of Npgsql. A
/// PostgreSQL address without a name means each service's own, such as <c>orderwright_order</c>.
/// <c>ORDERWRIGHT_DATABASE_ORDER</c> (<c>_CUSTOMER</c>, <c>_STOCK</c>, <c>_COORDINATOR</c>) places one apart.
/// </summary>
public static class Databases
{
    public const string Default = "sqlite:./data";
    const string SqliteMark = "sqlite:";

    /// <summary>A service's word in names: <c>order</c>, <c>customer</c>, <c>stock</c>, <c>coordinator</c>.</summary>
    public static string WordOf(string service) =>
        service == ServiceNames.Coordinator ? "coordinator" : service.Split('-')[0];

    /// <param name="address">A value of <c>ORDERWRIGHT_DATABASE</c>.</param>
    /// <param name="service">Whose database.</param>
    /// <param name="options">Limits.</param>
    public static IDatabase Open(string address, string service, RuntimeOptions options) =>
        DirectoryOf(address) is { } directory
            ? new SqliteDatabase(Path.Combine(directory, $"{service}.db"), options)
            : new PostgresDatabase(WithName(address, service), service, options);

    /// <summary>The address of one service's database, from the settings.</summary>
    public static string AddressOf(string service, IConfiguration settings, bool sharesProcess)
    {
        var common = settings["DATA"] is { Length: > 0 } data ? SqliteMark + data
            : settings["DATABASE"] is { Length: > 0 } database ? database
            : Default;
        if (settings[$"DATABASE_{WordOf(service)}"] is { Length: > 0 } own) return own;
        if (sharesProcess && DirectoryOf(common) is null && WithName(common, service) == common)
            throw new InvalidSettingException(
                $"{Settings.Prefix}DATABASE names one PostgreSQL database for several services, and each needs its own. " +
                "Allowed: an address without a database's name.");
        return common;
    }

    /// <summary>For people; without user and password.</summary>
    public static string Describe(string address, string service)
    {
        if (DirectoryOf(address) is { } directory) return $"SQLite in {directory}";
        var settings = PostgresAddress.Parse(WithName(address, service));
        return $"PostgreSQL {settings.Database} on {settings.Host}:{settings.Port}";
    }

    static string? DirectoryOf(string address) =>
        address.StartsWith(SqliteMark, StringComparison.OrdinalIgnoreCase) ? address[SqliteMark.Length..] : null;

    static string WithName(string address, string service)
    {
        var name = $"orderwright_{WordOf(service)}";
        if (Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme is "postgres" or "postgresql")
            return url.AbsolutePath.Trim('/').Length > 0 ? address : new UriBuilder(url) { Path = name }.Uri.AbsoluteUri;
        return address.Contains("Database=", StringComparison.OrdinalIgnoreCase) ? address : $"{address};Database={name}";
    }
}
