using Npgsql;
using Orderwright.Contracts;

namespace Orderwright.Chaos;

/// <summary>Reads the services' tables directly: open orders, and the final result.</summary>
sealed class Record(Cluster cluster)
{
    /// <summary>
    /// Finds the orders, all or among some, that are neither settled, nor waiting for a named party, nor an open incident, and
    /// describes the first few. Null while the database is unavailable.
    /// </summary>
    public async Task<OpenOrders?> OpenAsync(IReadOnlyList<Guid>? among = null)
    {
        try
        {
            var unsettled = (await QueryAsync(
                ServiceNames.Order, "SELECT order_id FROM unsettled_orders", row => row.GetGuid(0))).ToHashSet();
            var sagas = await QueryAsync(
                ServiceNames.Coordinator,
                """
                SELECT s.order_id, s.state, s.step, s.code, s.waiting_for
                FROM saga_timers t JOIN sagas s ON s.order_id = t.order_id
                """,
                row => (
                    Id: row.GetGuid(0), State: row.GetString(1),
                    What: string.Join(' ', new[] { 2, 3, 4 }.Select(i => row.IsDBNull(i) ? "-" : row.GetString(i)))));
            var moving = sagas.Where(saga => saga.State is "running" or "compensating").ToList();
            var parked = sagas.Where(saga => saga.State is "waiting" or "failed").Select(saga => saga.Id).ToHashSet();
            unsettled.ExceptWith(parked);
            var open = unsettled.Union(moving.Select(saga => saga.Id)).ToHashSet();
            if (among is not null) open.IntersectWith(among);
            var byId = moving.ToDictionary(saga => saga.Id, saga => $"{saga.State} {saga.What}");
            return new(
                [.. open],
                string.Join("; ", open.Take(5).Select(
                    id => $"{id} {byId.GetValueOrDefault(id, "unsettled, its saga has ended or never began")}")));
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException)
        {
            return null;
        }
    }

    public Task<List<Guid>> OrderIdsAsync() =>
        QueryAsync(ServiceNames.Order, "SELECT id FROM orders", row => row.GetGuid(0));

    public async Task<IReadOnlyDictionary<string, long>> OrdersByStatusAsync() =>
        (await QueryAsync(
            ServiceNames.Order, "SELECT status, count(*) FROM orders GROUP BY status",
            row => (row.GetString(0), row.GetInt64(1))))
            .ToDictionary();

    public async Task<long> IncidentsAsync() =>
        (await QueryAsync(
            ServiceNames.Coordinator, "SELECT count(*) FROM sagas WHERE state = 'failed'", row => row.GetInt64(0)))[0];

    /// <summary>Open incidents by step and code.</summary>
    public async Task<IReadOnlyDictionary<string, long>> IncidentsByCodeAsync() =>
        (await QueryAsync(
            ServiceNames.Coordinator,
            "SELECT COALESCE(step, '-') || ' ' || COALESCE(code, '-'), count(*) FROM sagas WHERE state = 'failed' GROUP BY 1",
            row => (row.GetString(0), row.GetInt64(1))))
            .ToDictionary();

    /// <summary>Dead letters of all services, with their reasons.</summary>
    public async Task<IReadOnlyList<string>> DeadLettersAsync()
    {
        var letters = new List<string>();
        foreach (var service in ServiceNames.All)
            letters.AddRange(await QueryAsync(
                service, "SELECT COALESCE(type, '?') || ': ' || left(reason, 300) FROM dead_letters",
                row => $"{service} {row.GetString(0)}"));
        return letters;
    }

    async Task<List<T>> QueryAsync<T>(string service, string sql, Func<NpgsqlDataReader, T> map)
    {
        await using var connection = new NpgsqlConnection(
            cluster.DatabaseOf(service) + ";Pooling=false;Timeout=3;CommandTimeout=30");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync()) rows.Add(map(reader));
        return rows;
    }
}

/// <param name="Ids">Open orders.</param>
/// <param name="First">State of the first few.</param>
sealed record OpenOrders(IReadOnlyList<Guid> Ids, string First);
