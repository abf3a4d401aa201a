using System.Diagnostics;
using Npgsql;
using Orderwright.Contracts;

namespace Orderwright.Bench;

/// <summary>
/// Fills a stack with finished orders: processed orders are copied row by row into the past, with ids and times shifted by
/// the age of the copy. Balances and levels are then set to the sums of the copies.
/// </summary>
static class FinishedOrders
{
    const int Real = 10_000;

    public static async Task FillAsync(Session session, Stack stack, int orders, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        var real = Math.Min(Real, orders / 2);
        var copies = orders / real - 1;
        var tables = await OrderTables.FindAsync(stack, () => session.PlaceAsync(stack, real, cancel), cancel);
        session.Say($"  an order leaves rows in {string.Join(", ", tables.Select(table => table.Name))}");
        var span = (long)watch.Elapsed.TotalMilliseconds + 1;
        await Task.WhenAll(ServiceNames.All.Select(async service =>
        {
            await using var connection = await OrderTables.OpenAsync(stack, service, cancel);
            foreach (var table in tables.Where(table => table.Service == service))
                await CopyAsync(connection, table, copies, span, cancel);
            if (Sums.TryGetValue(service, out var sums)) await OrderTables.ExecuteAsync(connection, sums, cancel);
            await OrderTables.ExecuteAsync(connection, "VACUUM (ANALYZE)", cancel);
        }));
        await using (var connection = await OrderTables.OpenAsync(stack, ServiceNames.Order, cancel))
            await OrderTables.ExecuteAsync(connection, "CHECKPOINT", cancel);
        stack.Acknowledged += (long)real * copies;
        session.Say($"  {stack.Acknowledged:N0} finished orders after {watch.Elapsed.TotalSeconds:F0} s");
    }

    static readonly Dictionary<string, string> Sums = new()
    {
        [ServiceNames.Customer] =
            """
            UPDATE balances b SET amount = c.credited - coalesce(p.paid, 0)
            FROM (SELECT customer_id, currency, sum(amount) AS credited FROM credits GROUP BY 1, 2) c
            LEFT JOIN (
                SELECT customer_id, currency, sum(captured - refunded) AS paid FROM payments
                WHERE provider = 'balance' GROUP BY 1, 2) p USING (customer_id, currency)
            WHERE b.customer_id = c.customer_id AND b.currency = c.currency
            """,
        [ServiceNames.Stock] =
            """
            UPDATE levels l SET allocated = m.allocated
            FROM (SELECT sku, sum(allocated_delta) AS allocated FROM movements GROUP BY 1) m
            WHERE m.sku = l.sku
            """,
    };

    // A statement per copy, oldest first, so that rows and keys arrive in their natural order.
    static async Task CopyAsync(NpgsqlConnection connection, OrderTable table, int copies, long span, CancellationToken cancel)
    {
        var real = $"real_{table.Name}";
        await OrderTables.ExecuteAsync(
            connection,
            $"""CREATE TEMP TABLE {real} AS SELECT * FROM "{table.Name}" WHERE {table.Key.Quoted} IS NOT NULL""", cancel);
        var columns = string.Join(", ", table.Written.Select(column => column.Quoted));
        for (var copy = copies; copy > 0; copy--)
        {
            var shift = copy * span;
            var values = string.Join(", ", table.Written.Select(column => Shifted(column, shift)));
            await OrderTables.ExecuteAsync(
                connection, $"""INSERT INTO "{table.Name}" ({columns}) SELECT {values} FROM {real} ORDER BY {table.Order}""",
                cancel);
        }
        await OrderTables.ExecuteAsync(connection, $"DROP TABLE {real}", cancel);
    }

    // The first 48 bits of a UUIDv7 are its milliseconds.
    static string Shifted(Column column, long milliseconds) => column.Type switch
    {
        "uuid" =>
            $"(lpad(to_hex(('x' || left(replace({column.Quoted}::text, '-', ''), 12))::bit(48)::bigint - {milliseconds}), " +
            $"12, '0') || right(replace({column.Quoted}::text, '-', ''), 20))::uuid",
        "timestamptz" => $"{column.Quoted} - interval '{milliseconds} milliseconds'",
        _ => column.Quoted,
    };
}
