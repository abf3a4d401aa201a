using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;
using Orderwright.StepService;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>
/// Carries out the actions of operators, all waiting actions in one transaction: the saga is locked, the core decides, and
/// state, messages and audit are one commit. A preview makes the same decision and saves nothing.
/// </summary>
public sealed class OperateSagas(
    SagaStore store, SagaMemory memory, TakeCall calls, Audit audit, Heartbeats heartbeats, HoldOperations holds)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<OperatorAction>> batch, Work work)
    {
        var answers = new Answer[batch.Count];
        var waiting = await holds.PendingOfAsync(
            work, [.. batch.Where(command => NeedsSecond(command.Body)).Select(command => command.Body.OrderId)]);
        // Actions on the same saga go into successive rounds: each decides on the result of the one before.
        foreach (var round in Rounds.Of(batch, command => command.Body.OrderId))
        {
            var sagas = await store.LockAsync(work, [.. round.Select(at => batch[at].Body.OrderId).Order()]);
            var changed = new List<SagaProgress>();
            var entries = new List<AuditEntry>();
            var held = new List<Approval>();
            foreach (var at in round)
            {
                var (command, action) = (batch[at], batch[at].Body);
                if (!sagas.TryGetValue(action.OrderId, out var saga) || !command.Caller.Channels.Contains(saga.Facts.Channel))
                {
                    answers[at] = Problem.NotFound("saga");
                    continue;
                }
                var id = work.NewId();
                if (OperatorRules.Refuse(saga.State, action) is { } refusal)
                {
                    answers[at] = Problem.Conflict(refusal.Code, refusal.Message);
                    continue;
                }
                if (NeedsSecond(action) && HoldOf(saga, command, work) is { } approval)
                {
                    answers[at] = waiting.Add(action.OrderId) ? holds.Respond(approval) : HoldOperations.AlreadyWaits();
                    if (answers[at].Status == StatusCodes.Status202Accepted) held.Add(approval);
                    continue;
                }
                var decision = Decide(saga, action, command.Caller.Name, id, work.Now) with { AuditId = id };
                answers[at] = Respond(decision);
                entries.Add(EntryOf(decision, command, id, work.Now));
                changed.Add(decision.Saga);
            }
            await store.UpdateLockedAsync(work, changed);
            store.MoveTimers(work, changed);
            await audit.AppendAsync(work, entries);
            await holds.SaveAsync(work, held);
            foreach (var saga in changed) saga.Send(work, calls);
            work.AfterCommit(() => memory.Remember(changed));
        }
        return answers;
    }

    /// <summary>Carries out resolutions that a second person has approved.</summary>
    public Task<IReadOnlyList<Answer>> HandleApprovedAsync(IReadOnlyList<ApprovedCommand> approved, Work work) =>
        HandleAsync(
            [
                .. approved.Select(one =>
                {
                    var held = JsonSerializer.Deserialize(
                        one.Approval.Command, OperatorSagaJson.Default.HeldResolution)!;
                    return one.As(new OperatorAction(
                        one.Approval.OrderId!.Value, OperatorVerb.Resolve, held.Reason, held.Step, held.Completed,
                        Reference: held.Reference, ApprovedBy: one.Approval.DecidedBy, Undo: held.Undo));
                }),
            ],
            work);

    /// <summary>Effect and messages of an action on a saga as read, without carrying the action out.</summary>
    public Answer Preview(SagaRecord saga, OperatorAction action, string actor, DateTimeOffset now) =>
        OperatorRules.Refuse(saga.State, action) is { } refusal
            ? Problem.Conflict(refusal.Code, refusal.Message)
            : Respond(Decide(saga, action, actor, Guid.Empty, now) is var decision && NeedsSecond(action) && IsAbove(saga)
                ? decision with { Warning = $"{decision.Warning} A second person has to approve first.".Trim() } : decision);

    /// <summary>
    /// Effect and messages of an order's cancellation by order-service, which decides whether an order may be cancelled,
    /// confirmed orders included.
    /// </summary>
    public Answer PreviewOrderCancel(SagaRecord saga, OperatorAction action, string actor, DateTimeOffset now) =>
        Respond(Decide(saga, action, actor, Guid.Empty, now));

    static bool NeedsSecond(OperatorAction action) => action is { Verb: OperatorVerb.Resolve, ApprovedBy: null };

    // An order without a price has no money yet.
    bool IsAbove(SagaRecord saga) => saga.Facts.TotalMinor is { } total && holds.Needs(saga.Facts.Order.Currency, total);

    Approval? HoldOf(SagaRecord saga, Command<OperatorAction> command, Work work)
    {
        if (!IsAbove(saga)) return null;
        var (action, order, total) = (command.Body, saga.Facts.Order, saga.Facts.TotalMinor!.Value);
        return holds.Hold(
            work, command, ApprovedOperations.ResolveStep, (action.OrderId, order.CustomerId, saga.Facts.Channel),
            (total, order.Currency),
            $"Record {OperatorRules.NameOf(saga.State, action)} as {(action.Completed ? "completed" : "rejected")}, for an order "
                + $"of {Money.Format(total, order.Currency)} of {order.CustomerId}.",
            action.Reason,
            JsonSerializer.Serialize(
                new(action.Step!, action.Completed, action.Reason, action.Reference, action.Undo),
                OperatorSagaJson.Default.HeldResolution));
    }

    sealed record Decision(
        OperatorAction Action, SagaProgress Saga, SagaSnapshot Before, SagaSnapshot After, string? Warning, bool IsUndo,
        Guid? AuditId = null);

    Decision Decide(SagaRecord before, OperatorAction action, string actor, Guid id, DateTimeOffset now)
    {
        var saga = SagaProgress.Of(before, now);
        saga.Take(OperatorRules.EventOf(before.State, action, actor, id));
        return new(
            action, saga, SagaSnapshot.Of(before.State, now, heartbeats), SagaSnapshot.Of(saga.State, now, heartbeats),
            OperatorRules.WarningOf(before.State, action), OperatorRules.IsUndo(before.State, action));
    }

    static Answer Respond(Decision decision) => Answer.Json(
        StatusCodes.Status200OK,
        new OperatorActionResponse(
            decision.Action.OrderId, decision.Action.Name, decision.Action.Step, decision.AuditId is null, decision.Before,
            decision.After, [.. decision.Saga.Outgoing.Select(PlannedMessage.Of)], decision.Warning, decision.AuditId,
            decision.IsUndo),
        OperatorSagaJson.Default.OperatorActionResponse);

    static AuditEntry EntryOf(Decision decision, Command<OperatorAction> command, Guid id, DateTimeOffset now)
    {
        var action = decision.Action;
        var subject = action.Step is null ? null : $"{action.Step} {(action.Completed ? "completed" : "rejected")}";
        return new(
            id, ServiceNames.Coordinator, now, command.Caller.Name, action.Name, action.OrderId, subject,
            action.Reason, JsonOf(decision.Before), JsonOf(decision.After), command.TraceId, action.Run,
            decision.Saga.Record.Facts.Channel);
    }

    static JsonElement JsonOf(SagaSnapshot snapshot) =>
        JsonSerializer.SerializeToElement(snapshot, OperatorSagaJson.Default.SagaSnapshot);
}
