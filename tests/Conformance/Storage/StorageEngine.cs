using System.Globalization;
using Npgsql;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Storage.Postgres;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Conformance.Storage;

/// <summary>
/// Kind of database for a test class: a database with this assembly's schema (<c>Sql/</c>) shared by all tests of the class,
/// which therefore use keys of their own, and new empty databases on demand.
/// </summary>
public abstract class StorageEngine : IAsyncLifetime
{
    public abstract string Name { get; }

    public SqlCatalog Sql => new(typeof(StorageEngine).Assembly, Name);

    public SqlCatalog RuntimeSql => new(typeof(IDatabase).Assembly, Name);

    public IDatabase Database
    {
        get
        {
            Require();
            return field!;
        }
        private set;
    }

    /// <summary>Skips the calling test where the engine is unavailable.</summary>
    protected virtual void Require()
    {
    }

    /// <summary>Location without a database: an empty schema, or a file to be created by the first migration.</summary>
    public abstract Task<string> NewAddressAsync();

    /// <summary>Instance over a database; several instances over the same database act like several processes.</summary>
    public abstract IDatabase Open(string address, RuntimeOptions? options = null);

    /// <summary>Another instance over the class's database.</summary>
    public abstract IDatabase OpenAnother(RuntimeOptions? options = null);

    public virtual async ValueTask InitializeAsync()
    {
        Database = OpenAnother();
        await Database.MigrateAsync([.. RuntimeSql.Migrations, .. Sql.Migrations], default);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

public class PostgresEngine(Servers servers) : StorageEngine
{
    string address = "";
    readonly List<string> made = [];

    public override string Name => "postgres";

    protected override void Require() => servers.RequirePostgres();

    /// <summary>Runs administrative statements: ends connections, changes settings.</summary>
    public async Task AdministerAsync(string sql)
    {
        await using var connection = new NpgsqlConnection((await servers.PostgresAsync()).ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Database to be created by the first migration; creation takes a second, a new schema none.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var settings = await servers.PostgresAsync();
        settings.Database = $"conformance_{Environment.ProcessId}_{Unique()}";
        made.Add(settings.Database);
        return settings.ConnectionString;
    }

    public override async Task<string> NewAddressAsync()
    {
        Require();
        var settings = new NpgsqlConnectionStringBuilder(address) { Options = $"-c search_path=schema_{Unique()}" };
        await using var connection = new NpgsqlConnection(address);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE SCHEMA {settings.Options.Split('=')[1]}", connection);
        await command.ExecuteNonQueryAsync();
        return settings.ConnectionString;
    }

    public override IDatabase Open(string address, RuntimeOptions? options = null)
    {
        Require();
        return new PostgresDatabase(address, "conformance", options ?? new());
    }

    public override IDatabase OpenAnother(RuntimeOptions? options = null) => Open(address, options);

    // A fixture that fails would fail its tests: an unavailable server is found by the first test that uses it.
    public override async ValueTask InitializeAsync()
    {
        if (servers.LacksPostgres is not null) return;
        address = await NewDatabaseAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (servers.LacksPostgres is not null) return;
        await base.DisposeAsync();
        if (servers.PostgresIsOurs) return; // and ends with this run
        foreach (var database in made) await AdministerAsync($"DROP DATABASE IF EXISTS {database} WITH (FORCE)");
    }

    static string Unique() => Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
}

public sealed class SqliteEngine : StorageEngine
{
    readonly string directory = Directory.CreateTempSubdirectory("orderwright-conformance-").FullName;
    int made;

    public override string Name => "sqlite";

    public override Task<string> NewAddressAsync() =>
        Task.FromResult(Path.Combine(directory, $"{Interlocked.Increment(ref made)}", "service.db"));

    public override IDatabase Open(string address, RuntimeOptions? options = null) =>
        new SqliteDatabase(address, options ?? new());

    public override IDatabase OpenAnother(RuntimeOptions? options = null) =>
        Open(Path.Combine(directory, "service.db"), options);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
