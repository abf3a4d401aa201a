using Microsoft.Data.Sqlite;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Sqlite;

/// <summary>Copies a database file, also while a service uses it (SQLite's online backup).</summary>
public static class SqliteBackup
{
    /// <summary>
    /// Copies <paramref name="file"/> into the new file <paramref name="target"/>, as of one moment, and checks the copy page by
    /// page. Throws <see cref="DatabaseUnfitException"/> for a missing, unreadable or damaged database.
    /// </summary>
    public static void Copy(string file, string target)
    {
        if (!File.Exists(file)) throw new DatabaseUnfitException($"The SQLite file '{file}' does not exist.");
        var part = $"{target}.part";
        File.Delete(part);
        try
        {
            using (var source = Open(file, SqliteOpenMode.ReadOnly))
            using (var copy = Open(part, SqliteOpenMode.ReadWriteCreate))
            {
                source.BackupDatabase(copy);
                // A single file, without a log beside it.
                Read(copy, "PRAGMA journal_mode = DELETE");
                if (Read(copy, "PRAGMA integrity_check") is not "ok" and var fault)
                    throw new DatabaseUnfitException($"The copy of '{file}' is damaged: {fault}");
            }
            using (var written = new FileStream(part, FileMode.Open, FileAccess.ReadWrite)) written.Flush(flushToDisk: true);
            File.Move(part, target, overwrite: true);
        }
        catch (SqliteException error)
        {
            throw new DatabaseUnfitException($"The SQLite file '{file}' cannot be copied: {error.Message}", error);
        }
    }

    /// <summary>
    /// Replaces a service's file by a backup, whose fence is closed first. The service must be stopped.
    /// </summary>
    public static void Restore(string backup, string file, string reason)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var part = $"{file}.restored";
        Copy(backup, part);
        using (var copy = Open(part, SqliteOpenMode.ReadWrite)) CloseFence(copy, reason);
        foreach (var log in (string[])[$"{file}-wal", $"{file}-shm", $"{file}-journal"]) File.Delete(log);
        File.Move(part, file, overwrite: true);
    }

    // A backup of 0.1.0 has no fence yet: its service has to be upgraded by a start before the backup can be healed.
    static void CloseFence(SqliteConnection copy, string reason)
    {
        if (Read(copy, "SELECT name FROM sqlite_schema WHERE name = 'fence'") is null)
            throw new DatabaseUnfitException("The backup comes from a release without heal. Restore all four databases instead.");
        using var command = copy.CreateCommand();
        command.CommandText =
            "INSERT INTO fence (id, closed_at, reason) VALUES (1, @now, @reason) "
            + "ON CONFLICT (id) DO UPDATE SET reason = @reason, resumed = 0";
        command.Parameters.AddWithValue("@now", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        command.Parameters.AddWithValue("@reason", reason);
        command.ExecuteNonQuery();
    }

    static SqliteConnection Open(string file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file, Mode = mode, Pooling = false,
        }.ToString());
        connection.Open();
        return connection;
    }

    static string? Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as string;
    }
}
