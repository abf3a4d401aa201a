using Npgsql;
using Orderwright.Contracts;

namespace Orderwright.Bench;

/// <param name="Type">PostgreSQL's short type name, such as <c>int8</c>.</param>
/// <param name="Numbered">True when the database generates the value.</param>
sealed record Column(string Name, string Type, bool Numbered)
{
    public string Quoted => $"\"{Name}\"";
}

/// <summary>A table in which every finished order leaves rows.</summary>
/// <param name="Service">Service that owns the database.</param>
/// <param name="Name">Name of the table.</param>
/// <param name="Key">Column with the order's id; null in rows of no order.</param>
/// <param name="Columns">All columns.</param>
sealed record OrderTable(string Service, string Name, Column Key, IReadOnlyList<Column> Columns)
{
    public IReadOnlyList<Column> Written { get; } = [.. Columns.Where(column => !column.Numbered)];

    /// <summary>Column that gives the insertion order.</summary>
    public string Order { get; } = (Columns.FirstOrDefault(column => column.Numbered) ?? Key).Quoted;
}

/// <summary>
/// The tables that grow with orders, found by observing growth, so that fill and floor write the rows of the product
/// whatever its tables become.
/// </summary>
static class OrderTables
{
    // Has a row per neighbour, and gets it in the first seconds of a service.
    const string Marks = "marks";

    /// <param name="stack">A distributed stack with a filled shop.</param>
    /// <param name="place">Places orders and waits for their end.</param>
    /// <param name="cancel">Ends the work.</param>
    public static async Task<IReadOnlyList<OrderTable>> FindAsync(Stack stack, Func<Task> place, CancellationToken cancel)
    {
        var before = await CountAsync(stack, cancel);
        await place();
        await stack.SettleAsync(cancel);
        var after = await CountAsync(stack, cancel);
        var tables = new List<OrderTable>();
        foreach (var (service, table) in after.Keys
            .Where(key => after[key] > before.GetValueOrDefault(key) && key.Table != Marks).Order())
        {
            await using var connection = await OpenAsync(stack, service, cancel);
            var columns = await ColumnsAsync(connection, table, cancel);
            var key = columns.FirstOrDefault(column => column is { Name: "order_id", Type: "uuid" })
                ?? columns.FirstOrDefault(column => column is { Name: "id", Type: "uuid" })
                ?? throw new InvalidOperationException($"{service}'s table {table} grows with orders and has no order id.");
            tables.Add(new OrderTable(service, table, key, columns));
        }
        return tables;
    }

    /// <summary>Connects as the server's owner, without restrictions.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(
        Stack stack, string service, CancellationToken cancel, string prefix = Stack.DatabasePrefix)
    {
        var connection = new NpgsqlConnection(
            stack.Postgres!.ConnectionString(Stack.DatabaseOf(service, prefix)) + ";Pooling=false;Command Timeout=0");
        await connection.OpenAsync(cancel);
        return connection;
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    static async Task<Dictionary<(string Service, string Table), long>> CountAsync(Stack stack, CancellationToken cancel)
    {
        var counts = new Dictionary<(string, string), long>();
        foreach (var service in ServiceNames.All)
        {
            await using var connection = await OpenAsync(stack, service, cancel);
            var tables = await ReadAsync(
                connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", row => row.GetString(0), cancel);
            foreach (var table in tables)
                counts[(service, table)] =
                    (await ReadAsync(connection, $"SELECT count(*) FROM \"{table}\"", row => row.GetInt64(0), cancel))[0];
        }
        return counts;
    }

    static Task<List<Column>> ColumnsAsync(NpgsqlConnection connection, string table, CancellationToken cancel) => ReadAsync(
        connection,
        $"""
        SELECT column_name, udt_name, is_identity = 'YES' FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position
        """,
        row => new Column(row.GetString(0), row.GetString(1), row.GetBoolean(2)), cancel);

    static async Task<List<T>> ReadAsync<T>(
        NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<T>();
        while (await rows.ReadAsync(cancel)) found.Add(read(rows));
        return found;
    }
}
