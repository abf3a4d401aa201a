using Orderwright.Runtime.Database;
using SQLitePCL;

namespace Orderwright.Storage.Sqlite;

/// <summary>Current row of a statement. A single object serves all rows: the caller's map copies the values.</summary>
sealed class SqliteRow(sqlite3_stmt statement, Dictionary<string, int> columns) : IRow
{
    public int Ordinal(string column) => columns.TryGetValue(column, out var ordinal)
        ? ordinal
        : throw new InvalidOperationException($"The result has no column '{column}'.");

    public Guid Uuid(int column) => new(Blob(column), bigEndian: true);
    public Guid? UuidOrNull(int column) => IsNull(column) ? null : Uuid(column);
    public string Text(int column) => TextOrNull(column) ?? throw Null(column);
    public string? TextOrNull(int column) => IsNull(column) ? null : raw.sqlite3_column_text(statement, column).utf8_to_string();
    public long BigInt(int column) => BigIntOrNull(column) ?? throw Null(column);
    public long? BigIntOrNull(int column) => IsNull(column) ? null : raw.sqlite3_column_int64(statement, column);
    public int Int(int column) => checked((int)BigInt(column));
    public bool Bool(int column) => BigInt(column) != 0;
    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(BigInt(column));
    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);
    public byte[] Bytes(int column) => Blob(column).ToArray();
    public byte[]? BytesOrNull(int column) => IsNull(column) ? null : Bytes(column);

    ReadOnlySpan<byte> Blob(int column) =>
        IsNull(column) ? throw Null(column) : raw.sqlite3_column_blob(statement, column);

    bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    static InvalidOperationException Null(int column) => new($"Column {column} is null.");
}
