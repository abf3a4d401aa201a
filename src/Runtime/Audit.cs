using System.Text.Json;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>Record of an operator action. Written in the transaction of the action; never changed.</summary>
/// <param name="Id">UUIDv7; also the order of the list.</param>
/// <param name="Service">Acting service.</param>
/// <param name="At">Time of the action.</param>
/// <param name="Actor">Caller's name: <c>local</c>, or the prefix of the key.</param>
/// <param name="Action">
/// <c>retry, compensate, cancel, resolve, replay, note, stop</c>; of a payment <c>capture, void, refund</c>.
/// </param>
/// <param name="OrderId">Order acted on; null if unknown.</param>
/// <param name="Subject">Step or dead letter; null for the whole process.</param>
/// <param name="Reason">Operator's own words.</param>
/// <param name="Before">State before the action, as JSON.</param>
/// <param name="After">State after the action, as JSON.</param>
/// <param name="TraceId">Trace id of the action's logs.</param>
/// <param name="Run">Bulk action the record belongs to; null for a single action.</param>
/// <param name="Channel">Channel of the order; null for an action on no single channel, and before channels existed.</param>
public sealed record AuditEntry(
    Guid Id, string Service, DateTimeOffset At, string Actor, string Action, Guid? OrderId, string? Subject,
    string Reason, JsonElement? Before, JsonElement? After, string? TraceId, Guid? Run = null, string? Channel = null)
{
    /// <summary>Cursor after an entry, valid in the list of any service.</summary>
    public static string PositionOf(Guid id) => id.ToString("N");
}

/// <summary>
/// Filter of an audit list; null means any. <paramref name="Channels"/> is <c>,main,eu,</c>: records without a channel do not
/// match.
/// </summary>
public sealed record AuditFilter(
    Guid? Before = null, Guid? OrderId = null, string? Actor = null, string? Action = null, Guid? Run = null,
    string? Channels = null);

/// <summary>Audit log of a service's operator actions.</summary>
public sealed class Audit(string service, IDatabase database, SqlCatalog runtimeSql)
{
    public async Task AppendAsync(Work work, IReadOnlyList<AuditEntry> entries)
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
                .Text("channel", entry => entry.Channel)
                .Args.And("now", work.Now));
    }

    /// <summary>Lists entries, newest first.</summary>
    public Task<List<AuditEntry>> ListAsync(AuditFilter filter, int most, CancellationToken cancel) =>
        database.QueryAsync(
            runtimeSql["operator_actions"],
            SqlArgs.With("before", filter.Before).And("order_id", filter.OrderId).And("actor", filter.Actor)
                .And("action", filter.Action).And("run", filter.Run)
                .And("channels", filter.Channels).And("most", most),
            row => new AuditEntry(
                row.Uuid("id"), service, row.Time("at"), row.Text("actor"), row.Text("action"), row.UuidOrNull("order_id"),
                row.TextOrNull("subject"), row.Text("reason"), Parse(row.TextOrNull("state_before")),
                Parse(row.TextOrNull("state_after")), row.TextOrNull("trace_id"), row.UuidOrNull("run"),
                row.TextOrNull("channel")),
            cancel);

    static JsonElement? Parse(string? json)
    {
        if (json is null) return null;
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
