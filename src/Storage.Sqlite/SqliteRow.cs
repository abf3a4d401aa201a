using Orderwright.Runtime.Database;
using SQLitePCL;

namespace Orderwright.Storage.Sqlite;

/// <summary>Current row of a statement. A single object serves all rows: the caller's map copies the values.</summary>
sealed class SqliteRow(sqlite3_stmt statement, Dictionary<string, int> columns) : IRow
{
    public Guid Uuid(string column) => UuidOrNull(column) ?? throw Null(column);
    public string Text(string column) => TextOrNull(column) ?? throw Null(column);
    public long BigInt(string column) => BigIntOrNull(column) ?? throw Null(column);
    public int Int(string column) => checked((int)BigInt(column));
    public bool Bool(string column) => BigInt(column) != 0;
    public DateTimeOffset Time(string column) => DateTimeOffset.FromUnixTimeMilliseconds(BigInt(column));
    public byte[] Bytes(string column) => BytesOrNull(column) ?? throw Null(column);

    public Guid? UuidOrNull(string column) =>
        NotNull(column) is { } at ? new Guid(raw.sqlite3_column_blob(statement, at), bigEndian: true) : null;

    public string? TextOrNull(string column) =>
        NotNull(column) is { } at ? raw.sqlite3_column_text(statement, at).utf8_to_string() : null;

    public long? BigIntOrNull(string column) => NotNull(column) is { } at ? raw.sqlite3_column_int64(statement, at) : null;

    public DateTimeOffset? TimeOrNull(string column) =>
        BigIntOrNull(column) is { } milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;

    public byte[]? BytesOrNull(string column) =>
        NotNull(column) is { } at ? raw.sqlite3_column_blob(statement, at).ToArray() : null;

    int? NotNull(string column)
    {
        if (!columns.TryGetValue(column, out var at))
            throw new InvalidOperationException($"The result has no column '{column}'.");
        return raw.sqlite3_column_type(statement, at) == raw.SQLITE_NULL ? null : at;
    }

    static InvalidOperationException Null(string column) => new($"Column '{column}' is null.");
}
