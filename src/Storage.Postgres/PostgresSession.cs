using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Runs named statements on a single connection, opened by the first statement, in the connection's current transaction.
/// Deferred statements are pipelined with the next.
/// </summary>
sealed class PostgresSession(Func<ValueTask<NpgsqlConnection>> open, CancellationToken limit) : ITransaction
{
    static readonly SqlQuery Commit = new("COMMIT", "COMMIT");

    // Only a commit record waits for the standbys, and a transaction that has written nothing has none. An empty message in the
    // log makes a commit record, after every record of the rows read.
    static readonly SqlQuery Barrier = new(
        "barrier", "SELECT pg_logical_emit_message(true, 'orderwright', '') WHERE pg_current_xact_id_if_assigned() IS NULL");

    readonly List<(SqlQuery Query, SqlArgs Args, int? MustTouch)> deferred = [];
    NpgsqlConnection? connection;
    bool needsBarrier;

    public static PostgresSession Over(NpgsqlConnection connection, CancellationToken limit) =>
        new(() => ValueTask.FromResult(connection), limit);

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
        await using var batch = await BatchAsync(query, args);
        await using var reader = await PostgresErrors.TranslateAsync(batch.ExecuteReaderAsync(token), query.Name);
        CheckDeferred(batch);
        var row = new PostgresRow(reader);
        while (await PostgresErrors.TranslateAsync(reader.ReadAsync(token), query.Name)) yield return map(row);
    }

    public async Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default)
    {
        using var both = Both(cancel);
        return await ExecuteAsync(query, args, query.Name, both?.Token ?? limit);
    }

    public async Task<HashSet<Guid>> WriteRowsAsync(
        SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default) =>
        [.. await QueryAsync(query, args, row => row.Uuid(key), cancel)];

    public void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null) => deferred.Add((query, args, mustTouch));

    /// <summary>True if commits wait for a standby.</summary>
    public bool HasStandby { get; init; }

    public void MakeReadsDurable() => needsBarrier = HasStandby;

    /// <summary>
    /// Commits the transaction, if begun. Deferred statements are pipelined with COMMIT, unless their rows are to be counted,
    /// because a wrong count still has to roll back. The wait for the commit has no limit here.
    /// </summary>
    public async Task CommitAsync()
    {
        if (connection is null && deferred.Count == 0) return;
        if (deferred.Exists(one => one.MustTouch is not null))
        {
            var last = deferred[^1];
            deferred.RemoveAt(deferred.Count - 1);
            var touched = await ExecuteAsync(last.Query, last.Args, last.Query.Name, limit);
            if (last.MustTouch is { } rows && touched != rows) throw UnexpectedRows.Of(last.Query, rows, touched);
        }
        var what = string.Concat(deferred.Select(one => $"{one.Query.Name}, ")) + Commit.Name;
        if (needsBarrier) deferred.Add((Barrier, SqlArgs.None, null));
        await ExecuteAsync(Commit, SqlArgs.None, what, CancellationToken.None, hasLimit: false);
    }

    // A limit or a cancellation of Npgsql's sends the server a cancel request, and a server that waits for its standby answers
    // a cancel request with success.
    async Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, string what, CancellationToken token, bool hasLimit = true)
    {
        await using var batch = await BatchAsync(query, args);
        if (!hasLimit) batch.Timeout = 0;
        await PostgresErrors.TranslateAsync(batch.ExecuteNonQueryAsync(token), what);
        CheckDeferred(batch);
        return (int)batch.BatchCommands[^1].Rows;
    }

    async Task<List<T>> ListAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken token)
    {
        await using var batch = await BatchAsync(query, args);
        await using var reader = await batch.ExecuteReaderAsync(token);
        CheckDeferred(batch);
        var row = new PostgresRow(reader);
        var rows = new List<T>();
        while (await reader.ReadAsync(token)) rows.Add(map(row));
        return rows;
    }

    CancellationTokenSource? Both(CancellationToken cancel) =>
        cancel.CanBeCanceled && cancel != limit
            ? CancellationTokenSource.CreateLinkedTokenSource(cancel, limit)
            : null;

    // A single round trip: all deferred statements, then the given one.
    async ValueTask<NpgsqlBatch> BatchAsync(SqlQuery query, SqlArgs args)
    {
        var batch = new NpgsqlBatch(connection ??= await open());
        foreach (var (before, its, _) in deferred) batch.BatchCommands.Add(Command(before, its));
        batch.BatchCommands.Add(Command(query, args));
        return batch;
    }

    void CheckDeferred(NpgsqlBatch batch)
    {
        for (var i = 0; i < deferred.Count; i++)
            if (deferred[i] is { MustTouch: { } rows, Query: var query } && (int)batch.BatchCommands[i].Rows is var touched
                && touched != rows)
                throw UnexpectedRows.Of(query, rows, touched);
        deferred.Clear();
    }

    static NpgsqlBatchCommand Command(SqlQuery query, SqlArgs args)
    {
        var statement = PostgresStatement.Of(query);
        var command = new NpgsqlBatchCommand(statement.Text);
        foreach (var name in statement.ParameterNames)
            command.Parameters.Add(Find(name, args) ?? throw SqlNames.NotGiven(query, name));
        return command;
    }

    static NpgsqlParameter? Find(string name, SqlArgs args)
    {
        if (args.Column(name) is { } column)
            return new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | TypeOf(column.Type), Value = column.Values };
        return args.Scalar(name) is { } scalar
            ? new NpgsqlParameter { NpgsqlDbType = TypeOf(scalar.Type), Value = scalar.Value ?? DBNull.Value }
            : null;
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

/// <summary>Current row of the reader. A single object serves all rows: the caller's map copies the values.</summary>
sealed class PostgresRow(NpgsqlDataReader reader) : IRow
{
    public Guid Uuid(string column) => reader.GetGuid(reader.GetOrdinal(column));
    public string Text(string column) => reader.GetString(reader.GetOrdinal(column));
    public long BigInt(string column) => reader.GetInt64(reader.GetOrdinal(column));
    public int Int(string column) => reader.GetInt32(reader.GetOrdinal(column));
    public bool Bool(string column) => reader.GetBoolean(reader.GetOrdinal(column));
    public DateTimeOffset Time(string column) => reader.GetFieldValue<DateTimeOffset>(reader.GetOrdinal(column));
    public byte[] Bytes(string column) => reader.GetFieldValue<byte[]>(reader.GetOrdinal(column));

    public Guid? UuidOrNull(string column) => NotNull(column) is { } at ? reader.GetGuid(at) : null;
    public string? TextOrNull(string column) => NotNull(column) is { } at ? reader.GetString(at) : null;
    public long? BigIntOrNull(string column) => NotNull(column) is { } at ? reader.GetInt64(at) : null;
    public DateTimeOffset? TimeOrNull(string column) =>
        NotNull(column) is { } at ? reader.GetFieldValue<DateTimeOffset>(at) : null;

    public byte[]? BytesOrNull(string column) => NotNull(column) is { } at ? reader.GetFieldValue<byte[]>(at) : null;

    int? NotNull(string column)
    {
        var at = reader.GetOrdinal(column);
        return reader.IsDBNull(at) ? null : at;
    }
}
