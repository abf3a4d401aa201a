using System.ComponentModel.DataAnnotations;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;
using Orderwright.StepService;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Body of <c>POST /sagas/{orderId}/resolve</c>.</summary>
/// <param name="Step">The step to resolve, or its undo, whichever is outstanding.</param>
/// <param name="Outcome"><c>completed</c> or <c>rejected</c>.</param>
/// <param name="Reason">The operator's own words, 1 to 500 characters.</param>
/// <param name="Reference">The gateway's id of a payment that happened; required to capture and refund the payment.</param>
/// <param name="Undo">
/// True resolves the undo only, false the step only, whose meanings are opposite; null whichever is outstanding.
/// </param>
public sealed record ResolveRequest(
    string Step, [OneOf("completed", "rejected")] string Outcome, [Length(1, OperatorApi.MaxReason)] string Reason,
    [Length(1, OperatorApi.MaxReference)] string? Reference = null, bool? Undo = null);

/// <summary>Resolution that waits for a second person, as stored.</summary>
public sealed record HeldResolution(string Step, bool Completed, string Reason, string? Reference, bool? Undo = null);

/// <summary>Result of an operator's action, or of a preview.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Action"><c>retry, compensate, cancel, resolve</c>.</param>
/// <param name="Step">The resolved step.</param>
/// <param name="Preview">True if nothing was done.</param>
/// <param name="Before">The saga before the action.</param>
/// <param name="After">The saga after the action.</param>
/// <param name="Messages">Messages sent at once.</param>
/// <param name="Warning">Fact to check first.</param>
/// <param name="AuditId">Id of the audit entry; null for a preview.</param>
/// <param name="Undo">The undo of the resolved step is outstanding, not the step.</param>
public sealed record OperatorActionResponse(
    Guid OrderId, [OneOf("retry", "compensate", "cancel", "resolve")] string Action, string? Step, bool Preview,
    SagaSnapshot Before, SagaSnapshot After,
    IReadOnlyList<PlannedMessage> Messages, string? Warning, Guid? AuditId, bool Undo);

/// <summary>Summary of a saga before or after an action.</summary>
public sealed record SagaSnapshot(
    [OneOf(typeof(SagaStates))] string State, string? Step, string? WaitingFor, string? Code, long Version, string Summary)
{
    public static SagaSnapshot Of(SagaState state, DateTimeOffset now, Heartbeats heartbeats)
    {
        var (step, waitingFor, code) = SagaHeadline.Of(state);
        return new(
            SagaNames.Of(state.Status), step, waitingFor, code, state.Version, SagaSummary.Of(state, now, heartbeats));
    }
}

/// <summary>Message sent by an action.</summary>
/// <param name="Type">Type on the wire.</param>
/// <param name="Destination">The receiving service.</param>
/// <param name="Step">The step of a command; null for a notification of the outcome.</param>
/// <param name="Attempt">Number of the attempt, from 1.</param>
/// <param name="Deadline">End of the wait for a reply.</param>
public sealed record PlannedMessage(
    string Type, string Destination, string? Step, int Attempt, DateTimeOffset? Deadline)
{
    public static PlannedMessage Of(OutgoingMessage message) => message.Body is StepCall call
        ? new(StepCall.Type, call.Participant, message.Step, message.Attempt, message.Deadline)
        : new(
        MessageCatalog.TypeOf(message.Body), MessageCatalog.DestinationOf(message.Body), message.Step, message.Attempt,
        message.Deadline);
}
