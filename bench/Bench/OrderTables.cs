using Npgsql;
using Orderwright.Contracts;

namespace Orderwright.Bench;

/// <param name="Type">PostgreSQL's short name, such as <c>int8</c>.</param>
/// <param name="Numbered">The database numbers it by itself.</param>
sealed record Column(string Name, string Type, bool Numbered)
{
    public string Quoted => $"\"{Name}\"";
}

/// <summary>A table in which every finished order leaves rows.</summary>
/// <param name="Service">Whose database.</param>
/// <param name="Name">The table's.</param>
/// <param name="Key">The column with the order's id; null in rows of no order.</param>
/// <param name="Columns">All.</param>
sealed record OrderTable(string Service, string Name, Column Key, IReadOnlyList<Column> Columns)
{
    public IReadOnlyList<Column> Written { get; } = [.. Columns.Where(column => !column.Numbered)];

    /// <summary>The order in which the rows came.</summary>
    public string Order { get; } = (Columns.FirstOrDefault(column => column.Numbered) ?? Key).Quoted;
}

/// <summary>
/// The tables that grow with orders, found by looking which did: so that fill and floor write what the product writes,
/// whatever its tables become.
/// </summary>
static class OrderTables
{
    /// <param name="house">Distributed, with a filled shop.</param>
    /// <param name="place">Places orders, until they are at their end.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<IReadOnlyList<OrderTable>> FindAsync(House house, Func<Task> place, CancellationToken cancel)
    {
        var before = await CountAsync(house, cancel);
        await place();
        var after = await CountAsync(house, cancel);
        var tables = new List<OrderTable>();
        foreach (var (service, table) in after.Keys.Where(key => after[key] > before.GetValueOrDefault(key)).Order())
        {
            await using var connection = await OpenAsync(house, service, cancel);
            var columns = await ColumnsAsync(connection, table, cancel);
            var key = columns.FirstOrDefault(column => column is { Name: "order_id", Type: "uuid" })
                ?? columns.FirstOrDefault(column => column is { Name: "id", Type: "uuid" })
                ?? throw new InvalidOperationException($"{service}'s table {table} grows with orders and has no order id.");
            tables.Add(new OrderTable(service, table, key, columns));
        }
        return tables;
    }

    /// <summary>As the server's owner, who may do all.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(
        House house, string service, CancellationToken cancel, string prefix = House.DatabasePrefix)
    {
        var connection = new NpgsqlConnection(
            house.Postgres!.ConnectionString(House.DatabaseOf(service, prefix)) + ";Pooling=false;Command Timeout=0");
        await connection.OpenAsync(cancel);
        return connection;
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    static async Task<Dictionary<(string Service, string Table), long>> CountAsync(House house, CancellationToken cancel)
    {
        var counts = new Dictionary<(string, string), long>();
        foreach (var service in ServiceNames.All)
        {
            await using var connection = await OpenAsync(house, service, cancel);
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
