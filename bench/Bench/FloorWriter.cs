using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Orderwright.Contracts;

namespace Orderwright.Bench;

/// <summary>
/// Writes the rows of a stack's finished orders into copies of its databases: prepared statements with arrays, all tables
/// of a database in one round trip and one transaction. The arrays are built before the clock starts.
/// </summary>
sealed class FloorWriter : IAsyncDisposable
{
    /// <summary>A database and its batches, each with an array per column of each table.</summary>
    sealed record Writer(NpgsqlConnection Connection, NpgsqlBatch Statements, List<List<Array>> Batches);

    static readonly Dictionary<string, (NpgsqlDbType Type, Func<NpgsqlDataReader, int, Array> Read)> Types = new()
    {
        ["uuid"] = (NpgsqlDbType.Uuid, (row, i) => row.GetFieldValue<Guid?[]>(i)),
        ["text"] = (NpgsqlDbType.Text, (row, i) => row.GetFieldValue<string?[]>(i)),
        ["json"] = (NpgsqlDbType.Text, (row, i) => row.GetFieldValue<string?[]>(i)),
        ["jsonb"] = (NpgsqlDbType.Text, (row, i) => row.GetFieldValue<string?[]>(i)),
        ["bytea"] = (NpgsqlDbType.Bytea, (row, i) => row.GetFieldValue<byte[]?[]>(i)),
        ["bool"] = (NpgsqlDbType.Boolean, (row, i) => row.GetFieldValue<bool?[]>(i)),
        ["int2"] = (NpgsqlDbType.Smallint, (row, i) => row.GetFieldValue<short?[]>(i)),
        ["int4"] = (NpgsqlDbType.Integer, (row, i) => row.GetFieldValue<int?[]>(i)),
        ["int8"] = (NpgsqlDbType.Bigint, (row, i) => row.GetFieldValue<long?[]>(i)),
        ["timestamptz"] = (NpgsqlDbType.TimestampTz, (row, i) => row.GetFieldValue<DateTime?[]>(i)),
    };

    readonly IReadOnlyList<OrderTable> tables;
    readonly List<Writer> writers = [];

    FloorWriter(IReadOnlyList<OrderTable> tables) => this.tables = tables;

    public int Orders { get; private set; }

    /// <summary>Copies the databases of a stack whose services are stopped, and reads the rows.</summary>
    /// <param name="stack">A stack with only finished orders.</param>
    /// <param name="tables">The tables to write.</param>
    /// <param name="prefix">Prefix of the copies' names.</param>
    /// <param name="batch">Orders per transaction.</param>
    /// <param name="cancel">Ends the work.</param>
    public static async Task<FloorWriter> OpenAsync(
        Stack stack, IReadOnlyList<OrderTable> tables, string prefix, int batch, CancellationToken cancel)
    {
        var floor = new FloorWriter(tables);
        var firsts = await FirstsAsync(floor, stack, batch, cancel);
        foreach (var service in ServiceNames.All)
        {
            await stack.CopyDatabaseAsync(service, prefix, cancel);
            var connection = await OrderTables.OpenAsync(stack, service, cancel, prefix);
            var own = tables.Where(table => table.Service == service).ToList();
            var batches = await ReadAsync(connection, own, firsts, cancel);
            floor.writers.Add(new Writer(connection, await PrepareAsync(connection, own, cancel), batches));
        }
        return floor;
    }

    /// <summary>
    /// Deletes the orders' rows and keeps all others. Only the server's owner may delete from an append-only table.
    /// </summary>
    public async Task EmptyAsync(CancellationToken cancel)
    {
        foreach (var (writer, service) in writers.Zip(ServiceNames.All))
            foreach (var table in tables.Where(table => table.Service == service))
                await OrderTables.ExecuteAsync(
                    writer.Connection,
                    $"""
                    CREATE TEMP TABLE kept AS SELECT * FROM "{table.Name}" WHERE {table.Key.Quoted} IS NULL;
                    ALTER TABLE "{table.Name}" DISABLE TRIGGER USER;
                    TRUNCATE "{table.Name}";
                    ALTER TABLE "{table.Name}" ENABLE TRIGGER USER;
                    INSERT INTO "{table.Name}" OVERRIDING SYSTEM VALUE SELECT * FROM kept;
                    DROP TABLE kept
                    """, cancel);
    }

