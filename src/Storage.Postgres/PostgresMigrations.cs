using System.Data;
using Npgsql;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Migrates a schema in a single transaction under an advisory lock: completely, or not at all. Statements that PostgreSQL
/// forbids inside transactions (<c>CREATE INDEX CONCURRENTLY</c>) cannot be part of a migration.
/// </summary>
static class PostgresMigrations
{
    // Arbitrary but fixed. Advisory locks are per database.
    const long LockKey = 0x6F72_6465_7277;

    // Every order writes to a dozen tables, and autovacuum samples each again whenever it has grown by a tenth: a quarter of
    // PostgreSQL's time while tables are small, mostly for pages and values that no query filters by. Our reads go by keys,
    // so a tenth of the sample, whenever a table has doubled, is enough. Settings of an administrator are left unchanged.
    const string SampleLess =
        """
        DO $$
        DECLARE its record;
        BEGIN
            FOR its IN
                SELECT c.oid::regclass AS name, a.attname
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relowner = current_user::regrole
                    AND a.attnum > 0 AND NOT a.attisdropped AND COALESCE(a.attstattarget, -1) = -1
            LOOP
                EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 10', its.name, its.attname);
            END LOOP;
            FOR its IN
                SELECT c.oid::regclass AS name
                FROM pg_class c
                WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relowner = current_user::regrole
                    AND NOT COALESCE(array_to_string(c.reloptions, ' '), '') LIKE '%autovacuum_analyze_scale_factor%'
            LOOP
                EXECUTE format('ALTER TABLE %s SET (autovacuum_analyze_scale_factor = 1)', its.name);
            END LOOP;
        END $$
        """;

    public static async Task ApplyAsync(
        string connectionString, IReadOnlyList<Migration> migrations, CancellationToken cancel)
    {
        // A connection without time limits: another instance may take long, and so may an index on a big table.
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false, CommandTimeout = 0, ApplicationName = "orderwright migrations",
        };
        await using var connection = await OpenAsync(settings, cancel);
        await PostgresErrors.TranslateAsync(ApplyAsync(connection, migrations, cancel), "Migrating");
    }

    static async Task ApplyAsync(
        NpgsqlConnection connection, IReadOnlyList<Migration> migrations, CancellationToken cancel)
    {
        await RefuseUnfitServerAsync(connection, cancel);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancel);
        await RunAsync(connection, $"SELECT pg_advisory_xact_lock({LockKey})", cancel);
        await RunAsync(
            connection,
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                module text NOT NULL, number int NOT NULL, name text NOT NULL, checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (module, number))
            """, cancel);
        foreach (var migration in MigrationHistory.Pending(migrations, await HistoryAsync(connection, cancel)))
        {
            await RunAsync(connection, migration.Sql, cancel);
            await using var note = new NpgsqlCommand(
                "INSERT INTO schema_migrations (module, number, name, checksum) VALUES ($1, $2, $3, $4)", connection);
            note.Parameters.Add(new() { Value = migration.Module });
            note.Parameters.Add(new() { Value = migration.Number });
            note.Parameters.Add(new() { Value = migration.Name });
            note.Parameters.Add(new() { Value = MigrationHistory.Checksum(migration) });
            await note.ExecuteNonQueryAsync(cancel);
        }
        await RunAsync(connection, SampleLess, cancel);
        await transaction.CommitAsync(cancel);
    }

    static async Task<List<AppliedMigration>> HistoryAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "SELECT module, number, name, checksum FROM schema_migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var history = new List<AppliedMigration>();
        while (await reader.ReadAsync(cancel))
            history.Add(new(reader.GetString(0), reader.GetInt32(1), reader.GetString(2), reader.GetString(3)));
        return history;
    }

    static async Task RefuseUnfitServerAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (connection.PostgreSqlVersion.Major < 15)
            throw new DatabaseUnfitException(
                $"PostgreSQL 15 or newer is needed; this server is {connection.PostgreSqlVersion}.");
        foreach (var setting in new[] { "synchronous_commit", "fsync" })
            if (PostgresFitness.Why(setting, await ShowAsync(connection, setting, cancel)) is { } why)
                throw new DatabaseUnfitException($"{why} Then start again.");
        if (await ShowAsync(connection, "server_encoding", cancel) is var encoding and not "UTF8")
            throw new DatabaseUnfitException(
                $"The database '{connection.Database}' stores text as {encoding}, which cannot hold every name. Make it " +
                "anew with ENCODING 'UTF8' TEMPLATE template0.");
    }

    static async Task<NpgsqlConnection> OpenAsync(
        NpgsqlConnectionStringBuilder settings, CancellationToken cancel, bool mayCreate = true)
    {
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InvalidCatalogName && mayCreate)
        {
            await CreateDatabaseAsync(settings, cancel);
            return await OpenAsync(settings, cancel, mayCreate: false);
        }
        catch (PostgresException error) when (error.SqlState.StartsWith("28", StringComparison.Ordinal))
        {
            throw new DatabaseUnfitException(
                $"PostgreSQL at {settings.Host}:{settings.Port} refuses the role '{settings.Username}': "  +
                $"{error.MessageText}. Check the role's name and password, and pg_hba.conf.", error);
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException)
        {
            throw PostgresErrors.Unavailable($"PostgreSQL at {settings.Host}:{settings.Port} cannot be reached", error);
        }
    }

    static async Task CreateDatabaseAsync(NpgsqlConnectionStringBuilder settings, CancellationToken cancel)
    {
        var name = settings.Database!;
        var quoted = $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Database = "postgres" }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            // Collation C sorts text by bytes, as SQLite does, and no library update changes the order of an index.
            await RunAsync(
                connection, $"CREATE DATABASE {quoted} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", cancel);
        }
        catch (PostgresException error) when (
            error.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another instance was faster.
        }
        catch (PostgresException error)
        {
            throw new DatabaseUnfitException(
                $"The database '{name}' does not exist at {settings.Host}:{settings.Port}, and the role '{settings.Username}' " +
                $"may not create it ({error.MessageText}). As an administrator: CREATE DATABASE {quoted} OWNER " +
                $"\"{settings.Username}\" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", error);
        }
        catch (NpgsqlException error)
        {
            throw PostgresErrors.Unavailable($"PostgreSQL at {settings.Host}:{settings.Port} cannot be reached", error);
        }
    }

    static async Task<string?> ShowAsync(NpgsqlConnection connection, string setting, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"SHOW {setting}", connection);
        return (string?)await command.ExecuteScalarAsync(cancel);
    }

    static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
