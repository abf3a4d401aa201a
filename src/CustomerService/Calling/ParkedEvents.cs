using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Calling;

/// <summary>A webhook about an attempt not stored yet.</summary>
public sealed record ParkedEvent(string Id, AttemptResult Result);

/// <summary>
/// Webhooks received before the attempt was committed, or after an older copy of the database was restored. Applied in
/// batches once the attempt is stored. Dropped after three days, the time for which gateways repeat webhooks; the event
/// ids are kept for ninety, to recognize repeats.
/// </summary>
public sealed class ParkedEvents(SqlCatalog sql, ApplyGatewayResults results)
{
    public static readonly TimeSpan KeepParked = TimeSpan.FromDays(3);
    public static readonly TimeSpan KeepEvents = TimeSpan.FromDays(90);

    public IReadOnlyList<TimedJob> Jobs =>
    [
        new("match-parked-events", null, MatchAsync),
        new("forget-events", TimeSpan.FromMinutes(10), ForgetAsync) { NeedsCertainTime = true },
    ];

    public static void Park(Work work, SqlCatalog sql, IReadOnlyList<ParkedEvent> events)
    {
        if (events.Count == 0) return;
        work.Defer(
            sql["park_events"],
            SqlArgs.Over(events)
                .Text("provider", item => item.Result.Provider)
                .Text("event_id", item => item.Id)
                .Uuid("order_id", item => item.Result.OrderId)
                .Text("operation", item => item.Result.Operation)
                .BigInt("number", item => item.Result.Number)
                .Text("result", item => JsonSerializer.Serialize(item.Result.Result, ResultJson.Default.GatewayResult))
                .Args.And("now", work.Now));
    }

    async Task<int> MatchAsync(Work work, int most)
    {
        var found = await work.QueryAsync(
            sql["match_events"], SqlArgs.With("most", most),
            row => new ParkedEvent(
                row.Text("event_id"),
                new AttemptResult(
                    row.Text("provider"), row.Uuid("order_id"), row.Text("operation"), row.Int("number"),
                    JsonSerializer.Deserialize(row.Text("result"), ResultJson.Default.GatewayResult)!)));
        if (found.Count == 0) return 0;
        await results.HandleAsync([.. found.Select(item => item.Result)], work);
        var keys = SqlArgs.Over(found).Text("provider", item => item.Result.Provider).Text("event_id", item => item.Id);
        work.Defer(sql["unpark_events"], keys);
        work.Defer(sql["mark_events_matched"], keys);
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
