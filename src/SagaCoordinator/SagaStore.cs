using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.SagaCoordinator;

/// <summary>Loads and saves sagas and their timers, a set per statement.</summary>
public sealed class SagaStore(SqlCatalog sql)
{
    /// <summary>Those of these sagas that there are, locked until the transaction ends.</summary>
    public async Task<Dictionary<Guid, SagaRecord>> LockAsync(IReadOnlyList<Guid> orderIds, Work work)
    {
        if (orderIds.Count == 0) return [];
        var asked = SqlArgs.OfUuids("order_id", orderIds);
        var sagas = await work.QueryAsync(sql["lock_sagas"], asked, StoredSaga.Read);
        return sagas.ToDictionary(saga => saga.OrderId);
    }

    /// <summary>
    /// Sagas whose timer is due, the most overdue first, but for those that are being advanced right now.
    /// </summary>
    public Task<List<(Guid OrderId, SagaRecord? Saga, string? Fault)>> LockDueAsync(int most, Work work) =>
        work.QueryAsync(sql["lock_due_sagas"], SqlArgs.With("now", work.Now).And("most", most), StoredSaga.TryRead);

    /// <summary>
    /// All sagas that have not ended, by order id, but for those that are being advanced right now.
    /// </summary>
    public Task<List<(Guid OrderId, SagaRecord? Saga, string? Fault)>> LockOpenAsync(Guid after, int most, Work work) =>
        work.QueryAsync(sql["lock_open_sagas"], SqlArgs.With("after", after).And("most", most), StoredSaga.TryRead);

    /// <summary>Returns those that were new; one that is there already is left as it is.</summary>
    public async Task<HashSet<Guid>> InsertAsync(IReadOnlyList<SagaProgress> sagas, Work work)
    {
        if (sagas.Count == 0) return [];
        return await work.WriteRowsAsync(
            sql["insert_sagas"],
            Rows(sagas)
                .BigInt("definition_version", row => row.Saga.State.DefinitionVersion)
                .Time("started_at", row => row.Saga.State.StartedAt!.Value)
                .Args.And("now", work.Now),
            "order_id");
    }

    /// <summary>Saves them where they still are as they were known; returns which these are.</summary>
    public async Task<HashSet<Guid>> UpdateAsync(IReadOnlyList<SagaProgress> sagas, Work work)
    {
        if (sagas.Count == 0) return [];
        return await work.WriteRowsAsync(
            sql["update_sagas"],
            Rows(sagas).BigInt("version_before", row => row.Saga.VersionBefore).Args.And("now", work.Now),
            "order_id");
    }

    /// <summary>
    /// Saves those that changed. Throws when one of them is not as it was loaded: then it was not locked,
    /// somebody else advanced it, and what was decided here is void.
    /// </summary>
    public async Task UpdateLockedAsync(IEnumerable<SagaProgress> sagas, Work work)
    {
        var changed = sagas.Where(saga => saga.Changed).ToList();
        var updated = await UpdateAsync(changed, work);
        if (updated.Count != changed.Count)
            throw new StaleSagaException(
                $"{changed.Count - updated.Count} of {changed.Count} sagas were advanced by somebody else.");
    }

    /// <summary>What messages do to timers: as little as they can.</summary>
    public void MoveTimers(IEnumerable<SagaProgress> sagas, Work work)
    {
        var moved = sagas.ToLookup(saga => saga.TimerChange);
        Timers("insert_timers", moved[TimerChange.Add].Select(NextLook), work);
        Timers("postpone_timers", moved[TimerChange.Move].Select(NextLook), work);
        Timers("delete_timers", moved[TimerChange.Delete].Select(NextLook), work);
    }

    /// <summary>
    /// What the timers' own job does: the next look, or none while only a person can move the saga.
    /// </summary>
    public void PlanNextLook(IReadOnlyList<SagaProgress> sagas, Work work)
    {
        var ended = sagas.ToLookup(saga => saga.State.EndedAt is not null);
        Timers("postpone_timers", ended[false].Select(NextLook), work);
        Timers("delete_timers", ended[true].Select(NextLook), work);
    }

    /// <summary>Looks at these again at <paramref name="until"/>.</summary>
    public void Postpone(IReadOnlyList<Guid> orderIds, DateTimeOffset until, Work work) =>
        Timers("postpone_timers", orderIds.Select(id => (id, (DateTimeOffset?)until)), work);

    static (Guid OrderId, DateTimeOffset? DueAt) NextLook(SagaProgress saga) =>
        (saga.OrderId, saga.State.NextActionAt);

    void Timers(string query, IEnumerable<(Guid OrderId, DateTimeOffset? DueAt)> timers, Work work)
    {
        var rows = timers.OrderBy(timer => timer.OrderId).ToList();
        if (rows.Count == 0) return;
        work.Defer(
            sql[query],
            SqlArgs.Over(rows)
                .Uuid("order_id", timer => timer.OrderId)
                .TimeOrNull("due_at", timer => timer.DueAt));
    }

    static SqlRows<(SagaProgress Saga, Headline Headline)> Rows(IReadOnlyList<SagaProgress> sagas) =>
        SqlArgs.Over<(SagaProgress Saga, Headline Headline)>(
            [.. sagas.OrderBy(saga => saga.OrderId).Select(saga => (saga, Headline.Of(saga.State)))])
            .Uuid("order_id", row => row.Saga.OrderId)
            .Text("state", row => SagaNames.Of(row.Saga.State.Status))
            .Text("step", row => row.Headline.Step)
            .Text("waiting_for", row => row.Headline.WaitingFor)
            .Text("code", row => row.Headline.Code)
            .BigInt("version", row => row.Saga.State.Version)
            .Text("facts", row => row.Saga.FactsChanged ? StoredSaga.WriteFacts(row.Saga.Facts) : null)
            .Text("steps", row => StoredSaga.WriteSteps(row.Saga.State, row.Saga.Payment))
            .TimeOrNull("ended_at", row => row.Saga.State.EndedAt);
}

/// <summary>
/// A saga was not as it had been loaded. The batch is tried again and then decides on what is there.
/// </summary>
public sealed class StaleSagaException(string message) : Exception(message);
