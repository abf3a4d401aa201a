using Npgsql;

namespace Orderwright.Peers.Shop;

/// <summary>
/// The steps of the process, equal for every peer: one statement changes the rows, and the messages follow from the rows. A
/// repeated message finds its row and gets the same answer, so every step can be repeated at any time.
/// </summary>
static class Steps
{
    // Lock the levels in the order of their SKUs, which Quantities has sorted.
    const string Reserve =
        """
        WITH known AS (SELECT state, total FROM reservations WHERE order_id = $1),
        goods AS MATERIALIZED (
            SELECT l.sku, w.quantity, l.on_hand - l.allocated - l.reserved >= w.quantity AS fits
            FROM unnest($2, $3) WITH ORDINALITY AS w (sku, quantity, position) JOIN levels l ON l.sku = w.sku
            WHERE NOT EXISTS (SELECT FROM known) ORDER BY w.position FOR UPDATE OF l),
        decision AS MATERIALIZED (
            SELECT count(*) = cardinality($2) AND bool_and(g.fits) AS held, sum(g.quantity * p.unit_price) AS total
            FROM goods g JOIN products p ON p.sku = g.sku),
        moved AS (
            UPDATE levels l SET reserved = l.reserved + g.quantity FROM goods g, decision d WHERE d.held AND l.sku = g.sku),
        added AS (
            INSERT INTO reservations (order_id, skus, quantities, total, created_at, state, updated_at)
            SELECT $1, $2, $3, coalesce(total, 0), now(), CASE WHEN held THEN 'held' ELSE 'refused' END, now() FROM decision
            WHERE NOT EXISTS (SELECT FROM known) RETURNING state, total)
        SELECT state, total FROM added UNION ALL SELECT state, total FROM known
        """;

    const string Commit =
        """
        WITH taken AS (
            UPDATE reservations SET state = 'committed', updated_at = now() WHERE order_id = $1 AND state = 'held'
            RETURNING skus, quantities),
        goods AS MATERIALIZED (SELECT g.sku, g.quantity FROM taken, unnest(skus, quantities) AS g (sku, quantity)),
        moved AS (
            UPDATE levels l SET reserved = l.reserved - g.quantity, allocated = l.allocated + g.quantity
            FROM goods g WHERE l.sku = g.sku)
        INSERT INTO movements (sku, order_id, kind, on_hand_delta, allocated_delta, at)
        SELECT sku, $1, 'allocated', 0, quantity, now() FROM goods
        """;

    const string Release =
        """
        WITH taken AS (
            UPDATE reservations SET state = 'released', updated_at = now() WHERE order_id = $1 AND state = 'held'
            RETURNING skus, quantities),
        goods AS MATERIALIZED (SELECT g.sku, g.quantity FROM taken, unnest(skus, quantities) AS g (sku, quantity))
        UPDATE levels l SET reserved = l.reserved - g.quantity FROM goods g WHERE l.sku = g.sku
        """;

    const string Authorize =
        """
        WITH known AS (SELECT state FROM payments WHERE order_id = $1),
        taken AS (
            UPDATE balances SET amount = amount - $4, version = version + 1
            WHERE customer_id = $2 AND currency = $3 AND amount >= $4 AND NOT EXISTS (SELECT FROM known) RETURNING amount),
        booked AS (
            INSERT INTO journal
                (order_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at)
            SELECT $1, 'capture', $4, 'customer:' || $2, 'orders', $3, $4, now() FROM taken),
        added AS (
            INSERT INTO payments
                (order_id, customer_id, provider, currency, amount, state, authorized, captured, created_at)
            SELECT $1, $2, 'balance', $3, $4, CASE paid WHEN 1 THEN 'captured' ELSE 'declined' END, paid * $4, paid * $4, now()
            FROM (SELECT count(*) AS paid FROM taken) AS result
            WHERE NOT EXISTS (SELECT FROM known) RETURNING state)
        SELECT state FROM added UNION ALL SELECT state FROM known
        """;

