using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// Carries out what operators want, all that wait in one transaction: the saga is locked, the core decides, and
/// the state, what is sent and the audit are one commit. A preview decides the same and keeps nothing.
/// </summary>
public sealed class OperatorActions(SagaStore store, SagaMemory memory, Audit audit, SignsOfLife signs)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<OperatorRequest>> batch, Work work)
    {
        var answers = new Answer[batch.Count];
        // Two actions on one saga follow each other: the second decides on what the first has left.
        foreach (var round in Rounds(batch))
        {
            var sagas = await store.LockAsync([.. round.Select(at => batch[at].Body.OrderId).Order()], work);
            var acted = new List<SagaProgress>();
            var entries = new List<AuditEntry>();
            foreach (var at in round)
            {
                var (command, wish) = (batch[at], batch[at].Body);
                if (!sagas.TryGetValue(wish.OrderId, out var known))
                {
                    answers[at] = Problem.NotFound("saga");
                    continue;
                }
                var id = work.NewId();
                if (Decide(known, wish, command.Caller.Name, id, work.Now) is not { } decided)
                {
                    answers[at] = Refused(known.Saga, wish);
                    continue;
                }
                var entry = EntryOf(decided, command, id, work.Now);
                answers[at] = Tell(decided with { AuditId = entry.Id });
                entries.Add(entry);
                acted.Add(decided.Saga);
            }
            await store.UpdateLockedAsync(acted, work);
            store.MoveTimers(acted, work);
            await audit.AppendAsync(work, entries);
            foreach (var saga in acted) saga.Send(work);
            work.AfterCommit(() => acted.ForEach(saga => memory.Remember(saga, isSaved: saga.Changed, work.Now)));
        }
        return answers;
    }

    /// <summary>What <see cref="HandleAsync"/> would do and send, of the saga as it was read.</summary>
    public Answer Preview(SagaRecord record, OperatorRequest wish, DateTimeOffset now) =>
        Decide(memory.LookBeyond(record), wish, "", Guid.Empty, now) is { } decided ? Tell(decided) : Refused(record, wish);

    /// <summary>
    /// What an order's cancellation will do and send once order-service asks for it, which decides whether it may be: of a
    /// confirmed order, too.
    /// </summary>
    public Answer PreviewOrderCancel(SagaRecord record, OperatorRequest wish, DateTimeOffset now) =>
        Tell(DecideAnyway(memory.LookBeyond(record), wish, "", Guid.Empty, now));

    sealed record Decision(
        OperatorRequest Wish, SagaProgress Saga, SagaGist Before, SagaGist After, string? Warning, Guid? AuditId = null);

    Decision? Decide(KnownSaga known, OperatorRequest wish, string actor, Guid id, DateTimeOffset now) =>
        OperatorRules.Refuse(known.Saga.State, wish) is null ? DecideAnyway(known, wish, actor, id, now) : null;

    Decision DecideAnyway(KnownSaga known, OperatorRequest wish, string actor, Guid id, DateTimeOffset now)
    {
        var record = known.Saga;
        var saga = SagaProgress.Of(known, now, alone: false);
        saga.Take(OperatorRules.EventOf(record.State, wish, actor, id));
        return new(
            wish, saga, SagaGist.Of(record.State, now, signs), SagaGist.Of(saga.State, now, signs),
            OperatorRules.WarningOf(record.State, wish));
    }

    static Answer Refused(SagaRecord record, OperatorRequest wish)
    {
        var refusal = OperatorRules.Refuse(record.State, wish)!;
        return Problem.Conflict(refusal.Code, refusal.Message);
    }

    static Answer Tell(Decision decided) => Answer.Json(
        StatusCodes.Status200OK,
        new OperatorActionBody(
            decided.Wish.OrderId, decided.Wish.Name, decided.Wish.Step, decided.AuditId is null, decided.Before,
            decided.After, [.. decided.Saga.Outgoing.Select(PlannedMessage.Of)], decided.Warning, decided.AuditId),
        SagaJson.Default.OperatorActionBody);

    static AuditEntry EntryOf(
        Decision decided, Command<OperatorRequest> command, Guid id, DateTimeOffset now)
    {
        var wish = decided.Wish;
        var subject = wish.Step is null ? null : $"{wish.Step} {(wish.Completed ? "completed" : "rejected")}";
        return new(
            id, ServiceNames.Coordinator, now, command.Caller.Name, wish.Name, wish.OrderId, subject,
            wish.Reason, JsonOf(decided.Before), JsonOf(decided.After), command.TraceId, wish.Run);
    }

    static JsonElement JsonOf(SagaGist gist) => JsonSerializer.SerializeToElement(gist, SagaJson.Default.SagaGist);

    static IEnumerable<IReadOnlyList<int>> Rounds(IReadOnlyList<Command<OperatorRequest>> batch)
    {
        var seen = new Dictionary<Guid, int>();
        return Enumerable.Range(0, batch.Count)
            .Select(at =>
            {
                var round = seen.GetValueOrDefault(batch[at].Body.OrderId);
                seen[batch[at].Body.OrderId] = round + 1;
                return (At: at, Round: round);
            })
            .GroupBy(one => one.Round).OrderBy(round => round.Key)
            .Select(round => (IReadOnlyList<int>)[.. round.Select(one => one.At)]);
    }
}
