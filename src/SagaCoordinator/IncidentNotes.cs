using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>What is to stand about an incident; it replaces what stood there.</summary>
/// <param name="Owner">Who minds it, at most 100 characters; null for nobody.</param>
/// <param name="Note">What was found out, at most 2,000 characters, line breaks among them; null for nothing.</param>
public sealed record IncidentNoteRequest(string? Owner = null, string? Note = null);

/// <summary>What operators wrote about an incident.</summary>
/// <param name="Owner">Who minds it.</param>
/// <param name="Note">What was found out.</param>
/// <param name="UpdatedAt">When this was written.</param>
/// <param name="UpdatedBy">By whom: the caller's name.</param>
public sealed record IncidentNote(string? Owner, string? Note, DateTimeOffset UpdatedAt, string UpdatedBy);

/// <summary>Writes down who minds an incident and what they found out; each change is audited with what stood before.</summary>
public sealed class IncidentNotes
{
    const int MaxOwner = 100;
    const int MaxNote = 2_000;

    readonly SagaStore store;
    readonly Audit audit;
    readonly SqlCatalog sql;
    readonly IDatabase database;
    readonly CommandGroup<(Guid OrderId, IncidentNoteRequest Wish)> writing;

    public IncidentNotes(SagaStore store, Audit audit, ServiceContext context)
    {
        (this.store, this.audit, sql, database) = (store, audit, context.Sql, context.Database);
        writing = new("note-incidents", HandleAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => writing.Loops;

    /// <summary>Null where nobody wrote anything.</summary>
    public async Task<IncidentNote?> FindAsync(Guid orderId, CancellationToken cancel) =>
        (await database.QueryAsync(sql["incident_notes"], SqlArgs.OfUuids("order_id", [orderId]), Read, cancel))
        .Select(row => row.Note).SingleOrDefault();

    public async Task<IResult> WriteAsync(string orderId, HttpContext http)
    {
        if (!Guid.TryParseExact(orderId, "D", out var id)) return Problem.Invalid("orderId", "invalid_id", "A UUID.");
        var (command, refusal) = await Commands.ReadAsync(http, SagaJson.Default.IncidentNoteRequest);
        if (command is null) return refusal!;
        var (owner, note) = command.Body;
        return new Check().OptionalText("/owner", owner, MaxOwner)
                .OptionalText("/note", note?.Replace('\n', ' '), MaxNote).Refusal
            ?? await writing.SubmitAsync(command.For((id, command.Body)));
    }

    async Task<IReadOnlyList<Answer>> HandleAsync(
        IReadOnlyList<Command<(Guid OrderId, IncidentNoteRequest Wish)>> batch, Work work)
    {
        List<Guid> asked = [.. batch.Select(command => command.Body.OrderId).Distinct().Order()];
        var sagas = await store.LockAsync(asked, work);
        var notes = (await work.QueryAsync(sql["incident_notes"], SqlArgs.OfUuids("order_id", asked), Read))
            .ToDictionary(row => row.OrderId, row => row.Note);
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
        foreach (var command in batch)
        {
            var (id, wish) = command.Body;
            if (!sagas.TryGetValue(id, out var known))
                answers.Add(Problem.NotFound("incident"));
            else if (known.Saga.State.Status != SagaStatus.Failed)
                answers.Add(Problem.Conflict("no_incident", "This process is no open incident."));
            else
            {
                var note = new IncidentNote(wish.Owner, wish.Note, work.Now, command.Caller.Name);
                entries.Add(new(
                    work.NewId(), ServiceNames.Coordinator, work.Now, command.Caller.Name, "note", id,
                    wish.Owner is { } owner ? $"for {owner}" : null, wish.Note ?? "No note.",
                    JsonOf(notes.GetValueOrDefault(id)), JsonOf(note), command.TraceId));
                notes[id] = note;
                answers.Add(Answer.Json(StatusCodes.Status200OK, note, SagaJson.Default.IncidentNote));
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

    static (Guid OrderId, IncidentNote Note) Read(IRow row) => (row.Uuid(0), Read(row, 1)!);

    /// <summary>From four columns; null where a left join found none.</summary>
    internal static IncidentNote? Read(IRow row, int at) => row.TextOrNull(at + 3) is { } by
        ? new(row.TextOrNull(at), row.TextOrNull(at + 1), row.Time(at + 2), by)
        : null;

    static JsonElement? JsonOf(IncidentNote? note) =>
        note is null ? null : JsonSerializer.SerializeToElement(note, SagaJson.Default.IncidentNote);
}
