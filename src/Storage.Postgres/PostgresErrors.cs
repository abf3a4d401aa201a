using Npgsql;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Classifies PostgreSQL errors for a batch: transient and retryable, a violated constraint, or a bug (rethrown unchanged).
/// </summary>
static class PostgresErrors
{
    public static async ValueTask<T> TranslateAsync<T>(Task<T> task, string what)
    {
        try
        {
            return await task;
        }
        catch (NpgsqlException error)
        {
            if (Translate(error, what) is { } ours) throw ours;
            throw;
        }
    }

    public static async ValueTask TranslateAsync(Task task, string what)
    {
        try
        {
            await task;
        }
        catch (NpgsqlException error)
        {
            if (Translate(error, what) is { } ours) throw ours;
            throw;
        }
    }

    public static DatabaseUnavailableException Unavailable(string what, Exception error) =>
        new($"{what}: {error.Message}{(error.InnerException is { } cause ? $" ({cause.Message})" : "")}", error);

    static Exception? Translate(NpgsqlException error, string what) => error switch
    {
        PostgresException known when known.SqlState.StartsWith("23", StringComparison.Ordinal) =>
            new ConstraintViolatedException(
                known.ConstraintName ?? $"{known.TableName}.{known.ColumnName}", $"{what}: {known.MessageText}", known),
        PostgresException known when !IsTransient(known.SqlState) => null,
        _ => Unavailable(what, error),
    };

    // Class 08: connection. 53: no memory, disk or connections left. 57: intervention of an operator, or a time limit. 58:
    // input/output error. 40: deadlock or serialization failure. 25P03: idle in transaction for too long. 25006: the server
    // became a standby. 55P03: lock not available.
    static bool IsTransient(string state) =>
        state[..2] is "08" or "40" or "53" or "57" or "58" || state is "25P03" or "25P04" or "25006" or "55P03";
}
