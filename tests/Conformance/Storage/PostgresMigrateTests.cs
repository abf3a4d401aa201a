using Npgsql;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.StockService;
using Orderwright.Storage.Postgres;

namespace Orderwright.Conformance.Storage;

/// <summary>Databases whose services may not create or alter tables: migrated by their owner, or by a script.</summary>
public sealed class PostgresMigrateTests(PostgresEngine engine, Servers servers) : IClassFixture<PostgresEngine>
{
    static readonly IReadOnlyList<Migration> Known = SqlCatalog.MigrationsOf(new StockModule(), "postgres");
    static readonly RuntimeOptions ReadOnlySchema = new() { Migrate = false };

    [Fact]
    public async Task A_service_waits_for_its_migrations_and_needs_rights_on_rows_only()
    {
        var owner = await engine.NewDatabaseAsync();
        var role = $"service_{Guid.NewGuid():N}";
        await using (var first = engine.Open(owner)) await first.MigrateAsync([], default);
        await engine.AdministerAsync($"CREATE ROLE {role} LOGIN PASSWORD 'p'");
        var service = new NpgsqlConnectionStringBuilder(owner) { Username = role, Password = "p" }.ConnectionString;
        await using var database = engine.Open(service, ReadOnlySchema);
        var missing = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.MigrateAsync(Known, default));
        Assert.Contains($"migrate --grant {role}", missing.Message, StringComparison.Ordinal);
        await using (var waiting = engine.Open(owner, ReadOnlySchema))
            Assert.Contains(
                $"lacks {Known.Count} migrations",
                (await Assert.ThrowsAsync<DatabaseUnavailableException>(() => waiting.MigrateAsync(Known, default))).Message,
                StringComparison.Ordinal);

        // With the default setting the refusal names the way out.
        await using (var eager = engine.Open(service))
        {
            var refusal = await Assert.ThrowsAsync<DatabaseUnfitException>(() => eager.MigrateAsync(Known, default));
            Assert.Contains($"migrate --grant {role}", refusal.Message, StringComparison.Ordinal);
        }

        Assert.Equal(Known, await PostgresMigrations.ApplyAsync(owner, Known, role, default));
        Assert.Empty(await PostgresMigrations.ApplyAsync(owner, Known, role, default));
        await database.MigrateAsync(Known, default);
        await database.WriteAsync(
            tx => tx.ExecuteAsync(new("insert", "INSERT INTO products (sku) SELECT 'never' WHERE false"), SqlArgs.None), default);
        var forbidden = await Assert.ThrowsAsync<PostgresException>(() => database.WriteAsync(
            tx => tx.ExecuteAsync(new("alter", "ALTER TABLE products ADD COLUMN x int"), SqlArgs.None), default));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, forbidden.SqlState);
    }

    [Fact]
    public async Task The_script_migrates_once_and_grants_the_same_rights()
    {
        servers.RequirePostgres();
        var owner = await engine.NewDatabaseAsync();
        var role = $"service_{Guid.NewGuid():N}";
        // The database is missing, so everything is pending.
        var script = await PostgresMigrations.ScriptAsync(owner, Known, role, default);
        await using (var first = engine.Open(owner)) await first.MigrateAsync([], default);
        await engine.AdministerAsync($"CREATE ROLE {role} LOGIN PASSWORD 'p'");
        await RunAsync(owner, script);
        Assert.Equal("", await PostgresMigrations.ScriptAsync(owner, Known, null, default));
        Assert.Empty(await PostgresMigrations.ApplyAsync(owner, Known, null, default));
        var again = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(owner, script));
        Assert.StartsWith("42", again.SqlState, StringComparison.Ordinal);

        var service = new NpgsqlConnectionStringBuilder(owner) { Username = role, Password = "p" }.ConnectionString;
        await using var database = engine.Open(service, ReadOnlySchema);
        await database.MigrateAsync(Known, default);
    }

    static async Task RunAsync(string address, string script)
    {
        await using var connection = new NpgsqlConnection(address);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(script, connection);
        await command.ExecuteNonQueryAsync();
    }
}
