using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Request to stop a bulk action.</summary>
/// <param name="Id">The bulk action.</param>
/// <param name="Reason">The operator's own words.</param>
public sealed record BulkStop(Guid Id, string Reason);

/// <summary>Stops bulk actions; each stop is audited.</summary>
public sealed class BulkStops
{
    readonly BulkActions bulk;
    readonly Audit audit;
    readonly CommandGroup<BulkStop> stopping;

    public BulkStops(BulkActions bulk, Audit audit, ServiceContext context)
    {
        (this.bulk, this.audit) = (bulk, audit);
        stopping = new("stop-bulk-actions", HandleAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => stopping.Loops;

    public Task<Answer> SubmitAsync(Command<BulkStop> command) => stopping.SubmitAsync(command);

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<BulkStop>> batch, Work work)
    {
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
        foreach (var command in batch)
        {
            var (id, reason) = command.Body;
            if (bulk.Find(id, command.Caller.Channels) is not { } run)
                answers.Add(Problem.NotFound("bulk action"));
            else if (run.IsOver)
                answers.Add(Problem.Conflict("already_over", "This bulk action has ended."));
            else
            {
                var by = command.Caller.Name;
                entries.Add(new(
                    work.NewId(), ServiceNames.Coordinator, work.Now, by, "stop", null, $"bulk action {id}", reason, null, null,
                    command.TraceId, id));
                work.AfterCommit(() => bulk.Stop(id, $"Stopped by {by}: {reason}"));
                answers.Add(Answer.Json(
                    StatusCodes.Status202Accepted, run with { State = "stopping" }, OperatorSagaJson.Default.BulkRun));
            }
        }
        await audit.AppendAsync(work, entries);
        return answers;
    }
}
