using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>
/// Body of <c>POST /reconciliations</c>: charges made from <paramref name="From"/> until before <paramref name="To"/>; by
/// default what the schedule looks at.
/// </summary>
public sealed record ReconciliationRequest(string Provider, DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>A payment gateway that orders can be paid through; <paramref name="HasList"/>: it can be reconciled with.</summary>
public sealed record ProviderResponse(string Name, bool HasList);

/// <summary>
/// One comparison. <paramref name="State"/>: <c>waiting, listing, comparing</c>, then <c>agrees, differs</c> or
/// <c>failed</c>. <paramref name="Listed"/> charges of the gateway, <paramref name="Unrelated"/> of them not made by us;
/// <paramref name="Compared"/> orders, <paramref name="UnderWay"/> of them still moving, which is no difference.
/// <paramref name="AskedBy"/> is null for the schedule.
/// </summary>
public sealed record ReconciliationResponse(
    Guid Id, string Provider, DateTimeOffset From, DateTimeOffset To, string State, string? AskedBy, long Listed,
    long Unrelated, long Compared, long UnderWay, long Differences, string? Message, DateTimeOffset StartedAt,
    DateTimeOffset? FinishedAt)
{
    public static ReconciliationResponse Of(ReconciliationRun run) => new(
        run.Id, run.Provider, run.From, run.To, run.State, run.RequestedBy, run.Counts.Listed, run.Counts.Unrelated,
        run.Counts.Compared, run.Counts.UnderWay, run.Counts.Differences, run.Message, run.StartedAt, run.FinishedAt);
}

/// <summary>
/// What does not agree: <paramref name="Message"/> says what, <paramref name="Repair"/> what to do, with the exact call.
/// <paramref name="Theirs"/> of a <c>journal</c> difference is what our journal says.
/// </summary>
public sealed record DifferenceResponse(
    long Number, string Kind, Guid OrderId, string? Reference, string Currency, ChargeTotals Ours, ChargeTotals Theirs,
    string Message, string Repair)
{
    public static DifferenceResponse Of(StoredDifference one) => new(
        one.Number, one.Difference.Kind, one.Difference.OrderId, one.Difference.Reference, one.Difference.Currency,
        one.Difference.Ours, one.Difference.Theirs, one.Difference.Message, one.Difference.Repair);
}

/// <summary>JSON of reconciliations in the HTTP API.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(ReconciliationRequest))]
[JsonSerializable(typeof(ReconciliationResponse))]
[JsonSerializable(typeof(Page<ReconciliationResponse>))]
[JsonSerializable(typeof(Page<DifferenceResponse>))]
[JsonSerializable(typeof(Page<ProviderResponse>))]
public sealed partial class ReconciliationJson : JsonSerializerContext;
