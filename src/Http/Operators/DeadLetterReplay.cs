using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.Http.Operators;

/// <summary>Dead letter as operators see it.</summary>
/// <param name="Id">
/// Derived from type, order and reason, or from the content where these are unreadable: failures of the same kind share a letter.
/// </param>
/// <param name="Service">Service that failed to read or handle the message.</param>
/// <param name="OrderId">Order of the message, if readable.</param>
/// <param name="Type">Wire name, if readable.</param>
/// <param name="Source">Validated sender; null for a sender that is no service, and for an unreadable message.</param>
/// <param name="Step">Step of the process.</param>
/// <param name="Reason">Reason for giving up.</param>
/// <param name="FailedAt">Time of the first failure.</param>
/// <param name="LastFailedAt">Time of the last failure.</param>
/// <param name="Failures">Number of failures of the same type and reason; the letter holds the last message.</param>
/// <param name="ReplayedAt">Time of the last replay by an operator; null: never.</param>
/// <param name="Replayable">
/// True if the message can be sent again: readable, and to this service from a sender that may send it.
/// </param>
/// <param name="Message">CloudEvent with a masked payment token; null when unreadable or too long for a list.</param>
/// <param name="Raw">Unreadable input as received.</param>
public sealed record DeadLetterResponse(
    Guid Id, string Service, Guid? OrderId, string? Type, string? Source, string? Step, string Reason,
    DateTimeOffset FailedAt, DateTimeOffset LastFailedAt, long Failures, DateTimeOffset? ReplayedAt, bool Replayable,
    JsonElement? Message, string? Raw)
{
    /// <summary>Cursor after a dead letter, valid in the list of any service. The text sorts like the list.</summary>
    public static string PositionOf(DateTimeOffset failedAt, Guid id) => string.Create(
        CultureInfo.InvariantCulture, $"{failedAt.ToUnixTimeMilliseconds():D15} {id:D}");
}

/// <summary>Filter of a list of dead letters; null means any.</summary>
/// <param name="Before">Position of the previous page's end.</param>
/// <param name="OrderId">Order.</param>
/// <param name="Type">Wire name.</param>
/// <param name="OnlyOpen">Exclude replayed dead letters.</param>
public sealed record DeadLetterFilter(
    (DateTimeOffset At, Guid Id)? Before = null, Guid? OrderId = null, string? Type = null, bool OnlyOpen = false);

/// <param name="Id">Dead letter.</param>
/// <param name="Reason">Operator's own words.</param>
public sealed record Replay(Guid Id, string Reason);

/// <summary>Message sent again, or to be sent again.</summary>
public sealed record ReplayResponse(
    Guid Id, Guid? OrderId, string Type, string Destination, bool Preview, Guid? AuditId);

/// <summary>
/// Dead letters of a service for its operators: to read, and to send again. Replaying a message
/// handled after all is harmless, because participants always give the same reply to the same command. Only a message
/// to this service from a sender that may send the message is replayed: a forged or misdirected message stays evidence.
/// </summary>
public sealed class DeadLetterReplay
{
    const string Masked = "•••";

    readonly string service;
    readonly IDatabase database;
    readonly SqlCatalog sql;
    readonly Audit audit;
    readonly CommandGroup<Replay> replays;