    const string Start =
        """
        INSERT INTO sagas (order_id, customer_id, currency, lines, started_at, state, version, updated_at)
        VALUES ($1, $2, $3, $4, now(), 'reserving', 1, now()) ON CONFLICT (order_id) DO NOTHING
        """;

    // A saga that is already in the next state has done the step, and sends the same messages again.
    const string Advance =
        """
        UPDATE sagas SET state = $3, version = version + 1, updated_at = now() WHERE order_id = $1 AND state IN ($2, $3)
        RETURNING customer_id, currency, total
        """;

    const string AdvanceWithTotal =
        """
        UPDATE sagas SET state = $3, total = $4, version = version + 1, updated_at = now()
        WHERE order_id = $1 AND state IN ($2, $3) RETURNING customer_id, currency, total
        """;

    const string Place =
        """
        WITH placed AS (
            INSERT INTO orders (id, customer_id, currency, lines, created_at, status, version, updated_at)
            VALUES ($1, $2, $3, $4, now(), 'pending', 1, now()))
        INSERT INTO events (order_id, type, version, data, at)
        VALUES ($1, 'order.placed', 1, jsonb_build_object('customerId', $2, 'lines', $4), now())
        """;

    const string Confirm =
        """
        WITH settled AS (
            UPDATE orders SET status = 'confirmed', total = $2, version = version + 1, updated_at = now()
            WHERE id = $1 AND status = 'pending' RETURNING version)
        INSERT INTO events (order_id, type, version, data, at)
        SELECT $1, 'order.confirmed', version, jsonb_build_object('total', $2), now() FROM settled
        """;

    const string Reject =
        """
        WITH settled AS (
            UPDATE orders SET status = 'rejected', reason = $2, version = version + 1, updated_at = now()
            WHERE id = $1 AND status = 'pending' RETURNING version)
        INSERT INTO events (order_id, type, version, data, at)
        SELECT $1, 'order.rejected', version, jsonb_build_object('reason', $2), now() FROM settled
        """;

    static readonly Dictionary<Type, Func<NpgsqlConnection, object, CancellationToken, Task<object[]>>> All = new()
    {
        [typeof(ReserveStock)] = (connection, message, cancel) => ReserveAsync(connection, (ReserveStock)message, cancel),
        [typeof(CommitStock)] = (connection, message, cancel) => MoveAsync(
            connection, Commit, ((CommitStock)message).OrderId, new StockCommitted(((CommitStock)message).OrderId), cancel),
        [typeof(ReleaseStock)] = (connection, message, cancel) => MoveAsync(
            connection, Release, ((ReleaseStock)message).OrderId, new StockReleased(((ReleaseStock)message).OrderId), cancel),
        [typeof(AuthorizePayment)] = (connection, message, cancel) =>
            AuthorizeAsync(connection, (AuthorizePayment)message, cancel),
        [typeof(StartOrder)] = (connection, message, cancel) => StartAsync(connection, (StartOrder)message, cancel),
        [typeof(StockReserved)] = (connection, message, cancel) => AdvanceAsync(
            connection, ((StockReserved)message).OrderId, "reserving", "paying", ((StockReserved)message).Total,
            (id, saga) => [new AuthorizePayment(id, saga.CustomerId, saga.Currency, saga.Total)], cancel),
        [typeof(StockRefused)] = (connection, message, cancel) => AdvanceAsync(
            connection, ((StockRefused)message).OrderId, "reserving", "rejected", null,
            (id, _) => [new OrderRejected(id, "out_of_stock")], cancel),
        // The pivot: the confirmation does not wait for the commit.
        [typeof(PaymentAuthorized)] = (connection, message, cancel) => AdvanceAsync(
            connection, ((PaymentAuthorized)message).OrderId, "paying", "committing", null,
            (id, saga) => [new OrderConfirmed(id, saga.Total), new CommitStock(id)], cancel),
        [typeof(PaymentRefused)] = (connection, message, cancel) => AdvanceAsync(
            connection, ((PaymentRefused)message).OrderId, "paying", "releasing", null,
            (id, _) => [new ReleaseStock(id)], cancel),
        [typeof(StockCommitted)] = (connection, message, cancel) => AdvanceAsync(
            connection, ((StockCommitted)message).OrderId, "committing", "completed", null, (_, _) => [], cancel),
        [typeof(StockReleased)] = (connection, message, cancel) => AdvanceAsync(
            connection, ((StockReleased)message).OrderId, "releasing", "rejected", null,
            (id, _) => [new OrderRejected(id, "payment_declined")], cancel),
        [typeof(OrderConfirmed)] = async (connection, message, cancel) =>
        {
            var (id, total) = (OrderConfirmed)message;
            await connection.ExecuteAsync(Confirm, [id, total], cancel);
            return [];
        },
        [typeof(OrderRejected)] = async (connection, message, cancel) =>
        {
            var (id, reason) = (OrderRejected)message;
            await connection.ExecuteAsync(Reject, [id, reason], cancel);
            return [];
        },
    };

