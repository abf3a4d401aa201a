using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>
/// Body of <c>POST /reconciliations</c>: compares charges created from <paramref name="From"/> (inclusive) to
/// <paramref name="To"/> (exclusive). Default: the range of the schedule.
/// </summary>
public sealed record ReconciliationRequest(string Provider, DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>Payment provider available to orders; <paramref name="HasList"/> is true when reconciliation is possible.</summary>
public sealed record ProviderResponse(string Name, bool HasList);

/// <summary>
/// Reconciliation run. <paramref name="State"/> is <c>waiting, listing, comparing</c>, then <c>agrees, differs</c> or
/// <c>failed</c>. <paramref name="Listed"/> counts the gateway's charges, <paramref name="Unrelated"/> charges without one of
/// our order ids, <paramref name="Compared"/> orders, and <paramref name="InProgress"/> orders still in progress and therefore
/// not compared. <paramref name="RequestedBy"/> is null for the schedule.
/// </summary>
public sealed record ReconciliationResponse(
    Guid Id, string Provider, DateTimeOffset From, DateTimeOffset To, [OneOf(typeof(ReconciliationStates))] string State,
    string? RequestedBy, long Listed,
    long Unrelated, long Compared, long InProgress, long Differences, string? Message, DateTimeOffset StartedAt,
    DateTimeOffset? FinishedAt)
{
    public static ReconciliationResponse Of(ReconciliationRun run) => new(
        run.Id, run.Provider, run.From, run.To, run.State, run.RequestedBy, run.Counts.Listed, run.Counts.Unrelated,
        run.Counts.Compared, run.Counts.InProgress, run.Counts.Differences, run.Message, run.StartedAt, run.FinishedAt);
}

/// <summary>
/// Difference between both records: <paramref name="Message"/> describes the values, <paramref name="Repair"/> the recommended
/// action with the exact request. For the kind <c>journal</c>, <paramref name="Theirs"/> contains our journal's amounts.
/// </summary>
public sealed record DifferenceResponse(
    long Number, [OneOf(typeof(DifferenceKinds))] string Kind, Guid OrderId, string? Reference, string Currency,
    ChargeTotals Ours, ChargeTotals Theirs,
    string Message, string Repair)
{
    public static DifferenceResponse Of(StoredDifference stored) => new(
        stored.Number, stored.Difference.Kind, stored.Difference.OrderId, stored.Difference.Reference,
        stored.Difference.Currency, stored.Difference.Ours, stored.Difference.Theirs, stored.Difference.Message,
        stored.Difference.Repair);
}

/// <summary>JSON of reconciliations in the HTTP API.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ReconciliationRequest))]
[JsonSerializable(typeof(ReconciliationResponse))]
[JsonSerializable(typeof(Page<ReconciliationResponse>))]
[JsonSerializable(typeof(Page<DifferenceResponse>))]
[JsonSerializable(typeof(Page<ProviderResponse>))]
public sealed partial class ReconciliationJson : JsonSerializerContext;
