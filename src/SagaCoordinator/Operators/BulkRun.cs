using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Action of an operator on many sagas.</summary>
/// <param name="Verb">Retry or compensate.</param>
/// <param name="Where">Filter of the sagas.</param>
/// <param name="Reason">The operator's own words, recorded in the audit of each saga.</param>
/// <param name="Canary">Number of sagas that are acted on first and must succeed before the others follow; 0 for none.</param>
/// <param name="Caller">The operator.</param>
public sealed record BulkAction(OperatorVerb Verb, SagaFilter Where, string Reason, int Canary, Caller Caller)
{
    public string Name => Verb == OperatorVerb.Retry ? "retry" : "compensate";
}

/// <summary>Progress of a bulk action.</summary>
/// <param name="Id">Derived from the Idempotency-Key, if any.</param>
/// <param name="Action"><c>retry</c> or <c>compensate</c>.</param>
/// <param name="Where">Filter of the sagas.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Actor">Name of the operator.</param>
/// <param name="State"><c>waiting, canary, rest, stopping, done, stopped</c>.</param>
/// <param name="StoppedBecause">A sentence, if the action was stopped or stopped by itself.</param>
/// <param name="Total">Number of sagas found at the start.</param>
/// <param name="Acted">Number of sagas acted on so far.</param>
/// <param name="Refused">Number of sagas advanced meanwhile.</param>
/// <param name="WentOn">Number of sagas advanced by the action.</param>
/// <param name="StuckAgain">Number of sagas with a new incident.</param>
/// <param name="Undecided">Number of sagas without progress.</param>
/// <param name="StartedAt">Time of the request.</param>
/// <remarks>
/// The audit lists each single action under this id. <see cref="BulkActions.OrdersOf"/> lists the outcome of each saga.
/// </remarks>
public sealed record BulkRun(
    Guid Id, [OneOf("retry", "compensate")] string Action, SagaFilter Where, string Reason, string Actor,
    [OneOf(typeof(BulkStates))] string State, string? StoppedBecause, int Total,
    int Acted, int Refused, int WentOn, int StuckAgain, int Undecided, DateTimeOffset StartedAt)
{
    /// <summary>Channels of the operator, and so of the sagas.</summary>
    [JsonIgnore]
    public ChannelSet Channels { get; init; } = ChannelSet.All;

    public bool IsOver => State is "done" or "stopped";
}
