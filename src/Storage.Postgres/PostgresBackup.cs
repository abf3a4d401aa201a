using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>Backs up and restores a database with <c>pg_dump</c> and <c>pg_restore</c>.</summary>
/// <param name="binaries">Directory of the programs; null searches the path.</param>
public sealed class PostgresBackup(string? binaries)
{
    static readonly TimeSpan SessionsEnd = TimeSpan.FromSeconds(5);

    /// <summary>Writes the database, as of one moment, to <paramref name="target"/> in the custom format.</summary>
    public async Task DumpAsync(string address, string target, CancellationToken cancel)
    {
        var settings = PostgresAddress.Parse(address);
        var part = $"{target}.part";
        await RunAsync("pg_dump", settings, ["--format=custom", $"--file={part}", settings.Database!], cancel);
        File.Move(part, target, overwrite: true);
    }

    /// <summary>
    /// Restores a dump into a new database, which is dropped again: proves that the dump is complete. Needs the right to create
    /// databases.
    /// </summary>
    public async Task VerifyAsync(string address, string dump, CancellationToken cancel)
    {
        var settings = PostgresAddress.Parse(address);
        var name = $"orderwright_verify_{Environment.ProcessId}";
        await ExecuteAsync(settings, settings.Database!, $"CREATE DATABASE {name}", cancel);
        try
        {
            await RestoreIntoAsync(settings, name, dump, cancel);
        }
        finally
        {
            await ExecuteAsync(settings, settings.Database!, $"DROP DATABASE {name}", CancellationToken.None);
        }
    }

    /// <summary>
    /// Replaces the contents of the database by a dump, and closes the fence, in one transaction. The service must be stopped:
    /// open sessions refuse the restore.
    /// </summary>
    public async Task RestoreAsync(string address, string dump, string reason, CancellationToken cancel)
    {
        var settings = PostgresAddress.Parse(address);
        await using (var connection = await OpenAsync(settings, settings.Database!, cancel))
        {
            await UntilUnusedAsync(connection, settings.Database!, cancel);
            await using var empty = new NpgsqlCommand("DROP SCHEMA public CASCADE; CREATE SCHEMA public;", connection);
            await empty.ExecuteNonQueryAsync(cancel);
        }
        await RestoreIntoAsync(settings, settings.Database!, dump, cancel);
        try
        {
            await using var connection = await OpenAsync(settings, settings.Database!, cancel);
            await using var fence = new NpgsqlCommand(
                "INSERT INTO fence (id, closed_at, reason) VALUES (1, now(), @reason) "
                + "ON CONFLICT (id) DO UPDATE SET reason = @reason, resumed = false",
                connection);
            fence.Parameters.AddWithValue("reason", reason);
            await fence.ExecuteNonQueryAsync(cancel);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            throw new DatabaseUnfitException(
                "The backup comes from a release without heal. Restore all four databases instead.", error);
        }
    }

    // The server ends the sessions of a killed service when it notices. A vacuum by the server itself is no use.
    static async Task UntilUnusedAsync(NpgsqlConnection connection, string database, CancellationToken cancel)
    {
        var since = TimeProvider.System.GetTimestamp();
        await using var count = new NpgsqlCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            + "AND backend_type = 'client backend'",
            connection);
        while ((long)(await count.ExecuteScalarAsync(cancel))! > 0)
        {
            if (TimeProvider.System.GetElapsedTime(since) > SessionsEnd)
                throw new DatabaseUnfitException(
                    $"The database {database} is in use. Stop every instance of its service first.");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancel);
        }
    }

    Task RestoreIntoAsync(
        NpgsqlConnectionStringBuilder settings, string database, string dump, CancellationToken cancel) => RunAsync(
        "pg_restore", settings,
        ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", $"--dbname={database}", dump], cancel);

    static async Task ExecuteAsync(
        NpgsqlConnectionStringBuilder settings, string database, string sql, CancellationToken cancel)
    {
        await using var connection = await OpenAsync(settings, database, cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    static async Task<NpgsqlConnection> OpenAsync(
        NpgsqlConnectionStringBuilder settings, string database, CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Database = database, Pooling = false }
                .ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch (NpgsqlException error)
        {
            await connection.DisposeAsync();
            throw new DatabaseUnavailableException(error.Message, error);
        }
    }

    // The password travels in the environment, which other users of the machine cannot read.
    async Task RunAsync(
        string program, NpgsqlConnectionStringBuilder settings, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(binaries is null ? program : Path.Combine(binaries, program))
        {
            RedirectStandardError = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["PGHOST"] = settings.Host;
        start.Environment["PGPORT"] = settings.Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["PGUSER"] = settings.Username;
        start.Environment["PGPASSWORD"] = settings.Password;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new DatabaseUnfitException($"{program} is not installed here: {error.Message}", error);
        }
        using (process)
        {
            var errors = await process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            if (process.ExitCode != 0)
                throw new DatabaseUnfitException($"{program} failed with exit code {process.ExitCode}: {errors.Trim()}");
        }
    }
}
