using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Calling;

/// <summary>A webhook that tells of an attempt which is not here yet.</summary>
public sealed record ParkedEvent(string Id, CallReport Report);

/// <summary>
/// Webhooks that came before the attempt they tell of was committed, or while an older copy of our database was restored.
/// They settle it as soon as it is here, in batches; after three days, for which gateways repeat theirs, they are
/// forgotten. The list of events, by which a repetition is known, is kept for ninety.
/// </summary>
public sealed class ParkedEvents(SqlCatalog sql, SettleCalls settle)
{
    public static readonly TimeSpan KeepParked = TimeSpan.FromDays(3);
    public static readonly TimeSpan KeepEvents = TimeSpan.FromDays(90);

    public IReadOnlyList<TimedJob> Jobs =>
    [
        new("match-parked-events", null, MatchAsync), new("forget-events", TimeSpan.FromMinutes(10), ForgetAsync),
    ];

    public static void Park(Work work, SqlCatalog sql, IReadOnlyList<ParkedEvent> events)
    {
        if (events.Count == 0) return;
        work.Defer(
            sql["park_events"],
            SqlArgs.Over(events)
                .Text("provider", one => one.Report.Provider)
                .Text("event_id", one => one.Id)
                .Uuid("order_id", one => one.Report.OrderId)
                .Text("operation", one => one.Report.Operation)
                .BigInt("n", one => one.Report.N)
                .Text("result", one => JsonSerializer.Serialize(one.Report.Result, ResultJson.Default.GatewayResult))
                .Args.And("now", work.Now));
    }

    async Task<int> MatchAsync(Work work, int most)
    {
        var found = await work.QueryAsync(
            sql["match_events"], SqlArgs.With("most", most),
            row => new ParkedEvent(
                row.Text(1),
                new CallReport(
                    row.Text(0), row.Uuid(2), row.Text(3), row.Int(4),
                    JsonSerializer.Deserialize(row.Text(5), ResultJson.Default.GatewayResult)!)));
        if (found.Count == 0) return 0;
        await settle.HandleAsync([.. found.Select(one => one.Report)], work);
        var names = SqlArgs.Over(found).Text("provider", one => one.Report.Provider).Text("event_id", one => one.Id);
        work.Defer(sql["unpark_events"], names);
        work.Defer(sql["mark_events_matched"], names);
        return found.Count;
    }

    async Task<int> ForgetAsync(Work work, int most)
    {
        await work.ExecuteAsync(sql["forget_parked_events"], SqlArgs.With("before", work.Now - KeepParked));
        return await work.ExecuteAsync(
            sql["forget_events"], SqlArgs.With("before", work.Now - KeepEvents).And("most", most));
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(GatewayResult))]
sealed partial class ResultJson : JsonSerializerContext;
