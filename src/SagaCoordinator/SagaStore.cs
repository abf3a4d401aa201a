using System.Text.Json;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>Loads and saves sagas and their timers, a set per statement.</summary>
public sealed class SagaStore(SqlCatalog sql)
{
    /// <summary>Those of these sagas that there are, locked until the transaction ends.</summary>
    public async Task<Dictionary<Guid, SagaRecord>> LockAsync(IReadOnlyList<Guid> orderIds, Work work)
    {
        if (orderIds.Count == 0) return [];
        var asked = SqlArgs.OfUuids("order_id", orderIds);
        var sagas = await work.QueryAsync(sql["lock_sagas"], asked, ReadRecord);
        return sagas.ToDictionary(saga => saga.OrderId);
    }

    /// <summary>
    /// Sagas whose timer is due, the most overdue first, but for those that are being advanced right now.
    /// </summary>
    public Task<List<SagaRecord>> LockDueAsync(int most, Work work) =>
        work.QueryAsync(sql["lock_due_sagas"], SqlArgs.With("now", work.Now).And("most", most), ReadRecord);

    /// <summary>
    /// All sagas that have not ended, by order id, but for those that are being advanced right now.
    /// </summary>
    public Task<List<SagaRecord>> LockOpenAsync(Guid after, int most, Work work) =>
        work.QueryAsync(sql["lock_open_sagas"], SqlArgs.With("after", after).And("most", most), ReadRecord);

    /// <summary>Returns those that were new; one that is there already is left as it is.</summary>
    public async Task<HashSet<Guid>> InsertAsync(IReadOnlyList<SagaProgress> sagas, Work work)
    {
        if (sagas.Count == 0) return [];
        var inserted = await work.QueryAsync(
            sql["insert_sagas"],
            Rows(sagas)
                .BigInt("definition_version", saga => saga.State.DefinitionVersion)
                .Time("started_at", saga => saga.State.StartedAt!.Value)
                .Args.And("now", work.Now),
            row => row.Uuid(0));
        return [.. inserted];
    }

    /// <summary>
    /// Saves those that changed. Throws when one of them is not as it was loaded: then somebody else advanced
    /// it, and what was decided here is void.
    /// </summary>
    public async Task UpdateAsync(IEnumerable<SagaProgress> sagas, Work work)
    {
        var changed = sagas.Where(saga => saga.Changed).ToList();
        if (changed.Count == 0) return;
        var updated = await work.ExecuteAsync(
            sql["update_sagas"],
            Rows(changed).BigInt("version_before", saga => saga.VersionBefore).Args.And("now", work.Now));
        if (updated != changed.Count)
            throw new StaleSagaException(
                $"{changed.Count - updated} of {changed.Count} sagas were advanced by somebody else.");
    }

    /// <summary>What messages do to timers: as little as they can.</summary>
    public async Task MoveTimersAsync(IEnumerable<SagaProgress> sagas, Work work)
    {
        var moved = sagas.ToLookup(saga => saga.TimerChange);
        await TimersAsync("set_timers", [.. moved[TimerChange.Set]], work);
        await TimersAsync("delete_timers", [.. moved[TimerChange.Delete]], work);
    }

    /// <summary>
    /// What the timers' own job does: the next look, or none while only a person can move the saga.
    /// </summary>
    public async Task PlanNextLookAsync(IReadOnlyList<SagaProgress> sagas, Work work)
    {
        var ended = sagas.ToLookup(saga => saga.State.EndedAt is not null);
        await TimersAsync("postpone_timers", [.. ended[false]], work);
        await TimersAsync("delete_timers", [.. ended[true]], work);
    }

    async Task TimersAsync(string query, IReadOnlyList<SagaProgress> sagas, Work work)
    {
        if (sagas.Count == 0) return;
        await work.ExecuteAsync(
            sql[query],
            SqlArgs.Over(sagas)
                .Uuid("order_id", saga => saga.OrderId)
                .TimeOrNull("due_at", saga => saga.State.NextActionAt));
    }

    static SqlRows<SagaProgress> Rows(IReadOnlyList<SagaProgress> sagas)
    {
        var headlines = sagas.ToDictionary(saga => saga.OrderId, saga => Headline.Of(saga.State));
        return SqlArgs.Over(sagas)
            .Uuid("order_id", saga => saga.OrderId)
            .Text("state", saga => SagaNames.Of(saga.State.Status))
            .Text("step", saga => headlines[saga.OrderId].Step)
            .Text("waiting_for", saga => headlines[saga.OrderId].WaitingFor)
            .Text("code", saga => headlines[saga.OrderId].Code)
            .BigInt("version", saga => saga.State.Version)
            .Text("facts", saga => saga.FactsChanged || saga.VersionBefore == 0 ? FactsOf(saga) : null)
            .Text("steps", saga => JsonSerializer.Serialize(saga.State, StoredJson.Default.SagaState))
            .TimeOrNull("ended_at", saga => saga.State.EndedAt);
    }

    static string FactsOf(SagaProgress saga) =>
        JsonSerializer.Serialize(saga.Facts, StoredJson.Default.OrderFacts);

    /// <summary>From the first three columns: order_id, steps, facts.</summary>
    public static SagaRecord ReadRecord(IRow row) => new(
        row.Uuid(0), JsonSerializer.Deserialize(row.Text(1), StoredJson.Default.SagaState)!,
        JsonSerializer.Deserialize(row.Text(2), StoredJson.Default.OrderFacts)!);
}

/// <summary>
/// A saga was not as it had been loaded. The batch is tried again and then decides on what is there.
/// </summary>
public sealed class StaleSagaException(string message) : Exception(message);