    /// <summary>Writes every batch and returns the elapsed seconds.</summary>
    /// <param name="atOnce">True runs the four transactions of a batch concurrently.</param>
    /// <param name="cancel">Ends the work.</param>
    public async Task<double> WriteAsync(bool atOnce, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        for (var batch = 0; batch < writers[0].Batches.Count; batch++)
            if (atOnce)
                await Task.WhenAll(writers.Select(writer => WriteAsync(writer, batch, cancel)));
            else
                foreach (var writer in writers)
                    await WriteAsync(writer, batch, cancel);
        return watch.Elapsed.TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in writers)
        {
            await writer.Statements.DisposeAsync();
            await writer.Connection.DisposeAsync();
        }
    }

    static Task WriteAsync(Writer writer, int batch, CancellationToken cancel)
    {
        var column = 0;
        foreach (var statement in writer.Statements.BatchCommands)
            foreach (NpgsqlParameter parameter in statement.Parameters)
                parameter.Value = writer.Batches[batch][column++];
        // Without an explicit transaction a batch is a transaction of its own.
        return writer.Statements.ExecuteNonQueryAsync(cancel);
    }

    static async Task<NpgsqlBatch> PrepareAsync(
        NpgsqlConnection connection, IReadOnlyList<OrderTable> tables, CancellationToken cancel)
    {
        var batch = new NpgsqlBatch(connection);
        foreach (var table in tables)
        {
            var columns = string.Join(", ", table.Written.Select(column => column.Quoted));
            var values = string.Join(", ", table.Written.Select(column => $"{column.Quoted}::{column.Type}"));
            var arrays = string.Join(", ", table.Written.Select((_, i) => $"${i + 1}"));
            var insert = new NpgsqlBatchCommand(
                $"""INSERT INTO "{table.Name}" ({columns}) SELECT {values} FROM unnest({arrays}) AS batch ({columns})""");
            foreach (var column in table.Written)
                insert.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | TypeOf(column).Type });
            batch.BatchCommands.Add(insert);
        }
        await batch.PrepareAsync(cancel);
        return batch;
    }

    // The first order of each batch. All tables share these bounds, although a rejected order lacks rows in some tables.
    static async Task<Guid[]> FirstsAsync(FloorWriter floor, Stack stack, int batch, CancellationToken cancel)
    {
        await using var connection = await OrderTables.OpenAsync(stack, ServiceNames.Order, cancel);
        await using var command = new NpgsqlCommand("SELECT array_agg(id ORDER BY id) FROM orders", connection);
        var ids = (Guid[])(await command.ExecuteScalarAsync(cancel))!;
        floor.Orders = ids.Length;
        return [.. ids.Chunk(batch).Select(chunk => chunk[0])];
    }

    static async Task<List<List<Array>>> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<OrderTable> tables, Guid[] firsts, CancellationToken cancel)
    {
        var batches = firsts.Select(_ => new List<Array>()).ToList();
        foreach (var table in tables)
        {
            var arrays = string.Join(", ", table.Written.Select(column =>
            {
                var value = TypeOf(column).Type == NpgsqlDbType.Text ? $"t.{column.Quoted}::text" : $"t.{column.Quoted}";
                var some = $"FILTER (WHERE t.{table.Key.Quoted} IS NOT NULL)";
                return $"coalesce(array_agg({value} ORDER BY t.{table.Order}) {some}, '{{}}')";
            }));
            await using var command = new NpgsqlCommand(
                $"""
                SELECT {arrays}
                FROM generate_series(1, cardinality($1)) batch
                LEFT JOIN "{table.Name}" t ON width_bucket(t.{table.Key.Quoted}, $1) = batch
                GROUP BY batch ORDER BY batch
                """, connection)
            {
                Parameters = { new NpgsqlParameter { Value = firsts } },
            };
            await using var rows = await command.ExecuteReaderAsync(cancel);
            for (var number = 0; await rows.ReadAsync(cancel); number++)
                batches[number].AddRange(table.Written.Select((column, i) => TypeOf(column).Read(rows, i)));
        }
        return batches;
    }

    static (NpgsqlDbType Type, Func<NpgsqlDataReader, int, Array> Read) TypeOf(Column column) =>
        Types.TryGetValue(column.Type, out var type)
            ? type
            : throw new InvalidOperationException($"The floor does not know the type {column.Type} of {column.Name}.");
}
