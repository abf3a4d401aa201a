using Microsoft.Data.Sqlite;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Opens connections that lose nothing: settings are read back, and a connection with other values is refused.
/// </summary>
static class SqliteConnections
{
    const int Full = 2;

    // SQLITE_DBCONFIG_ENABLE_QPSG: plans do not depend on bound values.
    const int PlanStability = 1007;

    // SQLite counts allocated bytes under a lock shared by all connections, and the count is never used. If another component
    // has opened a database before, SQLite refuses and keeps counting.
    static SqliteConnections()
    {
        SQLitePCL.Batteries_V2.Init();
        SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    public static SqliteConnection OpenWriter(string file, TimeSpan patience)
    {
        var isFile = file != ":memory:";
        try
        {
            if (isFile) Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            var connection = Open(file, SqliteOpenMode.ReadWriteCreate, patience);
            if (isFile && Read(connection, "PRAGMA journal_mode = WAL") is not "wal")
                throw new DatabaseUnfitException(
                    $"The SQLite file '{file}' cannot use a write-ahead log. Choose a directory on a local disk.");
            // A checkpoint per 16 MB of log; log space beyond 64 MB is released.
            Run(connection, "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;");
            return connection;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException || CannotWrite(error))
        {
            throw new DatabaseUnfitException(
                $"The SQLite file '{file}' cannot be created or written: {error.Message} Choose a directory in which this " +
                "process may write, on a local disk.", error);
        }
        catch (SqliteException error)
        {
            throw new DatabaseUnavailableException($"The SQLite file '{file}' cannot be opened: {error.Message}", error);
        }
    }

    public static SqliteConnection OpenReader(string file, TimeSpan patience)
    {
        if (!File.Exists(file)) throw new DatabaseUnfitException($"The SQLite file '{file}' does not exist.");
        try
        {
            return Open(file, SqliteOpenMode.ReadOnly, patience);
        }
        catch (SqliteException error)
        {
            throw new DatabaseUnavailableException($"The SQLite file '{file}' cannot be read: {error.Message}", error);
        }
    }

    static SqliteConnection Open(string file, SqliteOpenMode mode, TimeSpan patience)
    {
        var settings = new SqliteConnectionStringBuilder
        {
            // SQLite itself waits for another process (busy_timeout), so the driver need not retry.
            DataSource = file, Mode = mode, Pooling = false, DefaultTimeout = 1,
        };
        var connection = new SqliteConnection(settings.ConnectionString);
        try
        {
            connection.Open();
            // Otherwise a statement with a parameter in LIMIT would be recompiled for every value, even an unchanged one.
            SQLitePCL.raw.sqlite3_db_config(connection.Handle, PlanStability, 1, out _);
            // fullfsync: on macOS an ordinary fsync leaves the data in the drive's cache. No effect elsewhere.
            Run(
                connection,
                $"""
                PRAGMA busy_timeout = {(long)patience.TotalMilliseconds};
                PRAGMA synchronous = FULL;
                PRAGMA fullfsync = ON;
                PRAGMA checkpoint_fullfsync = ON;
                PRAGMA foreign_keys = ON;
                PRAGMA cache_size = -16384;
                PRAGMA temp_store = MEMORY;
                """);
            if (Read(connection, "PRAGMA synchronous") is not (long)Full)
                throw new DatabaseUnfitException(
                    $"The SQLite file '{file}' did not accept synchronous = FULL: a power cut would lose confirmed orders.");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    static bool CannotWrite(Exception error) => error is SqliteException
    {
        SqliteErrorCode: SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_READONLY or SQLitePCL.raw.SQLITE_PERM
            or SQLitePCL.raw.SQLITE_NOTADB or SQLitePCL.raw.SQLITE_CORRUPT,
    };

    static void Run(SqliteConnection connection, string sql)
    {
        using var command = new SqliteCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    static object? Read(SqliteConnection connection, string sql)
    {
        using var command = new SqliteCommand(sql, connection);
        return command.ExecuteScalar();
    }
}
