using Microsoft.Data.Sqlite;
using Orderwright.Runtime.Database;
using SQLitePCL;

namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Classifies SQLite errors for a batch: transient and retryable, a violated constraint, or a bug (rethrown unchanged).
/// </summary>
static class SqliteErrors
{
    public static Exception? Translate(SqliteException error, string what) => error.SqliteErrorCode switch
    {
        // A value of the wrong type in a STRICT table is a bug of the statement, not a rule of the domain.
        raw.SQLITE_CONSTRAINT when error.SqliteExtendedErrorCode != ConstraintDatatype =>
            new ConstraintViolatedException(ConstraintOf(error.Message), $"{what}: {error.Message}", error),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL or raw.SQLITE_NOMEM or raw.SQLITE_PROTOCOL or raw.SQLITE_PERM =>
            new DatabaseUnavailableException($"{what}: {error.Message}", error),
        _ when BreaksConnection(error) => new DatabaseUnavailableException($"{what}: {error.Message}", error),
        _ => null,
    };

    /// <summary>
    /// True if the disk failed, the file is damaged or may not be written any more: later commits on the connection could not be
    /// trusted. None of these is the fault of a message, so work waits until a person has intervened.
    /// </summary>
    public static bool BreaksConnection(SqliteException error) =>
        error.SqliteErrorCode is raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB
            or raw.SQLITE_READONLY;

    const int ConstraintDatatype = raw.SQLITE_CONSTRAINT | 12 << 8;

    // "SQLite Error 19: 'UNIQUE constraint failed: orders.channel, orders.reference'."
    static string ConstraintOf(string message)
    {
        const string Mark = "constraint failed: ";
        var at = message.IndexOf(Mark, StringComparison.Ordinal);
        return at < 0 ? message : message[(at + Mark.Length)..].TrimEnd('.', '\'');
    }
}
