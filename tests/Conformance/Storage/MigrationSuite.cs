using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Storage;

/// <summary>Migrations are applied once, completely, in order, and never rewritten, on every engine.</summary>
public abstract class MigrationSuite(StorageEngine engine)
{
    static readonly Migration First = new("shop", 1, "products", "CREATE TABLE products (sku text PRIMARY KEY);\n");
    static readonly Migration Second = new(
        "shop", 2, "prices", "CREATE TABLE prices (sku text PRIMARY KEY);\nINSERT INTO products (sku) VALUES ('x');\n");

    static readonly SqlQuery CountProducts = new("count_products", "SELECT count(*) AS count FROM products");
    static readonly SqlQuery CountPrices = new("count_prices", "SELECT count(*) AS count FROM prices");

    [Fact]
    public async Task Each_migration_is_applied_once()
    {
        var address = await engine.NewAddressAsync();
        for (var start = 0; start < 3; start++)
        {
            await using var database = engine.Open(address);
            await database.MigrateAsync([First, Second], default);
            Assert.Equal([1], await database.QueryAsync(CountProducts, SqlArgs.None, row => row.Int("count")));
        }
    }

    [Fact]
    public async Task Instances_that_start_together_apply_each_migration_once()
    {
        var address = await engine.NewAddressAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            await using var database = engine.Open(address);
            await database.MigrateAsync([First, Second], default);
            Assert.Equal([1], await database.QueryAsync(CountProducts, SqlArgs.None, row => row.Int("count")));
        })));
    }

    [Fact]
    public async Task A_new_version_applies_new_migrations()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([First], default);
        await Assert.ThrowsAnyAsync<Exception>(() => database.QueryAsync(CountPrices, SqlArgs.None, row => row.Int("count")));
        await database.MigrateAsync([First, Second], default);
        Assert.Equal([0], await database.QueryAsync(CountPrices, SqlArgs.None, row => row.Int("count")));
    }

    [Fact]
    public async Task Modules_have_histories_of_their_own()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([First], default);
        await database.MigrateAsync([new("audit", 1, "audit", "CREATE TABLE audits (id bigint)"), First, Second], default);
        await database.MigrateAsync([First, Second], default);
    }

    [Fact]
    public async Task A_changed_migration_is_refused_by_name()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([First, Second], default);
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync(
            [First with { Sql = "CREATE TABLE products (sku text PRIMARY KEY, name text);" }, Second], default));
        Assert.Contains("migration 001_products of shop", error.Message, StringComparison.Ordinal);
        Assert.Contains("never change", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renamed_migration_is_refused()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([First], default);
        await Assert.ThrowsAsync<DatabaseUnfitException>(() =>
            database.MigrateAsync([First with { Name = "goods" }], default));
    }

    [Fact]
    public async Task Line_ends_do_not_make_a_change()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([First, Second], default);
        await database.MigrateAsync(
            [First, Second with { Sql = Second.Sql.ReplaceLineEndings("\r\n") }], default);
    }

    [Fact]
    public async Task A_history_from_a_newer_version_is_refused()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([First, Second], default);
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([First], default));
        Assert.Contains(
            "002_prices of shop, which this version of the program does not know", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_history_with_a_gap_is_refused()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([First, Second], default);
        await database.WriteAsync(
            tx => tx.ExecuteAsync(new("make_hole", "DELETE FROM schema_migrations WHERE number = 1"), SqlArgs.None), default);
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([First, Second], default));
        Assert.Contains("gap", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrations_that_fail_leave_nothing()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        var broken = new Migration("shop", 2, "broken", "CREATE TABLE prices (sku text PRIMARY KEY); SELECT * FROM nowhere;");
        await Assert.ThrowsAnyAsync<Exception>(() => database.MigrateAsync([First, broken], default));
        await Assert.ThrowsAnyAsync<Exception>(() => database.QueryAsync(CountProducts, SqlArgs.None, row => row.Int("count")));
        await database.MigrateAsync([First, Second], default);
        Assert.Equal([0], await database.QueryAsync(CountPrices, SqlArgs.None, row => row.Int("count")));
    }

    [Fact]
    public async Task Migrations_that_skip_a_number_are_a_bug()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            database.MigrateAsync([First, Second with { Number = 3 }], default));
    }
}

public sealed class PostgresMigrationFacts(PostgresEngine engine) : MigrationSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteMigrationFacts(SqliteEngine engine) : MigrationSuite(engine), IClassFixture<SqliteEngine>;
