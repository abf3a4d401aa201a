using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <param name="Step">Which step is answered, or its undo, whichever is outstanding.</param>
/// <param name="Outcome"><c>completed</c> or <c>rejected</c>.</param>
/// <param name="Reason">Why, in the operator's own words: 1 to 500 characters.</param>
/// <param name="Reference">Of a payment that was made: the gateway's id of it, which capturing and refunding need.</param>
public sealed record ResolveRequest(string Step, string Outcome, string Reason, string? Reference = null);

/// <summary>What an operator's action does, or with <paramref name="Preview"/> would do.</summary>
/// <param name="OrderId">Whose process.</param>
/// <param name="Action"><c>retry, compensate, cancel, resolve</c>.</param>
/// <param name="Step">The step that is resolved.</param>
/// <param name="Preview">Nothing was done.</param>
/// <param name="Before">How it stood.</param>
/// <param name="After">How it stands then.</param>
/// <param name="Messages">What is sent at once.</param>
/// <param name="Warning">What to make sure of first.</param>
/// <param name="AuditId">Under which it stands in the audit; null for a preview.</param>
public sealed record OperatorActionBody(
    Guid OrderId, string Action, string? Step, bool Preview, SagaGist Before, SagaGist After,
    IReadOnlyList<PlannedMessage> Messages, string? Warning, Guid? AuditId);

/// <summary>A saga in a few words.</summary>
public sealed record SagaGist(
    string State, string? Step, string? WaitingFor, string? Code, long Version, string Summary)
{
    public static SagaGist Of(SagaState state, DateTimeOffset now, SignsOfLife signs)
    {
        var headline = Headline.Of(state);
        return new(
            SagaNames.Of(state.Status), headline.Step, headline.WaitingFor, headline.Code, state.Version,
            Explain.Sentence(state, now, signs));
    }
}

/// <param name="Type">Its wire name.</param>
/// <param name="Destination">The service it goes to.</param>
/// <param name="Step">The step it asks for or undoes; null for what tells how an order ended.</param>
/// <param name="Attempt">1 for the first time.</param>
/// <param name="Deadline">When its answer is not awaited any more.</param>
public sealed record PlannedMessage(
    string Type, string Destination, string? Step, int Attempt, DateTimeOffset? Deadline)
{
    public static PlannedMessage Of((IMessageBody Body, string? Step, int Attempt, DateTimeOffset? Deadline) sent) => new(
        MessageCatalog.TypeOf(sent.Body), MessageCatalog.DestinationOf(sent.Body), sent.Step, sent.Attempt,
        sent.Deadline);
}
