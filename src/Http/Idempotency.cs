using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Http;

/// <summary>State-changing request: content, caller and Idempotency-Key.</summary>
/// <param name="Body">Content.</param>
/// <param name="Caller">Caller.</param>
/// <param name="Key">1 to 255 visible ASCII characters, or null.</param>
/// <param name="Hash">
/// SHA-256 over method, path and body: the same key with another hash is refused. Empty without a key.
/// </param>
/// <param name="AnswersLater">
/// True if the caller waits for more than the commit; the key is in flight until settled, or until this process ends.
/// </param>
public sealed record Command<T>(T Body, Caller Caller, string? Key, byte[] Hash, bool AnswersLater = false)
{
    /// <summary>Trace id of the request, for a response decided in a batch.</summary>
    public string? TraceId { get; } = Activity.Current?.TraceId.ToHexString();

    /// <summary>Owner of the key: keys of different callers are independent.</summary>
    public string Scope => $"{Caller.Channels.Default}/{Caller.Name}";
}

/// <summary>
/// Group commit with Idempotency-Keys: the keys of a batch are looked up, fresh commands are handled, and the responses are
/// stored in the same transaction. The same key and request get the first response again, byte for byte; another request with
/// the key gets 422 <c>idempotency_key_reused</c>; a request still in progress gets 409 <c>idempotency_key_in_flight</c>
/// with <c>Retry-After</c>. Keys are kept for 48 h and belong to the caller.
/// </summary>
/// <remarks>
/// A key is in progress only while this process waits on behalf of the first request. A key that nobody here waits for was left
/// by a crash, or belongs to a request at another instance. Its replay settles the key with the response of the commit, and the
/// other request then gets the same response: settling an already settled key returns the stored response.
/// </remarks>
public sealed class CommandGroup<T>
{
    // Most waits end within milliseconds.
    static readonly TimeSpan InFlightPause = TimeSpan.FromSeconds(1);

    // Keys with the request that waits in this process. A key leaves with its settlement, or when the commit failed.
    readonly ConcurrentDictionary<(string Scope, string Key), Command<T>> waiting = new();

    readonly Func<IReadOnlyList<Command<T>>, Work, Task<IReadOnlyList<Answer>>> handle;
    readonly GroupCommit<Command<T>, Answer> commands;
    readonly GroupCommit<(Command<T> Command, Answer Answer), Answer> settlements;
    readonly SqlCatalog sql;

    /// <param name="name">Name in logs.</param>
    /// <param name="handle">
    /// Returns a response per fresh command, in the same order. Responses with 5xx are not stored.
    /// </param>
    /// <param name="context">Service's context.</param>
    /// <param name="passage">Kind of the requests, for a service whose database is behind.</param>
    public CommandGroup(
        string name, Func<IReadOnlyList<Command<T>>, Work, Task<IReadOnlyList<Answer>>> handle, ServiceContext context,
        Passage passage = Passage.Requests)
    {
        this.handle = handle;
        sql = context.RuntimeSql;
        commands = new(name, HandleAsync, context.Runner, context.Options, context.Time, passage);
        settlements = new($"{name}-settle", SettleAsync, context.Runner, context.Options, context.Time, passage);
    }

    public IReadOnlyList<BackgroundLoop> Loops => [commands.Loop, settlements.Loop];

    public async Task<Answer> SubmitAsync(Command<T> command)
    {
        var isToSettle = false;
        try
        {
            var answer = await commands.SubmitAsync(command);
            isToSettle = answer is { Status: < 400, Replayed: false };
            return answer;
        }
        finally
        {
            if (!isToSettle) End(command);
        }
    }

    /// <summary>
    /// Settles a command with <see cref="Command{T}.AnswersLater"/>: stores <paramref name="answer"/> and returns it, or
    /// returns the response stored meanwhile by another request with the key.
    /// </summary>
    public async Task<Answer> SettleAsync(Command<T> command, Answer answer)
    {
        if (command.Key is null) return answer;
        try
        {
            return await settlements.SubmitAsync((command, answer));
        }
        finally
        {
            End(command);
        }
    }

    void End(Command<T> command)
    {
        if (command is { AnswersLater: true, Key: { } key }) waiting.TryRemove(new((command.Scope, key), command));
    }

