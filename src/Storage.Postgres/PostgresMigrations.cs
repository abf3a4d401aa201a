using System.Data;
using System.Globalization;
using System.Text;
using Npgsql;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Migrates a schema in a single transaction under an advisory lock: completely, or not at all. Statements that PostgreSQL
/// forbids inside transactions (<c>CREATE INDEX CONCURRENTLY</c>) cannot be part of a migration.
/// </summary>
public static class PostgresMigrations
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

    const string Reading = "Reading the history of migrations";

    const string History =
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            module text NOT NULL, number int NOT NULL, name text NOT NULL, checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (module, number))
        """;

    /// <summary>Applies the pending migrations; completes when another instance has done so.</summary>
    /// <param name="connectionString">Npgsql connection string; a missing database is created where the role may.</param>
    /// <param name="migrations">All known migrations.</param>
    /// <param name="grantTo">Role of the service, to be given the rights on rows; null where the service owns its tables.</param>
    /// <param name="cancel">Cancels the wait and the migration.</param>
    /// <returns>The applied migrations.</returns>
    public static async Task<IReadOnlyList<Migration>> ApplyAsync(
        string connectionString, IReadOnlyList<Migration> migrations, string? grantTo, CancellationToken cancel)
    {
        var settings = SettingsOf(connectionString);
        await using var connection = await OpenAsync(settings, cancel);
        try
        {
            return await PostgresErrors.TranslateAsync(ApplyAsync(connection, migrations, grantTo, cancel), "Migrating");
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new DatabaseUnfitException(
                $"The role '{settings.Username}' may not migrate the database '{settings.Database}' ({error.MessageText}). Run " +
                $"the program with migrate --grant {settings.Username} as the owner of the tables, and set " +
                "ORDERWRIGHT_MIGRATE=false for the service.", error);
        }
    }

    /// <summary>
    /// Throws <see cref="DatabaseUnavailableException"/> while a migration is pending. Changes nothing, so the role needs no
    /// right to create or alter tables.
    /// </summary>
    public static async Task RequireAsync(
        string connectionString, IReadOnlyList<Migration> migrations, CancellationToken cancel)
    {
        var settings = SettingsOf(connectionString);
        await using var connection = await OpenAsync(settings, cancel, mayCreate: false);
        try
        {
            await PostgresErrors.TranslateAsync(RequireAsync(connection, migrations, cancel), Reading);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new DatabaseUnavailableException(
                $"The role '{settings.Username}' has no rights in the database '{settings.Database}' yet " +
                $"({error.MessageText}). Run the program with migrate --grant {settings.Username} as the owner of the tables.",
                error);
        }
    }

    /// <summary>
    /// Script for <c>psql</c> with the pending migrations, in a single transaction; empty if none is pending. A second run
    /// fails, and changes nothing.
    /// </summary>
    /// <inheritdoc cref="ApplyAsync(string, IReadOnlyList{Migration}, string?, CancellationToken)"/>
    public static async Task<string> ScriptAsync(
        string connectionString, IReadOnlyList<Migration> migrations, string? grantTo, CancellationToken cancel)
    {
        var settings = SettingsOf(connectionString);
        IReadOnlyList<Migration> pending;
        try
        {
            await using var connection = await OpenAsync(settings, cancel, mayCreate: false);
            pending = await PostgresErrors.TranslateAsync(
                PendingAsync(connection, migrations, cancel), Reading);
        }
        catch (DatabaseUnavailableException error) when (
            error.InnerException is PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName })
        {
            pending = MigrationHistory.Pending(migrations, []);
        }
        if (pending.Count == 0 && grantTo is null) return "";
        var script = new StringBuilder(
            $"""
            -- Migrations of the database {settings.Database}. Run as the owner of its tables:
            --   psql -v ON_ERROR_STOP=1 -d {settings.Database} -f FILE
            BEGIN;
            SELECT pg_advisory_xact_lock({LockKey});
            {History};

            """);
        foreach (var migration in pending)
            script.Append(
                CultureInfo.InvariantCulture,
                $"""

                -- {migration.Number:000}_{migration.Name} of {migration.Module}
                {migration.Sql.Trim()}
                INSERT INTO schema_migrations (module, number, name, checksum)
                VALUES ('{migration.Module}', {migration.Number}, '{migration.Name}', '{MigrationHistory.Checksum(migration)}');

                """);
        script.Append('\n').Append(SampleLess).Append(";\n");
        if (grantTo is not null) script.Append('\n').Append(Grants(grantTo)).Append(";\n");
        return script.Append("COMMIT;\n").ToString();
    }

    static async Task<IReadOnlyList<Migration>> ApplyAsync(
        NpgsqlConnection connection, IReadOnlyList<Migration> migrations, string? grantTo, CancellationToken cancel)
    {
        await RefuseUnfitServerAsync(connection, cancel);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancel);
        await RunAsync(connection, $"SELECT pg_advisory_xact_lock({LockKey})", cancel);
        await RunAsync(connection, History, cancel);
        var pending = MigrationHistory.Pending(migrations, await HistoryAsync(connection, cancel));
        foreach (var migration in pending)
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
        if (grantTo is not null) await RunAsync(connection, Grants(grantTo), cancel);
        await transaction.CommitAsync(cancel);
        return pending;
    }

    static async Task RequireAsync(
        NpgsqlConnection connection, IReadOnlyList<Migration> migrations, CancellationToken cancel)
    {
        await RefuseUnfitServerAsync(connection, cancel);
        var pending = await PendingAsync(connection, migrations, cancel);
        if (pending.Count > 0)
            throw new DatabaseUnavailableException(
                $"The database '{connection.Database}' lacks {pending.Count} migrations, from {pending[0].Number:000}_" +
                $"{pending[0].Name} of {pending[0].Module} on, and ORDERWRIGHT_MIGRATE is false. Run the program with migrate.");
    }

    static async Task<IReadOnlyList<Migration>> PendingAsync(
        NpgsqlConnection connection, IReadOnlyList<Migration> migrations, CancellationToken cancel)
    {
        await using var look = new NpgsqlCommand("SELECT to_regclass('schema_migrations') IS NOT NULL", connection);
        var hasHistory = (bool)(await look.ExecuteScalarAsync(cancel))!;
        return MigrationHistory.Pending(migrations, hasHistory ? await HistoryAsync(connection, cancel) : []);
    }

    // A connection without time limits: another instance may take long, and so may an index on a big table.
    static NpgsqlConnectionStringBuilder SettingsOf(string connectionString) => new(connectionString)
    {
        Pooling = false, CommandTimeout = 0, ApplicationName = "orderwright migrations",
    };

    // Rights on rows, for a service that does not own its tables. The journal of money is append-only.
    static string Grants(string role)
    {
        var literal = role.Replace("'", "''", StringComparison.Ordinal);
        return $"""
            DO $$
            DECLARE its record; service text := '{literal}';
            BEGIN
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), service);
                FOR its IN
                    SELECT c.oid::regclass AS name, c.relkind, c.relname
                    FROM pg_class c
                    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'S')
                        AND c.relowner = current_user::regrole
                LOOP
                    EXECUTE format(
                        CASE WHEN its.relkind = 'S' THEN 'GRANT USAGE, SELECT ON SEQUENCE %s TO %I'
                            WHEN its.relname = 'schema_migrations' THEN 'GRANT SELECT ON %s TO %I'
                            WHEN its.relname = 'journal' THEN 'GRANT SELECT, INSERT ON %s TO %I'
                            ELSE 'GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I' END,
                        its.name, service);
                END LOOP;
            END $$
            """;
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
                $"PostgreSQL at {PostgresAddress.Server(settings)} refuses the role '{settings.Username}': "  +
                $"{error.MessageText}. Check the role's name and password, and pg_hba.conf.", error);
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException)
        {
            throw PostgresErrors.Unavailable($"PostgreSQL at {PostgresAddress.Server(settings)} cannot be reached", error);
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
                $"The database '{name}' does not exist at {PostgresAddress.Server(settings)}, and the role " +
                $"'{settings.Username}' may not create it ({error.MessageText}). As an administrator: CREATE DATABASE {quoted} " +
                $"OWNER \"{settings.Username}\" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", error);
        }
        catch (NpgsqlException error)
        {
            throw PostgresErrors.Unavailable($"PostgreSQL at {PostgresAddress.Server(settings)} cannot be reached", error);
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
