using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Microsoft.Data.Sqlite;
using Npgsql;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.EndToEnd.Release;

/// <summary>
/// The databases of a shop on one engine, in a directory of their own: created empty, or restored from the archive of a
/// release. The gateway's record is a SQLite file in either case.
/// </summary>
abstract class ReleaseStore : IAsyncDisposable
{
    protected const string GatewayFile = "payment-gateway.db";

    // CreateTempSubdirectory would exclude other users, and started by root PostgreSQL runs as one.
    protected string Directory { get; } = System.IO.Directory.CreateDirectory(
        Path.Combine(Path.GetTempPath(), $"orderwright-release-{Guid.NewGuid():N}")).FullName;

    public abstract string Engine { get; }

    /// <summary>Data directory of the gateway.</summary>
    public string Gateway => System.IO.Directory.CreateDirectory(Path.Combine(Directory, "gateway")).FullName;

    /// <summary>Arguments that connect the all-in-one process to the databases.</summary>
    public IReadOnlyList<string> Arguments => [.. ServiceNames.All.SelectMany(ArgumentsOf).Distinct()];

    /// <summary>Arguments that connect a service to its database.</summary>
    public abstract IReadOnlyList<string> ArgumentsOf(string service);

    public static ReleaseStore Create(string engine) => engine == "postgres" ? new PostgresStore() : new SqliteStore();

    /// <summary>The archive of a release in the repository.</summary>
    public static string ArchiveOf(string release, string engine)
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Orderwright.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "tests", "Fixtures", release, $"{engine}.zip");
    }

    public abstract Task StartAsync();

    public abstract IDatabase Open(string service);

    /// <summary>Writes every database into an archive. No process may use them.</summary>
    public async Task SaveAsync(string archive)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(archive)!);
        File.Delete(archive);
        using var zip = ZipFile.Open(archive, ZipArchiveMode.Create);
        await CompactAsync(Path.Combine(Gateway, GatewayFile));
        zip.CreateEntryFromFile(Path.Combine(Gateway, GatewayFile), GatewayFile, CompressionLevel.SmallestSize);
        await SaveAsync(zip);
    }

    public async Task RestoreAsync(string archive)
    {
        using var zip = ZipFile.OpenRead(archive);
        zip.GetEntry(GatewayFile)!.ExtractToFile(Path.Combine(Gateway, GatewayFile));
        await RestoreAsync(zip);
    }

    public virtual ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        return default;
    }

    protected abstract Task SaveAsync(ZipArchive zip);

    protected abstract Task RestoreAsync(ZipArchive zip);

    // The write-ahead log becomes part of the file.
    protected static async Task CompactAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        await connection.OpenAsync();
        await using var command = new SqliteCommand(
            "PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", connection);
        await command.ExecuteNonQueryAsync();
    }
}

sealed class SqliteStore : ReleaseStore
{
    public override string Engine => "sqlite";

    public override IReadOnlyList<string> ArgumentsOf(string service) => ["--data", Directory];

    public override Task StartAsync() => Task.CompletedTask;

    public override IDatabase Open(string service) => Databases.Open($"sqlite:{Directory}", service, new RuntimeOptions());

    protected override async Task SaveAsync(ZipArchive zip)
    {
        foreach (var service in ServiceNames.All)
        {
            var file = Path.Combine(Directory, $"{service}.db");
            await CompactAsync(file);
            zip.CreateEntryFromFile(file, Path.GetFileName(file), CompressionLevel.SmallestSize);
        }
    }

    protected override Task RestoreAsync(ZipArchive zip)
    {
        foreach (var service in ServiceNames.All)
            zip.GetEntry($"{service}.db")!.ExtractToFile(Path.Combine(Directory, $"{service}.db"));
        return Task.CompletedTask;
    }
}

sealed class PostgresStore : ReleaseStore
{
    PrivatePostgres server = null!;

    public override string Engine => "postgres";

    public override IReadOnlyList<string> ArgumentsOf(string service) =>
        [$"--database-{Databases.WordOf(service)}", AddressOf(service)];

    public override async Task StartAsync()
    {
        server = await PrivatePostgres.StartAsync(Path.Combine(Directory, "postgres"));
        foreach (var service in ServiceNames.All)
            await server.AdministerAsync("postgres", $"CREATE DATABASE {NameOf(service)}");
    }

    public override IDatabase Open(string service) => Databases.Open(AddressOf(service), service, new RuntimeOptions());

    public override async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override async Task SaveAsync(ZipArchive zip)
    {
        foreach (var service in ServiceNames.All)
        {
            var entry = zip.CreateEntry($"{service}.sql", CompressionLevel.SmallestSize);
            await using var writer = new StreamWriter(await entry.OpenAsync());
            // Commands of psql, such as \restrict, mean nothing to a server.
            foreach (var line in (await DumpAsync(NameOf(service))).Split('\n').Where(line => !line.StartsWith('\\')))
                await writer.WriteLineAsync(line);
        }
    }

    protected override async Task RestoreAsync(ZipArchive zip)
    {
        foreach (var service in ServiceNames.All)
        {
            using var reader = new StreamReader(await zip.GetEntry($"{service}.sql")!.OpenAsync());
            // A dump clears the search_path of the connection, so the connection is not pooled.
            await using var connection = new NpgsqlConnection($"{AddressOf(service)};Pooling=false");
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(await reader.ReadToEndAsync(), connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    static string NameOf(string service) => $"orderwright_{Databases.WordOf(service)}";

    string AddressOf(string service) => server.ConnectionString(NameOf(service));

    async Task<string> DumpAsync(string database)
    {
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString(database));
        using var dump = Process.Start(new ProcessStartInfo(
            Path.Combine(PrivatePostgres.FindBinaries()!, "pg_dump"),
            [
                "--no-owner", "--no-privileges", "--inserts", "--host", settings.Host!, "--port",
                settings.Port.ToString(CultureInfo.InvariantCulture), "--username", settings.Username!, database,
            ])
        {
            RedirectStandardOutput = true,
            Environment = { ["PGPASSWORD"] = settings.Password! },
        })!;
        var text = await dump.StandardOutput.ReadToEndAsync();
        await dump.WaitForExitAsync();
        return dump.ExitCode == 0 ? text : throw new InvalidOperationException($"pg_dump of {database} failed.");
    }
}
