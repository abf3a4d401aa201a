using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Storage.Postgres;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Hosting;

/// <summary>Addresses of the services' databases, a database per service.</summary>
public sealed class DatabaseSettings
{
    /// <summary>
    /// Directory of SQLite files; short for <c>sqlite:DIR</c>, with precedence over <c>ORDERWRIGHT_DATABASE</c>.
    /// </summary>
    public string Data { get; set; } = "";

    /// <summary>
    /// <c>sqlite:DIR</c> (a file per service in the directory), <c>postgres://user:password@host:port/name</c>, or an Npgsql
    /// connection string. Several hosts, <c>postgres://user:password@db1,db2,db3/name?target_session_attrs=read-write</c>, are
    /// a primary and its standbys. TLS: <c>?sslmode=verify-full&amp;sslrootcert=FILE</c>. A PostgreSQL address without a
    /// database name means a database per service, such as <c>orderwright_order</c>.
    /// </summary>
    public string Database { get; set; } = Databases.Default;

    /// <summary>Database of order-service, if elsewhere.</summary>
    public string DatabaseOrder { get; set; } = "";

    /// <summary>Database of customer-service, if elsewhere.</summary>
    public string DatabaseCustomer { get; set; } = "";

    /// <summary>Database of stock-service, if elsewhere.</summary>
    public string DatabaseStock { get; set; } = "";

    /// <summary>Database of saga-coordinator, if elsewhere.</summary>
    public string DatabaseCoordinator { get; set; } = "";
}

/// <summary>Opens the services' databases at the addresses of <see cref="DatabaseSettings"/>.</summary>
public static class Databases
{
    public const string Default = "sqlite:./data";
    const string SqliteMark = "sqlite:";

    /// <summary>Short name of a service: <c>order</c>, <c>customer</c>, <c>stock</c>, <c>coordinator</c>.</summary>
    public static string WordOf(string service) =>
        service == ServiceNames.Coordinator ? "coordinator" : service.Split('-')[0];

    /// <param name="address">Value of <c>ORDERWRIGHT_DATABASE</c>.</param>
    /// <param name="service">Owner of the database.</param>
    /// <param name="options">Limits.</param>
    public static IDatabase Open(string address, string service, RuntimeOptions options) =>
        DirectoryOf(address) is { } directory
            ? new SqliteDatabase(Path.Combine(directory, $"{service}.db"), options)
            : new PostgresDatabase(WithName(address, service), service, options);

    /// <summary>File name of a service's backup.</summary>
    public static string BackupName(string address, string service) =>
        DirectoryOf(address) is null ? $"{service}.dump" : $"{service}.db";

    /// <summary>Copies a service's database, as of one moment, into a file, and proves that the copy can be restored.</summary>
    /// <param name="address">Address of the database.</param>
    /// <param name="service">Owner of the database.</param>
    /// <param name="target">New file.</param>
    /// <param name="binaries">Directory of PostgreSQL's programs; null searches the path.</param>
    /// <param name="verifies">True to restore the copy of a PostgreSQL database into a scratch database.</param>
    /// <param name="cancel">Stops the copy.</param>
    public static async Task BackUpAsync(
        string address, string service, string target, string? binaries, bool verifies, CancellationToken cancel)
    {
        if (DirectoryOf(address) is { } directory)
        {
            SqliteBackup.Copy(Path.Combine(directory, $"{service}.db"), target);
            return;
        }
        var backup = new PostgresBackup(binaries);
        await backup.DumpAsync(WithName(address, service), target, cancel);
        if (verifies) await backup.VerifyAsync(WithName(address, service), target, cancel);
    }

    /// <summary>Replaces a service's database by a backup, and closes its fence. The service must be stopped.</summary>
    public static Task RestoreAsync(
        string address, string service, string backup, string? binaries, string reason, CancellationToken cancel)
    {
        if (DirectoryOf(address) is not { } directory)
            return new PostgresBackup(binaries).RestoreAsync(WithName(address, service), backup, reason, cancel);
        using var held = FileLock.TryTake(Path.Combine(directory, "orderwright.lock")) ?? throw new DatabaseUnfitException(
            $"A process uses the databases in {Path.GetFullPath(directory)}. Stop the process first.");
        SqliteBackup.Restore(backup, Path.Combine(directory, $"{service}.db"), reason);
        return Task.CompletedTask;
    }

    /// <summary>Npgsql connection string of a service's database; null for an address of SQLite.</summary>
    internal static string? PostgresOf(string address, string service) =>
        DirectoryOf(address) is null ? PostgresAddress.Parse(WithName(address, service)).ConnectionString : null;

    /// <summary>Address of a service's database, from the settings.</summary>
    public static string AddressOf(string service, IConfiguration configuration, bool sharesProcess)
    {
        var settings = configuration.Bind<DatabaseSettings>();
        var common = settings.Data.Length > 0 ? SqliteMark + settings.Data : settings.Database;
        var own = service switch
        {
            ServiceNames.Order => settings.DatabaseOrder,
            ServiceNames.Customer => settings.DatabaseCustomer,
            ServiceNames.Stock => settings.DatabaseStock,
            ServiceNames.Coordinator => settings.DatabaseCoordinator,
            _ => "",
        };
        if (own.Length > 0) return own;
        if (sharesProcess && DirectoryOf(common) is null && WithName(common, service) == common)
            throw new InvalidSettingException(
                $"{Settings.Prefix}DATABASE names a single PostgreSQL database for several services, but each needs its own. " +
                "Allowed: an address without a database name.")
            {
                Setting = "DATABASE",
            };
        return common;
    }

    /// <summary>Describes an address for people, without user and password.</summary>
    public static string Describe(string address, string service)
    {
        if (DirectoryOf(address) is { } directory) return $"SQLite in {directory}";
        var settings = PostgresAddress.Parse(WithName(address, service));
        return $"PostgreSQL {settings.Database} on {PostgresAddress.Server(settings)}";
    }

    /// <summary>Names the database of a service at an address in full: the engine, and the file or server and name.</summary>
    public static string Place(string address, string service) =>
        DirectoryOf(address) is { } directory
            ? $"SQLite {Path.GetFullPath(Path.Combine(directory, $"{service}.db"))}"
            : Describe(address, service);

    /// <summary>Directory of SQLite files; null for an address of PostgreSQL.</summary>
    public static string? DirectoryOf(string address) =>
        address.StartsWith(SqliteMark, StringComparison.OrdinalIgnoreCase) ? address[SqliteMark.Length..] : null;

    /// <summary>Adds the name of a service's database to a PostgreSQL address without a name.</summary>
    public static string WithName(string address, string service) =>
        PostgresAddress.WithDatabase(address, $"orderwright_{WordOf(service)}");
}
