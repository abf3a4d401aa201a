using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Loads and saves sagas and their timers, a set per statement.</summary>
public sealed class SagaStore(SqlCatalog sql, ProcessVersions versions)
{
    /// <summary>Locks the existing sagas of these orders until the transaction ends.</summary>
    public async Task<Dictionary<Guid, SagaRecord>> LockAsync(Work work, IReadOnlyList<Guid> orderIds)
    {
        if (orderIds.Count == 0) return [];
        var sagas = await versions.ReadAsync(
            () => work.QueryAsync(sql["lock_sagas"], SqlArgs.OfUuids("order_id", orderIds), versions.Read));
        return sagas.ToDictionary(saga => saga.OrderId);
    }

    /// <summary>Tells whether an order has a saga.</summary>
    public Func<Guid, CancellationToken, Task<bool>> ExistsAsync(IDatabase database) => async (orderId, cancel) =>
        (await database.QueryAsync(
            sql["saga_exists"], SqlArgs.With("order_id", orderId), row => row.Uuid("order_id"), cancel)).Count > 0;

    /// <summary>
    /// Locks sagas with a due timer, the most overdue first. Sagas being advanced at the moment are skipped.
    /// </summary>
    public Task<List<(Guid OrderId, SagaRecord? Saga, string? Fault)>> LockDueAsync(Work work, int most) =>
        TryReadAsync(work, sql["lock_due_sagas"], SqlArgs.With("now", work.Now).And("most", most));

    /// <summary>Locks open sagas by order id. Sagas being advanced at the moment are skipped.</summary>
    public Task<List<(Guid OrderId, SagaRecord? Saga, string? Fault)>> LockOpenAsync(Work work, Guid after, int most) =>
        TryReadAsync(work, sql["lock_open_sagas"], SqlArgs.With("after", after).And("most", most));

    /// <summary>Inserts sagas; returns the orders that were new. Existing rows remain unchanged.</summary>
    public async Task<HashSet<Guid>> InsertAsync(Work work, IReadOnlyList<SagaProgress> sagas)
    {
        if (sagas.Count == 0) return [];
        return await work.WriteRowsAsync(
            sql["insert_sagas"],
            SagaColumns.Write(sagas)
                .BigInt("definition_version", row => row.Saga.State.Definition.Version)
                .Time("started_at", row => row.Saga.State.StartedAt!.Value)
                .Text("channel", row => row.Saga.Record.Facts.Channel)
                .Args.And("now", work.Now),
            "order_id");
    }

    /// <summary>Updates the sagas whose rows still have the expected version; returns their orders.</summary>
    public async Task<HashSet<Guid>> UpdateAsync(Work work, IReadOnlyList<SagaProgress> sagas)
    {
        if (sagas.Count == 0) return [];
        return await work.WriteRowsAsync(
            sql["update_sagas"],
            SagaColumns.Write(sagas).BigInt("version_before", row => row.Saga.VersionBefore).Args.And("now", work.Now),
            "order_id");
    }

    /// <summary>
    /// Updates the changed sagas among these. Throws if a row has another version than loaded: the row was not locked, another
    /// transaction advanced the saga, and the decision is void.
    /// </summary>
    public async Task UpdateLockedAsync(Work work, IReadOnlyList<SagaProgress> sagas)
    {
        List<SagaProgress> changed = [.. sagas.Where(saga => saga.Changed)];
        var updated = await UpdateAsync(work, changed);
        if (updated.Count != changed.Count)
            throw new StaleSagaException(
                $"{changed.Count - updated.Count} of {changed.Count} sagas were advanced by another transaction.");
    }

    /// <summary>Applies the effect of messages on timers: as few writes as possible.</summary>
    public void MoveTimers(Work work, IReadOnlyList<SagaProgress> sagas)
    {
        var moved = sagas.ToLookup(saga => saga.TimerChange);
        Timers(work, "insert_timers", moved[TimerChange.Add].Select(NextAction));
        Timers(work, "postpone_timers", moved[TimerChange.Move].Select(NextAction));
        Timers(work, "delete_timers", moved[TimerChange.Delete].Select(NextAction));
    }

    /// <summary>
    /// Sets the timers of the timers' own job: to the next action, not before <paramref name="earliest"/>, or to null if only an
    /// operator can act.
    /// </summary>
    public void SetTimers(Work work, IReadOnlyList<SagaProgress> sagas, DateTimeOffset? earliest)
    {
        var ended = sagas.ToLookup(saga => saga.State.EndedAt is not null);
        Timers(work, "postpone_timers", ended[false].Select(NextAction)
            .Select(timer => (timer.OrderId, timer.DueAt < earliest ? earliest : timer.DueAt)));
        Timers(work, "delete_timers", ended[true].Select(NextAction));
    }

    /// <summary>Sets these timers to <paramref name="until"/>.</summary>
    public void Postpone(Work work, IReadOnlyList<Guid> orderIds, DateTimeOffset until) =>
        Timers(work, "postpone_timers", orderIds.Select(id => (id, (DateTimeOffset?)until)));

    // A version that is still unknown after another look makes the row unreadable.
    async Task<List<(Guid OrderId, SagaRecord? Saga, string? Fault)>> TryReadAsync(Work work, SqlQuery query, SqlArgs args)
    {
        try
        {
            return await versions.ReadAsync(() => work.QueryAsync(query, args, row => SagaColumns.TryRead(row, versions.Find)));
        }
        catch (UnknownVersionException)
        {
            return await work.QueryAsync(query, args, row => SagaColumns.TryRead(row, versions.Find, isLast: true));
        }
    }

    static (Guid OrderId, DateTimeOffset? DueAt) NextAction(SagaProgress saga) =>
        (saga.OrderId, saga.State.NextActionAt);

    void Timers(Work work, string query, IEnumerable<(Guid OrderId, DateTimeOffset? DueAt)> timers)
    {
        var rows = timers.OrderBy(timer => timer.OrderId).ToList();
        if (rows.Count == 0) return;
        work.Defer(
            sql[query],
            SqlArgs.Over(rows)
                .Uuid("order_id", timer => timer.OrderId)
                .TimeOrNull("due_at", timer => timer.DueAt));
    }
}

/// <summary>A saga differs from the row that was loaded. The batch is retried and decides on the new row.</summary>
public sealed class StaleSagaException(string message) : Exception(message);