    // True for the request itself: an earlier attempt of the batch was committed, and the reply to the commit was lost.
    bool IsOwn(Command<T> command) =>
        waiting.TryGetValue((command.Scope, command.Key!), out var owner) && ReferenceEquals(owner, command);

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<T>> batch, Work work)
    {
        var known = await SettleAbandonedAsync(
            await LoadAsync([.. batch.Where(command => command.Key is not null)], work), batch, work);
        var answers = new Answer?[batch.Count];
        var fresh = new List<int>();
        var firstOf = new Dictionary<(string, string), int>();
        for (var i = 0; i < batch.Count; i++)
        {
            var command = batch[i];
            if (command.Key is null)
                fresh.Add(i);
            else if (known.TryGetValue((command.Scope, command.Key), out var stored))
                answers[i] = IsOwn(command) ? stored.Answer : Problem.Traced(Replay(command, stored), command.TraceId);
            else if (firstOf.TryGetValue((command.Scope, command.Key), out var first))
                answers[i] = Problem.Traced(
                    command.Hash.AsSpan().SequenceEqual(batch[first].Hash) ? InFlight() : Reused(), command.TraceId);
            else
            {
                firstOf.Add((command.Scope, command.Key), i);
                fresh.Add(i);
            }
        }
        if (fresh.Count == 0) return answers!;

        var decided = await handle([.. fresh.Select(i => batch[i])], work);
        for (var i = 0; i < fresh.Count; i++)
            answers[fresh[i]] = Problem.Traced(decided[i], batch[fresh[i]].TraceId);
        await StoreAsync([.. fresh.Where(i => batch[i].Key is not null && answers[i]!.Status < 500)
            .Select(i => (batch[i], answers[i]!))], work);
        return answers!;
    }

    sealed record Stored(byte[] Hash, Answer Answer, bool Settled);

    async Task<Dictionary<(string, string), Stored>> LoadAsync(IReadOnlyList<Command<T>> keyed, Work work)
    {
        if (keyed.Count == 0) return [];
        var rows = await work.QueryAsync(
            sql["load_answers"],
            SqlArgs.Over([.. keyed.DistinctBy(command => (command.Scope, command.Key))])
                .Text("scope", command => command.Scope)
                .Text("key", command => command.Key),
            row => (Key: (row.Text("scope"), row.Text("key")), Stored: new Stored(
                row.Bytes("hash"),
                new Answer(
                    row.Int("status"), row.Bytes("body"), row.TextOrNull("content_type"), row.TextOrNull("location"),
                    row.BigIntOrNull("version")),
                row.Bool("settled"))));
        return rows.ToDictionary(row => row.Key, row => row.Stored);
    }

    // Once settled, a waiting request cannot return anything but the replayed response.
    async Task<Dictionary<(string, string), Stored>> SettleAbandonedAsync(
        Dictionary<(string, string), Stored> known, IReadOnlyList<Command<T>> batch, Work work)
    {
        var abandoned = new List<(Command<T> Command, Answer Answer)>();
        foreach (var command in batch)
        {
            if (command.Key is not null && known.TryGetValue((command.Scope, command.Key), out var stored)
                && !stored.Settled && IsOf(command, stored) && !waiting.ContainsKey((command.Scope, command.Key)))
                abandoned.Add((command, stored.Answer));
        }
        if (abandoned.Count == 0) return known;
        var standing = await SettleAsync(abandoned, work);
        for (var i = 0; i < abandoned.Count; i++)
        {
            var command = abandoned[i].Command;
            known[(command.Scope, command.Key!)] = new(command.Hash, standing[i], Settled: true);
        }
        return known;
    }

    static bool IsOf(Command<T> command, Stored stored) => command.Hash.AsSpan().SequenceEqual(stored.Hash);

    static Answer Replay(Command<T> command, Stored stored) =>
        !IsOf(command, stored) ? Reused()
        : !stored.Settled ? InFlight()
        : stored.Answer with { Replayed = true };

    async Task StoreAsync(IReadOnlyList<(Command<T> Command, Answer Answer)> answered, Work work)
    {
        if (answered.Count == 0) return;
        foreach (var (command, _) in answered.Where(IsLater)) waiting[(command.Scope, command.Key!)] = command;
        await work.ExecuteAsync(
            sql["store_answers"],
            SqlArgs.Over(answered)
                .Text("scope", a => a.Command.Scope)
                .Text("key", a => a.Command.Key)
                .Bytes("hash", a => a.Command.Hash)
                .BigInt("status", a => a.Answer.Status)
                .Text("content_type", a => a.Answer.ContentType)
                .Text("location", a => a.Answer.Location)
                .BigIntOrNull("version", a => a.Answer.Version)
                .Bytes("body", a => a.Answer.Body.ToArray())
                .Bool("settled", a => !IsLater(a))
                .Args.And("now", work.Now));
    }

    async Task<IReadOnlyList<Answer>> SettleAsync(IReadOnlyList<(Command<T> Command, Answer Answer)> batch, Work work)
    {
        var settled = await work.ExecuteAsync(
            sql["settle_answers"],
            SqlArgs.Over(batch)
                .Text("scope", a => a.Command.Scope)
                .Text("key", a => a.Command.Key)
                .BigInt("status", a => a.Answer.Status)
                .Text("content_type", a => a.Answer.ContentType)
                .Text("location", a => a.Answer.Location)
                .BigIntOrNull("version", a => a.Answer.Version)
                .Bytes("body", a => a.Answer.Body.ToArray()));
        if (settled == batch.Count) return [.. batch.Select(a => a.Answer)];

        // Another instance settled some keys first: on PostgreSQL the update has waited for its commit.
        var standing = await LoadAsync([.. batch.Select(a => a.Command)], work);
        return [.. batch.Select(
            a => standing.TryGetValue((a.Command.Scope, a.Command.Key!), out var stored) ? stored.Answer : a.Answer)];
    }

    static Answer Reused() => Problem.Of(
        StatusCodes.Status422UnprocessableEntity, ProblemCodes.IdempotencyKeyReused,
        "This Idempotency-Key was used for a different request.");

    static bool IsLater((Command<T> Command, Answer Answer) answered) =>
        answered.Command.AnswersLater && answered.Answer.Status < 400;

    static Answer InFlight() => Problem.Conflict(
        ProblemCodes.IdempotencyKeyInFlight, "The first request under this Idempotency-Key is still in progress.")
        with { RetryAfter = InFlightPause };
}

public static class IdempotencyKeys
{
    /// <summary>Reads the request's key, or a 400 response.</summary>
    public static (string? Key, Answer? Refusal) Read(HttpContext http)
    {
        if (!http.Request.Headers.TryGetValue("Idempotency-Key", out var values)) return (null, null);
        var key = values.ToString();
        if (CardNumbers.Contains(key)) return (null, Problem.CardNumber("Idempotency-Key"));
        return values.Count == 1 && key.Length is >= 1 and <= 255 && key.All(c => c is > ' ' and <= '~')
            ? (key, null)
            : (null, Problem.Invalid(
                "Idempotency-Key", ErrorCodes.IdempotencyKeyMalformed,
                "The key must be 1 to 255 visible ASCII characters, once."));
    }
}
