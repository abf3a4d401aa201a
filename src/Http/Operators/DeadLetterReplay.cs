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

/// <summary>A message that was given up, as operators see it.</summary>
/// <param name="Id">The message's own; for one that nobody could read, made from its content.</param>
/// <param name="Service">Who could not read or handle it.</param>
/// <param name="OrderId">Whose it is, where that could be read.</param>
/// <param name="Type">Its wire name, where that could be read.</param>
/// <param name="Source">Who sent it.</param>
/// <param name="Step">The step of the process it belongs to.</param>
/// <param name="Reason">Why it was given up.</param>
/// <param name="FailedAt">When.</param>
/// <param name="ReplayedAt">When an operator last sent it again; null: never.</param>
/// <param name="Replayable">It can be read, so it can be sent again.</param>
/// <param name="Message">The CloudEvent, its payment token masked; null when unreadable or too long for a list.</param>
/// <param name="Raw">What cannot be read, as it came.</param>
public sealed record DeadLetterView(
    Guid Id, string Service, Guid? OrderId, string? Type, string? Source, string? Step, string Reason,
    DateTimeOffset FailedAt, DateTimeOffset? ReplayedAt, bool Replayable, JsonElement? Message, string? Raw)
{
    /// <summary>
    /// Where the list goes on after a letter, in this service's list as in any other's. As text it sorts as the list does.
    /// </summary>
    public static string PositionOf(DateTimeOffset failedAt, Guid id) => string.Create(
        CultureInfo.InvariantCulture, $"{failedAt.ToUnixTimeMilliseconds():D15} {id:D}");
}

/// <summary>What a list of dead letters is narrowed to; null means all.</summary>
/// <param name="Before">Where the page before ended.</param>
/// <param name="OrderId">Of one order.</param>
/// <param name="Type">Of one wire name.</param>
/// <param name="OnlyOpen">Not those that were sent again.</param>
public sealed record DeadLetterFilter(
    (DateTimeOffset At, Guid Id)? Before = null, Guid? OrderId = null, string? Type = null, bool OnlyOpen = false);

/// <param name="Id">Which letter.</param>
/// <param name="Reason">The operator's own words.</param>
public sealed record Replay(Guid Id, string Reason);

/// <summary>A message that is, or would be, sent again.</summary>
public sealed record ReplayView(
    Guid Id, Guid? OrderId, string Type, string Destination, bool Preview, Guid? AuditId);

/// <summary>
/// A service's dead letters for its operators: to read, and to send again to where they were going. To replay is
/// harmless for what was handled after all, as every participant answers the same command the same way.
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

    /// <summary>Newest first.</summary>
    public Task<List<DeadLetterView>> ListAsync(DeadLetterFilter filter, int most, CancellationToken cancel) =>
        database.QueryAsync(
            sql["dead_letters"],
            SqlArgs.With("before_at", filter.Before?.At).And("before_id", filter.Before?.Id)
                .And("order_id", filter.OrderId).And("type", filter.Type).And("only_open", filter.OnlyOpen)
                .And("most", most),
            row => Read(row).View, cancel);

    /// <summary>One, whole; null when there is none here.</summary>
    public async Task<DeadLetterView?> FindAsync(Guid id, CancellationToken cancel) =>
        (await database.QueryAsync(
            sql["dead_letters_by_id"], SqlArgs.OfUuids("id", [id]), row => Read(row).View, cancel)).SingleOrDefault();

    /// <summary>What <see cref="ReplayAsync"/> would send.</summary>
    public async Task<Answer> PreviewAsync(Guid id, CancellationToken cancel)
    {
        var found = await database.QueryAsync(
            sql["dead_letters_by_id"], SqlArgs.OfUuids("id", [id]), row => Read(row).Message, cancel);
        return found switch
        {
            [] => Problem.NotFound("dead letter"),
            [{ } message] => Tell(id, message, auditId: null),
            _ => Unreadable,
        };
    }

    /// <summary>Sends it again, notes who wanted it and why, and marks it.</summary>
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
                answers.Add(Unreadable);
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
        await audit.AppendAsync(entries, work);
        return answers;
    }

    static Answer Tell(Guid id, Message message, Guid? auditId) => Answer.Json(
        StatusCodes.Status200OK,
        new(id, message.OrderId, message.Type, message.Destination, auditId is null, auditId),
        OperatorJson.Default.ReplayView);

    static Answer Unreadable => Problem.Conflict(
        "not_replayable", "Nobody could read this message: it is kept for its evidence, and cannot be sent again.");

    (DeadLetterView View, Message? Message) Read(IRow row)
    {
        var (raw, whole) = (row.Text(5), row.Bool(6));
        var message = whole ? Decode(raw) : null;
        var named = row.TextOrNull(2) is { } type && MessageCatalog.JsonOf(type) is not null;
        var view = new DeadLetterView(
            row.Uuid(0), service, row.UuidOrNull(1), row.TextOrNull(2), row.TextOrNull(3), row.TextOrNull(4),
            row.Text(7), row.Time(8), row.TimeOrNull(9),
            Replayable: whole ? message is not null : named && row.TextOrNull(3) is not null,
            message is null ? null : WithoutToken(raw), message is null && whole ? raw : null);
        return (view, message);
    }

    static Message? Decode(string raw)
    {
        var (messages, unreadable) = CloudEventsBatch.Read(Encoding.UTF8.GetBytes($"[{raw}]"));
        return messages is [var only] && unreadable.Count == 0 ? only : null;
    }

    // What pays for an order is nobody's to read.
    static JsonElement WithoutToken(string raw)
    {
        var json = JsonNode.Parse(raw)!;
        foreach (var body in new[] { json["data"], json["data"]?["order"] })
            if (body?["payment"] is JsonObject payment && payment.ContainsKey("token"))
                payment["token"] = Masked;
        return JsonSerializer.SerializeToElement(json, OperatorJson.Default.JsonNode);
    }
}
