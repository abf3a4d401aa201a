using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Body of <c>PUT /incidents/{orderId}</c>. Replaces owner and note.</summary>
/// <param name="Owner">Person or team in charge, at most 100 characters; null for nobody.</param>
/// <param name="Note">Findings, at most 2,000 characters, line breaks included; null for none.</param>
public sealed record IncidentNoteRequest(
    [Length(1, IncidentNotes.MaxOwner)] string? Owner = null, [Length(1, IncidentNotes.MaxNote)] string? Note = null);

/// <summary>Records owner and note of an incident; each change is audited with the values before.</summary>
public sealed class IncidentNotes
{
    public const int MaxOwner = 100;
    public const int MaxNote = 2_000;

    readonly SagaStore store;
    readonly Audit audit;
    readonly SqlCatalog sql;
    readonly CommandGroup<(Guid OrderId, IncidentNoteRequest Request, Precondition? If)> writing;

    public IncidentNotes(SagaStore store, Audit audit, ServiceContext context)
    {
        (this.store, this.audit, sql) = (store, audit, context.Sql);
        writing = new("note-incidents", HandleAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => writing.Loops;

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGroup("/api/v1").WithTags("operators").Require(Scopes.Operator)
            .MapPut("/incidents/{orderId}", WriteAsync).WithName("noteIncident")
            .WithSummary("Set owner and note of an incident")
            .WithDescription("Replaces the previous owner and note. Audited.")
            .Accepts<IncidentNoteRequest>("application/json").Produces<IncidentNote>().Conditional();

    async Task<IResult> WriteAsync(string orderId, HttpContext http)
    {
        var (id, invalid) = RouteId.Read(orderId, "orderId");
        if (id is null) return invalid!;
        var (command, refusal) = await Commands.ReadAsync(http, OperatorSagaJson.Default.IncidentNoteRequest);
        if (command is null) return refusal!;
        var (owner, note) = command.Body;
        return new Check().OptionalText("/owner", owner, MaxOwner)
                .OptionalText("/note", note?.Replace('\n', ' '), MaxNote).Refusal
            ?? await writing.SubmitAsync(command.For((id.Value, command.Body, Precondition.Read(http))));
    }

    async Task<IReadOnlyList<Answer>> HandleAsync(
        IReadOnlyList<Command<(Guid OrderId, IncidentNoteRequest Request, Precondition? If)>> batch, Work work)
    {
        List<Guid> orderIds = [.. batch.Select(command => command.Body.OrderId).Distinct().Order()];
        var sagas = await store.LockAsync(work, orderIds);
        var notes = (await work.QueryAsync(
                sql["incident_notes"], SqlArgs.OfUuids("order_id", orderIds),
                row => (OrderId: row.Uuid("order_id"), Note: IncidentNote.Read(row)!)))
            .ToDictionary(row => row.OrderId, row => row.Note);
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
        foreach (var command in batch)
        {
            var (id, request, condition) = command.Body;
            if (!sagas.TryGetValue(id, out var saga) || !command.Caller.Channels.Contains(saga.Facts.Channel))
                answers.Add(Problem.NotFound("incident"));
            else if (saga.State.Status != SagaStatus.Failed)
                answers.Add(Problem.Conflict("no_incident", "The order has no open incident."));
            else if (condition?.Holds(VersionOf(notes.GetValueOrDefault(id))) == false)
                answers.Add(Precondition.Failed());
            else
            {
                var note = new IncidentNote(request.Owner, request.Note, work.Now, command.Caller.Name);
                entries.Add(new(
                    work.NewId(), ServiceNames.Coordinator, work.Now, command.Caller.Name, "note", id,
                    request.Owner is { } owner ? $"for {owner}" : null, request.Note ?? "No note.",
                    JsonOf(notes.GetValueOrDefault(id)), JsonOf(note), command.TraceId,
                    Channel: saga.Facts.Channel));
                notes[id] = note;
                answers.Add(Answer.Json(
                    StatusCodes.Status200OK, note, OperatorSagaJson.Default.IncidentNote, version: VersionOf(note)));
            }
        }
        if (entries.Count == 0) return answers;
        await work.ExecuteAsync(
            sql["save_incident_notes"],
            SqlArgs.Over([.. notes.Where(row => entries.Any(entry => entry.OrderId == row.Key)).OrderBy(row => row.Key)])
                .Uuid("order_id", row => row.Key)
                .Text("owner", row => row.Value.Owner)
                .Text("note", row => row.Value.Note)
                .Text("updated_by", row => row.Value.UpdatedBy)
                .Args.And("now", work.Now));
        await audit.AppendAsync(work, entries);
        return answers;
    }

    static long? VersionOf(IncidentNote? note) => note?.UpdatedAt.ToUnixTimeMilliseconds();

    static JsonElement? JsonOf(IncidentNote? note) =>
        note is null ? null : JsonSerializer.SerializeToElement(note, OperatorSagaJson.Default.IncidentNote);
}