    /// <summary>Changes the rows that a message is about, and returns the messages to send.</summary>
    public static Task<object[]> TakeAsync(NpgsqlConnection connection, object message, CancellationToken cancel) =>
        All[message.GetType()](connection, message, cancel);

    /// <summary>Inserts an order and its event, and returns the message to send.</summary>
    public static async Task<StartOrder> PlaceAsync(
        NpgsqlConnection connection, Guid id, NewOrder order, CancellationToken cancel)
    {
        await connection.ExecuteAsync(Place, [id, order.CustomerId, order.Currency, order.Lines], cancel);
        return new StartOrder(id, order.CustomerId, order.Currency, order.Lines);
    }

    sealed record Saga(string CustomerId, string Currency, long Total);

    static async Task<object[]> ReserveAsync(NpgsqlConnection connection, ReserveStock command, CancellationToken cancel)
    {
        // Two lines of one product are added together.
        var wanted = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in command.Lines) wanted[line.Sku] = wanted.GetValueOrDefault(line.Sku) + line.Quantity;
        var (state, total) = await connection.ReadAsync(
            Reserve, [command.OrderId, wanted.Keys.ToArray(), wanted.Values.ToArray()],
            row => (row.GetString(0), row.GetInt64(1)), cancel);
        return [state == "refused" ? new StockRefused(command.OrderId) : new StockReserved(command.OrderId, total)];
    }

    static async Task<object[]> MoveAsync(
        NpgsqlConnection connection, string statement, Guid order, object reply, CancellationToken cancel)
    {
        await connection.ExecuteAsync(statement, [order], cancel);
        return [reply];
    }

    static async Task<object[]> AuthorizeAsync(
        NpgsqlConnection connection, AuthorizePayment command, CancellationToken cancel)
    {
        var state = await connection.ReadAsync(
            Authorize, [command.OrderId, command.CustomerId, command.Currency, command.Amount], row => row.GetString(0),
            cancel);
        return [state == "captured" ? new PaymentAuthorized(command.OrderId) : new PaymentRefused(command.OrderId)];
    }

    static async Task<object[]> StartAsync(NpgsqlConnection connection, StartOrder command, CancellationToken cancel)
    {
        await connection.ExecuteAsync(
            Start, [command.OrderId, command.CustomerId, command.Currency, command.Lines], cancel);
        return [new ReserveStock(command.OrderId, command.Lines)];
    }

    // A late or repeated reply finds the saga in another state, and changes nothing.
    static async Task<object[]> AdvanceAsync(
        NpgsqlConnection connection, Guid id, string from, string to, long? total, Func<Guid, Saga, object[]> next,
        CancellationToken cancel)
    {
        var saga = await connection.ReadAsync(
            total is null ? Advance : AdvanceWithTotal, total is { } sum ? [id, from, to, sum] : [id, from, to],
            row => new Saga(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? 0 : row.GetInt64(2)), cancel);
        return saga is null ? [] : next(id, saga);
    }
}
