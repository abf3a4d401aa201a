using System.Text.Json;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>What an operator did. Written in the transaction that did it; never changed.</summary>
/// <param name="Id">UUIDv7: the order of the list.</param>
/// <param name="Service">In whose database it was done.</param>
/// <param name="At">When.</param>
/// <param name="Actor">The caller's name: <c>local</c>, or the key's prefix.</param>
/// <param name="Action">
/// <c>retry, compensate, cancel, resolve, replay, note, stop</c>; of a payment <c>capture, void, refund</c>.
/// </param>
/// <param name="OrderId">Whose process was touched; null where no order is known.</param>
/// <param name="Subject">The step, or the dead letter; null for the whole process.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Before">How it stood, as JSON.</param>
/// <param name="After">How it stood then.</param>
/// <param name="TraceId">Finds the logs of it.</param>
/// <param name="Run">The bulk action that it was part of, or that it is about; null for one by itself.</param>
public sealed record AuditEntry(
    Guid Id, string Service, DateTimeOffset At, string Actor, string Action, Guid? OrderId, string? Subject,
    string Reason, JsonElement? Before, JsonElement? After, string? TraceId, Guid? Run = null)
{
    /// <summary>Where the list goes on after an entry, in this service's list as in any other's.</summary>
    public static string PositionOf(Guid id) => id.ToString("N");
}

/// <summary>What a list of the audit is narrowed to; null means all.</summary>
public sealed record AuditFilter(
    Guid? Before = null, Guid? OrderId = null, string? Actor = null, string? Action = null, Guid? Run = null);

/// <summary>A service's record of what its operators did.</summary>
public sealed class Audit(string service, IDatabase database, SqlCatalog runtimeSql)
{
    public async Task AppendAsync(IReadOnlyList<AuditEntry> entries, Work work)
    {
        if (entries.Count == 0) return;
        await work.ExecuteAsync(
            runtimeSql["append_operator_actions"],
            SqlArgs.Over(entries)
                .Uuid("id", entry => entry.Id)
                .Text("actor", entry => entry.Actor)
                .Text("action", entry => entry.Action)
                .UuidOrNull("order_id", entry => entry.OrderId)
                .Text("subject", entry => entry.Subject)
                .Text("reason", entry => entry.Reason)
                .Text("state_before", entry => entry.Before?.GetRawText())
                .Text("state_after", entry => entry.After?.GetRawText())
                .Text("trace_id", entry => entry.TraceId)
                .UuidOrNull("run", entry => entry.Run)
                .Args.And("now", work.Now));
    }

    /// <summary>Newest first.</summary>
    public Task<List<AuditEntry>> ListAsync(AuditFilter filter, int most, CancellationToken cancel) =>
        database.QueryAsync(
            runtimeSql["operator_actions"],
            SqlArgs.With("before", filter.Before).And("order_id", filter.OrderId).And("actor", filter.Actor)
                .And("action", filter.Action).And("run", filter.Run).And("most", most),
            row => new AuditEntry(
                row.Uuid(0), service, row.Time(1), row.Text(2), row.Text(3), row.UuidOrNull(4), row.TextOrNull(5),
                row.Text(6), Parse(row.TextOrNull(7)), Parse(row.TextOrNull(8)), row.TextOrNull(9),
                row.UuidOrNull(10)),
            cancel);

    static JsonElement? Parse(string? json)
    {
        if (json is null) return null;
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
