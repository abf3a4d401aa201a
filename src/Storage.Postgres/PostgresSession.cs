using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>Runs named statements on one open connection, in whatever transaction it has.</summary>
sealed class PostgresSession(NpgsqlConnection connection, CancellationToken limit) : ITransaction
{
    public async Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
    {
        using var both = Both(cancel);
        return await PostgresErrors.TranslateAsync(ListAsync(query, args, map, both?.Token ?? limit), query.Name);
    }

    public async IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var both = Both(cancel);
        var token = both?.Token ?? limit;
        await using var command = Command(query, args);
        await using var reader = await PostgresErrors.TranslateAsync(command.ExecuteReaderAsync(token), query.Name);
        var row = new PostgresRow(reader);
        while (await PostgresErrors.TranslateAsync(reader.ReadAsync(token), query.Name)) yield return map(row);
    }

    public async Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default)
    {
        using var both = Both(cancel);
        await using var command = Command(query, args);
        var touched = await PostgresErrors.TranslateAsync(
            command.ExecuteNonQueryAsync(both?.Token ?? limit), query.Name);
        return Math.Max(0, touched);
    }

    async Task<List<T>> ListAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken token)
    {
        await using var command = Command(query, args);
        await using var reader = await command.ExecuteReaderAsync(token);
        var row = new PostgresRow(reader);
        var rows = new List<T>();
        while (await reader.ReadAsync(token)) rows.Add(map(row));
        return rows;
    }

    CancellationTokenSource? Both(CancellationToken cancel) =>
        cancel.CanBeCanceled && cancel != limit
            ? CancellationTokenSource.CreateLinkedTokenSource(cancel, limit)
            : null;

    // Npgsql sends only those that the text names.
    NpgsqlCommand Command(SqlQuery query, SqlArgs args)
    {
        var command = new NpgsqlCommand(query.Text, connection);
        foreach (var scalar in args.Scalars)
            command.Parameters.Add(
                new NpgsqlParameter(scalar.Name, TypeOf(scalar.Type)) { Value = scalar.Value ?? DBNull.Value });
        foreach (var column in args.Columns)
            command.Parameters.Add(
                new NpgsqlParameter(column.Name, NpgsqlDbType.Array | TypeOf(column.Type)) { Value = column.Values });
        return command;
    }

    static NpgsqlDbType TypeOf(SqlType type) => type switch
    {
        SqlType.Uuid => NpgsqlDbType.Uuid,
        SqlType.Text => NpgsqlDbType.Text,
        SqlType.BigInt => NpgsqlDbType.Bigint,
        SqlType.Bool => NpgsqlDbType.Boolean,
        SqlType.Time => NpgsqlDbType.TimestampTz,
        SqlType.Bytes => NpgsqlDbType.Bytea,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that both engines carry."),
    };
}

/// <summary>The reader's current row. One object for all rows: what outlives the row is copied by the caller's map.</summary>
sealed class PostgresRow(NpgsqlDataReader reader) : IRow
{
    public Guid Uuid(int column) => reader.GetGuid(column);
    public Guid? UuidOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetGuid(column);
    public string Text(int column) => reader.GetString(column);
    public string? TextOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    public long BigInt(int column) => reader.GetInt64(column);
    public long? BigIntOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);
    public int Int(int column) => reader.GetInt32(column);
    public bool Bool(int column) => reader.GetBoolean(column);
    public DateTimeOffset Time(int column) => reader.GetFieldValue<DateTimeOffset>(column);
    public DateTimeOffset? TimeOrNull(int column) => reader.IsDBNull(column) ? null : Time(column);
    public byte[] Bytes(int column) => reader.GetFieldValue<byte[]>(column);
    public byte[]? BytesOrNull(int column) => reader.IsDBNull(column) ? null : Bytes(column);
}
