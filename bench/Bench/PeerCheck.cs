using System.Globalization;
using Npgsql;
using Orderwright.Contracts;

namespace Orderwright.Bench;

/// <summary>
/// The condition of a peer's result, from its tables: every acknowledged order has ended, the four services agree on which orders
/// are confirmed and for which amounts, and balances and levels are the sums of what changed them.
/// </summary>
static class PeerCheck
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    // Per service: the open rows, the number of rows, the confirmed orders, their amount, a hash of their ids, and the rows
    // that contradict others of the same service.
    static readonly Dictionary<string, string> Queries = new()
    {
        [ServiceNames.Order] = Query("orders", "id", "total", "status = 'pending'", "status = 'confirmed'", "0"),
        [ServiceNames.Coordinator] =
            Query("sagas", "order_id", "total", "state NOT IN ('completed', 'rejected')", "state = 'completed'", "0"),
        [ServiceNames.Customer] = Query(
            "payments", "order_id", "amount", "state NOT IN ('captured', 'declined')", "state = 'captured'",
            """
            (WITH given AS (SELECT customer_id, currency, sum(amount) AS given FROM credits GROUP BY 1, 2),
            paid AS (SELECT customer_id, currency, sum(captured) AS paid FROM payments GROUP BY 1, 2)
            SELECT count(*) FROM balances b
            LEFT JOIN given USING (customer_id, currency) LEFT JOIN paid USING (customer_id, currency)
            WHERE b.amount <> coalesce(given, 0) - coalesce(paid, 0))
            + (SELECT count(*) FROM payments p WHERE captured <>
                (SELECT coalesce(sum(amount), 0) FROM journal j WHERE j.order_id = p.order_id))
            """),
        [ServiceNames.Stock] = Query(
            "reservations", "order_id", "total", "state = 'held'", "state = 'committed'",
            """
            (WITH goods AS (
                SELECT g.sku, sum(g.quantity) FILTER (WHERE state = 'held') AS held,
                    sum(g.quantity) FILTER (WHERE state = 'committed') AS committed
                FROM reservations, unnest(skus, quantities) AS g (sku, quantity) GROUP BY g.sku),
            moved AS (SELECT sku, sum(allocated_delta) AS allocated FROM movements GROUP BY sku)
            SELECT count(*) FROM levels l LEFT JOIN goods g ON g.sku = l.sku LEFT JOIN moved m ON m.sku = l.sku
            WHERE l.reserved <> coalesce(g.held, 0) OR l.allocated <> coalesce(g.committed, 0)
                OR l.allocated <> coalesce(m.allocated, 0))
            """),
    };

    sealed record Sums(long Open, long Rows, long Confirmed, decimal Amount, decimal Ids, long Wrong);

    /// <summary>Waits until every order has ended, and checks; throws on a contradiction.</summary>
    /// <returns>Number of orders.</returns>
    public static async Task<long> RunAsync(Stack stack, CancellationToken cancel)
    {
        if (await SettleAsync(stack, cancel) is var stuck && stuck > 0)
            throw new InvalidOperationException($"{stack.Kind.Name} has {stuck} open orders after a minute: no result.");
        var sums = new Dictionary<string, Sums>();
        foreach (var service in ServiceNames.All) sums[service] = await ReadAsync(stack, service, cancel);
        var orders = sums[ServiceNames.Order];
        var holds = orders.Rows >= stack.Acknowledged && orders.Rows == sums[ServiceNames.Coordinator].Rows
            && sums.Values.All(sum => sum is { Open: 0, Wrong: 0 }
                && (sum.Confirmed, sum.Amount, sum.Ids) == (orders.Confirmed, orders.Amount, orders.Ids));
        return holds ? orders.Rows : throw new InvalidOperationException(
            $"{stack.Kind.Name} contradicts itself after {stack.Acknowledged} acknowledged orders: no result." +
            string.Concat(sums.Select(pair => $"\n  {pair.Key}: {pair.Value}")));
    }

    /// <summary>Waits for a minute at most until every order has ended; returns the number of those that have not.</summary>
    public static async Task<long> SettleAsync(Stack stack, CancellationToken cancel)
    {
        var since = DateTimeOffset.UtcNow;
        while (true)
        {
            var open = Math.Max(
                (await ReadAsync(stack, ServiceNames.Order, cancel)).Open,
                (await ReadAsync(stack, ServiceNames.Coordinator, cancel)).Open);
            if (open == 0 || DateTimeOffset.UtcNow - since > Patience) return open;
            await Task.Delay(TimeSpan.FromMilliseconds(200), cancel);
        }
    }

    static string Query(string table, string id, string amount, string open, string confirmed, string wrong) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        SELECT count(*) FILTER (WHERE {open}), count(*), count(*) FILTER (WHERE {confirmed}),
            coalesce(sum({amount}) FILTER (WHERE {confirmed}), 0),
            coalesce(sum(hashtextextended({id}::text, 0)) FILTER (WHERE {confirmed}), 0),
            {wrong}
        FROM {table}
        """);

    static async Task<Sums> ReadAsync(Stack stack, string service, CancellationToken cancel)
    {
        await using var connection = await OrderTables.OpenAsync(stack, service, cancel);
        await using var command = new NpgsqlCommand(Queries[service], connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        await rows.ReadAsync(cancel);
        return new(
            rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetDecimal(3), rows.GetDecimal(4),
            Convert.ToInt64(rows.GetValue(5), CultureInfo.InvariantCulture));
    }
}
