using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.EndToEnd.Release;

/// <summary>The states required in the data of a release.</summary>
static class ReleaseStates
{
    static readonly (string Service, string Table, string Column, string[] Values)[] Expected =
    [
        (ServiceNames.Order, "orders", "status", [.. OrderStatuses.All]),
        (ServiceNames.Order, "orders", "payment_status",
        [
            "pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided",
        ]),
        (ServiceNames.Order, "orders", "fulfilment_status", ["unfulfilled", "partially_fulfilled", "fulfilled"]),
        (ServiceNames.Customer, "payments", "state",
        [
            "authorizing", "action_required", "authorized", "capturing", "captured", "voiding", "voided", "refunding", "refunded",
            "declined", "undone", "undo_failed",
        ]),
        (ServiceNames.Stock, "reservations", "state", ["held", "committed", "released", "refused"]),
        (ServiceNames.Coordinator, "sagas", "state",
        [
            "running", "waiting", "compensating", "completed", "compensated", "failed",
        ]),
    ];

    static readonly (string Service, string Table)[] Filled =
    [
        (ServiceNames.Order, "dead_letters"), (ServiceNames.Order, "idempotency"), (ServiceNames.Order, "order_events"),
        (ServiceNames.Order, "fulfilments"), (ServiceNames.Order, "fulfilment_work"), (ServiceNames.Order, "operator_actions"),
        (ServiceNames.Customer, "journal"), (ServiceNames.Customer, "operator_actions"), (ServiceNames.Customer, "parked_events"),
        (ServiceNames.Customer, "reconciliations"), (ServiceNames.Customer, "reconciliation_differences"),
        (ServiceNames.Stock, "shipments"), (ServiceNames.Stock, "movements"), (ServiceNames.Stock, "holds"),
        (ServiceNames.Coordinator, "operator_actions"),
        (ServiceNames.Coordinator, "incident_notes"), (ServiceNames.Coordinator, "saga_timers"),
    ];

    /// <summary>The states and tables without a row.</summary>
    public static async Task<IReadOnlyList<string>> FindMissingAsync(ReleaseStore store)
    {
        var missing = new List<string>();
        foreach (var (service, table, column, values) in Expected)
        {
            var found = await ReadAsync(store, service, $"SELECT DISTINCT {column} AS value FROM {table}");
            missing.AddRange(values.Except(found).Select(value => $"{table}.{column} = {value}"));
        }
        foreach (var (service, table) in Filled)
            if ((await ReadAsync(store, service, $"SELECT 'a row' AS value FROM {table} LIMIT 1")).Count == 0) missing.Add(table);
        return missing;
    }

    static async Task<List<string>> ReadAsync(ReleaseStore store, string service, string sql)
    {
        await using var database = store.Open(service);
        return await database.QueryAsync(new SqlQuery("release_states", sql), SqlArgs.None, row => row.Text("value"));
    }
}
