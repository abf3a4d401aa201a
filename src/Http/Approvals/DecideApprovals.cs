using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Http.Approvals;

/// <summary>Approved operation to carry out.</summary>
/// <param name="Approval">The operation, with both people.</param>
/// <param name="TraceId">Trace id of the decision.</param>
public sealed record ApprovedCommand(Approval Approval, string? TraceId)
{
    /// <summary>The request again, in the name of the requesting person, whose rights were checked then.</summary>
    public Command<T> As<T>(T body) =>
        new(body, new Caller(Approval.RequestedBy, ChannelSet.All, []), null, []);
}

/// <summary>Kind of operation that waits for approval, and its handler.</summary>
/// <param name="Name">One of <see cref="ApprovedOperations"/>.</param>
/// <param name="RunAsync">
/// Carries operations out in the transaction of the decisions, and returns a response per operation, in the same order. An
/// operation with a response from 400 on has had no effect, and its approval stays pending.
/// </param>
public sealed record ApprovedOperation(
    string Name, Func<IReadOnlyList<ApprovedCommand>, Work, Task<IReadOnlyList<Answer>>> RunAsync);

/// <summary>Filter of a list of approvals; null means any.</summary>
public sealed record ApprovalFilter(Guid? Before, Guid? OrderId, string? State, string? Channels);

/// <summary>
/// Decides about pending approvals of a service: approves, rejects, and lets them expire. The row is locked, the operation is
/// carried out, and the row is marked in one transaction, so that an operation happens at most once however many people
/// decide at the same time.
/// </summary>
public sealed class DecideApprovals
{
    readonly ServiceContext context;
    readonly Audit audit;
    readonly ApprovalStore store;
    readonly CommandGroup<Verdict> verdicts;
    readonly Dictionary<string, ApprovedOperation> operations;

    /// <param name="context">Service that carries the operations out.</param>
    /// <param name="audit">Audit of that service.</param>
    /// <param name="operations">Kinds of operations.</param>
    public DecideApprovals(ServiceContext context, Audit audit, params IReadOnlyList<ApprovedOperation> operations)
    {
        (this.context, this.audit) = (context, audit);
        this.operations = operations.ToDictionary(operation => operation.Name);
        store = new(context.RuntimeSql);
        verdicts = new("decide-approvals", HandleAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => verdicts.Loops;

    /// <summary>Lets approvals expire.</summary>
    public TimedJob Job => new("expire-approvals", null, ExpireAsync) { NeedsCertainTime = true };

    public Task<Answer> DecideAsync(Command<Verdict> command) => verdicts.SubmitAsync(command);

    /// <summary>Lists approvals, newest first.</summary>
    public Task<List<ApprovalResponse>> ListAsync(ApprovalFilter filter, int most, CancellationToken cancel) =>
        context.Database.QueryAsync(
            context.RuntimeSql["approvals"],
            SqlArgs.With("before", filter.Before).And("order_id", filter.OrderId).And("state", filter.State)
                .And("channels", filter.Channels).And("most", most),
            row => ApprovalResponse.Of(ApprovalStore.Read(row), context.Service), cancel);

    /// <summary>Returns an approval; null if unknown, or of a channel that the caller does not reach.</summary>
    public async Task<ApprovalResponse?> FindAsync(Guid id, ChannelSet channels, CancellationToken cancel) =>
        (await context.Database.QueryAsync(
            context.RuntimeSql["approval"], SqlArgs.With("id", id).And("channels", channels.Filter),
            row => ApprovalResponse.Of(ApprovalStore.Read(row), context.Service), cancel)).SingleOrDefault();

    /// <summary>
    /// Ends all pending approvals, after a restore of the database: their operations may have been carried out since.
    /// </summary>
    public Task ExpireAllAsync(Work work) => store.ExpireAllAsync(work);

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<Verdict>> batch, Work work)
    {
        var answers = new Answer[batch.Count];
        var approvals = (await store.LockAsync(work, [.. batch.Select(command => command.Body.Id).Distinct()]))
            .ToDictionary(approval => approval.Id);
        // Verdicts on the same approval go into successive rounds: each sees the result of the one before.
        foreach (var round in Rounds.Of(batch, command => command.Body.Id))
        {
            var allowed = new List<(int At, Approval After)>();
            foreach (var at in round)
            {
                var (verdict, caller) = (batch[at].Body, batch[at].Caller);
                if (!approvals.TryGetValue(verdict.Id, out var approval) || !caller.Channels.Contains(approval.Channel))
                    answers[at] = Problem.NotFound("approval");
                else if (ApprovalRules.IsRepeated(approval, verdict, caller.Name))
                    answers[at] = Respond(approval);
                else if (ApprovalRules.Refuse(approval, caller.Name, work.Now) is { } refusal)
                    answers[at] = refusal;
                else
                    allowed.Add((at, ApprovalRules.Decide(approval, verdict, caller.Name, work.Now)));
            }
            var results = await CarryOutAsync([.. allowed.Where(one => batch[one.At].Body.Approves)], batch, work);
            foreach (var (at, after) in allowed)
                answers[at] = results.TryGetValue(at, out var result)
                    ? result.Status < StatusCodes.Status400BadRequest ? Respond(after, result) : result
                    : Respond(after);
            var decided = allowed.Where(one => answers[one.At].Status < StatusCodes.Status400BadRequest).ToList();
            await store.DecideAsync(work, [.. decided.Select(one => one.After)]);
            foreach (var (_, after) in decided) approvals[after.Id] = after;
            await audit.AppendAsync(
                work,
                [.. decided.Select(one => HoldOperations.EntryOf(
                    work, context.Service, one.After, batch[one.At].Body.Approves ? "approve" : "reject", one.After.DecidedBy!,
                    one.After.DecisionReason ?? "", batch[one.At].TraceId))]);
        }
        return answers;
    }

    // Responses by the verdict's place in the batch.
    async Task<Dictionary<int, Answer>> CarryOutAsync(
        IReadOnlyList<(int At, Approval After)> approved, IReadOnlyList<Command<Verdict>> batch, Work work)
    {
        var results = new Dictionary<int, Answer>();
        foreach (var kind in approved.GroupBy(one => one.After.Operation))
        {
            var commands = kind.ToList();
            var answers = await operations[kind.Key].RunAsync(
                [.. commands.Select(one => new ApprovedCommand(one.After, batch[one.At].TraceId))], work);
            for (var i = 0; i < commands.Count; i++) results.Add(commands[i].At, answers[i]);
        }
        return results;
    }

    async Task<int> ExpireAsync(Work work, int most)
    {
        var over = await store.LockExpiredAsync(work, most);
        await store.DecideAsync(work, [.. over.Select(approval => ApprovalRules.Expire(approval, work.Now))]);
        await audit.AppendAsync(
            work,
            [.. over.Select(approval => HoldOperations.EntryOf(
                work, context.Service, approval, "expire", context.Service, "", null))]);
        return over.Count;
    }

    Answer Respond(Approval approval, Answer? result = null) => Answer.Json(
        StatusCodes.Status200OK,
        ApprovalResponse.Of(
            approval, context.Service,
            result is { Body.Length: > 0 } ? JsonSerializer.Deserialize<JsonElement>(result.Body.Span) : null),
        ApprovalJson.Default.ApprovalResponse);
}
