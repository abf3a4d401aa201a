using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Http;
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
    SagaStore store, SagaMemory memory, TakeCall calls, Audit audit, Heartbeats heartbeats)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<OperatorAction>> batch, Work work)
    {
        var answers = new Answer[batch.Count];
        // Actions on the same saga go into successive rounds: each decides on the result of the one before.
        foreach (var round in Rounds(batch))
        {
            var sagas = await store.LockAsync(work, [.. round.Select(at => batch[at].Body.OrderId).Order()]);
            var changed = new List<SagaProgress>();
            var entries = new List<AuditEntry>();
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
                var decision = Decide(saga, action, command.Caller.Name, id, work.Now) with { AuditId = id };
                answers[at] = Respond(decision);
                entries.Add(EntryOf(decision, command, id, work.Now));
                changed.Add(decision.Saga);
            }
            await store.UpdateLockedAsync(work, changed);
            store.MoveTimers(work, changed);
            await audit.AppendAsync(work, entries);
            foreach (var saga in changed) saga.Send(work, calls);
            work.AfterCommit(() => memory.Remember(changed));
        }
        return answers;
    }

    /// <summary>Effect and messages of an action on a saga as read, without carrying the action out.</summary>
    public Answer Preview(SagaRecord saga, OperatorAction action, DateTimeOffset now) =>
        OperatorRules.Refuse(saga.State, action) is { } refusal
            ? Problem.Conflict(refusal.Code, refusal.Message)
            : Respond(Decide(saga, action, "", Guid.Empty, now));

    /// <summary>
    /// Effect and messages of an order's cancellation by order-service, which decides whether an order may be cancelled,
    /// confirmed orders included.
    /// </summary>
    public Answer PreviewOrderCancel(SagaRecord saga, OperatorAction action, DateTimeOffset now) =>
        Respond(Decide(saga, action, "", Guid.Empty, now));

    sealed record Decision(
        OperatorAction Action, SagaProgress Saga, SagaSnapshot Before, SagaSnapshot After, string? Warning,
        Guid? AuditId = null);

    Decision Decide(SagaRecord before, OperatorAction action, string actor, Guid id, DateTimeOffset now)
    {
        var saga = SagaProgress.Of(before, now);
        saga.Take(OperatorRules.EventOf(before.State, action, actor, id));
        return new(
            action, saga, SagaSnapshot.Of(before.State, now, heartbeats), SagaSnapshot.Of(saga.State, now, heartbeats),
            OperatorRules.WarningOf(before.State, action));
    }

    static Answer Respond(Decision decision) => Answer.Json(
        StatusCodes.Status200OK,
        new OperatorActionResponse(
            decision.Action.OrderId, decision.Action.Name, decision.Action.Step, decision.AuditId is null, decision.Before,
            decision.After, [.. decision.Saga.Outgoing.Select(PlannedMessage.Of)], decision.Warning, decision.AuditId),
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

    static IEnumerable<IReadOnlyList<int>> Rounds(IReadOnlyList<Command<OperatorAction>> batch)
    {
        var counts = new Dictionary<Guid, int>();
        return Enumerable.Range(0, batch.Count)
            .Select(at =>
            {
                var round = counts.GetValueOrDefault(batch[at].Body.OrderId);
                counts[batch[at].Body.OrderId] = round + 1;
                return (At: at, Round: round);
            })
            .GroupBy(item => item.Round).OrderBy(round => round.Key)
            .Select(round => (IReadOnlyList<int>)[.. round.Select(item => item.At)]);
    }
}