    public DeadLetterReplay(ServiceContext context, Audit audit)
    {
        (service, database, sql) = (context.Service, context.Database, context.RuntimeSql);
        this.audit = audit;
        replays = new("replay-dead-letters", HandleAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => replays.Loops;

    /// <summary>Lists dead letters, newest first.</summary>
    public Task<List<DeadLetterResponse>> ListAsync(DeadLetterFilter filter, int most, CancellationToken cancel) =>
        database.QueryAsync(
            sql["dead_letters"],
            SqlArgs.With("before_at", filter.Before?.At).And("before_id", filter.Before?.Id)
                .And("order_id", filter.OrderId).And("type", filter.Type).And("only_open", filter.OnlyOpen)
                .And("most", most),
            row => Read(row).View, cancel);

    /// <summary>Returns a complete dead letter; null if unknown.</summary>
    public async Task<DeadLetterResponse?> FindAsync(Guid id, CancellationToken cancel) =>
        (await database.QueryAsync(
            sql["dead_letters_by_id"], SqlArgs.OfUuids("id", [id]), row => Read(row).View, cancel)).SingleOrDefault();

    /// <summary>Describes the message to be sent by <see cref="ReplayAsync"/>.</summary>
    public async Task<Answer> PreviewAsync(Guid id, CancellationToken cancel)
    {
        var found = await database.QueryAsync(sql["dead_letters_by_id"], SqlArgs.OfUuids("id", [id]), Read, cancel);
        return found switch
        {
            [] => Problem.NotFound("dead letter"),
            [(_, { } message)] => Tell(id, message, auditId: null),
            [var letter, ..] => Refusal(letter.View),
        };
    }

    /// <summary>Sends the message again, audits the action, and marks the dead letter as replayed.</summary>
    public Task<Answer> ReplayAsync(Command<Replay> command) => replays.SubmitAsync(command);

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<Replay>> batch, Work work)
    {
        var letters = (await work.QueryAsync(
            sql["dead_letters_by_id"],
            SqlArgs.OfUuids("id", [.. batch.Select(command => command.Body.Id).Distinct()]), Read))
            .ToDictionary(letter => letter.View.Id);
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
        foreach (var command in batch)
        {
            if (!letters.TryGetValue(command.Body.Id, out var letter))
                answers.Add(Problem.NotFound("dead letter"));
            else if (letter.Message is not { } message)
                answers.Add(Refusal(letter.View));
            else
            {
                work.Forward(message);
                entries.Add(new(
                    work.NewId(), service, work.Now, command.Caller.Name, "replay", message.OrderId,
                    $"dead letter {letter.View.Id}", command.Body.Reason, null, null, command.TraceId));
                answers.Add(Tell(letter.View.Id, message, entries[^1].Id));
            }
        }
        if (entries.Count == 0) return answers;
        var sent = batch.Select(command => command.Body.Id).Distinct()
            .Where(id => letters.GetValueOrDefault(id).Message is not null).ToList();
        await work.ExecuteAsync(sql["mark_replayed"], SqlArgs.OfUuids("id", sent).And("now", work.Now));
        await audit.AppendAsync(work, entries);
        return answers;
    }

    static Answer Tell(Guid id, Message message, Guid? auditId) => Answer.Json(
        StatusCodes.Status200OK,
        new(id, message.OrderId, message.Type, message.Destination, auditId is null, auditId),
        OperatorJson.Default.ReplayResponse);

    static Answer Refusal(DeadLetterResponse letter) => Problem.Conflict(
        ProblemCodes.NotReplayable,
        letter.Message is null
            ? "This message is unreadable. The checksum is kept as evidence and cannot be sent again."
            : $"{letter.Service} takes no {letter.Type} from its sender. The message is kept as evidence and cannot be sent " +
                "again.");

    // The message is null unless it can be sent again.
    (DeadLetterResponse View, Message? Message) Read(IRow row)
    {
        var (raw, whole) = (row.Text("raw"), row.Bool("is_whole"));
        var message = whole ? Decode(raw, row.Time("failed_at")) : null;
        var (type, source, step) = (row.TextOrNull("type"), row.TextOrNull("source"), row.TextOrNull("step"));
        var replayable = (message is not null || !whole)
            && type is not null && MessageCatalog.Travels(type, step, source, service);
        var view = new DeadLetterResponse(
            row.Uuid("id"), service, row.UuidOrNull("order_id"), type, source, step,
            row.Text("reason"), row.Time("failed_at"), row.Time("last_failed_at"), row.BigInt("failures"),
            row.TimeOrNull("replayed_at"), replayable,
            message is null ? null : WithoutToken(raw), message is null && whole ? raw : null);
        return (view, replayable ? message : null);
    }

    static Message? Decode(string raw, DateTimeOffset failedAt)
    {
        var (messages, unreadable) = CloudEventsBatch.Read(Encoding.UTF8.GetBytes($"[{raw}]"), failedAt);
        return messages is [var only] && unreadable.Count == 0 ? only : null;
    }

    // Payment tokens are not exposed.
    static JsonElement WithoutToken(string raw)
    {
        var json = JsonNode.Parse(raw)!;
        foreach (var body in new[] { json["data"], json["data"]?["order"] })
            if (body?["payment"] is JsonObject payment && payment.ContainsKey("token"))
                payment["token"] = Masked;
        return JsonSerializer.SerializeToElement(json, OperatorJson.Default.JsonNode);
    }
}
