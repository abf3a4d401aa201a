using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Http;

/// <summary>A request that changes something: its content, who asks, and under which Idempotency-Key, if any.</summary>
/// <param name="Body">What is asked.</param>
/// <param name="Caller">Who asks.</param>
/// <param name="Key">1 to 255 visible ASCII characters, or null.</param>
/// <param name="Hash">SHA-256 over method, path and body: the same key with another hash is refused. Empty without a key.</param>
/// <param name="AnswersLater">The caller waits for more than the commit; its key is in flight until it is settled.</param>
public sealed record Command<T>(T Body, Caller Caller, string? Key, byte[] Hash, bool AnswersLater = false)
{
    /// <summary>The request's trace, for the answer that is decided in a batch of many.</summary>
    public string? TraceId { get; } = Activity.Current?.TraceId.ToHexString();

    /// <summary>Two callers' keys never meet.</summary>
    public string Scope => $"{Caller.Merchant}/{Caller.Name}";
}

/// <summary>
/// Group commit with Idempotency-Keys: the keys of a batch are looked up, fresh commands are handled, and their answers
/// are stored in the same transaction. The same key and request get the first answer again, byte for byte; another
/// request under it 422 <c>idempotency_key_reused</c>; one that is still being answered 409 <c>idempotency_key_in_flight</c>.
/// Keys are kept for 48 h and belong to the caller.
/// </summary>
/// <remarks>
/// Clocks of two instances may differ by more than anybody waits. So whoever repeats the answer of an abandoned key
/// settles it in the same transaction, and whoever comes to settle a key that is settled gives the answer that stands.
/// </remarks>
public sealed class CommandGroup<T>
{
    // How long a command that answers later may leave its key unsettled. Longer than any wait a client can ask for
    // (30 s): past it, whoever waited is gone, and the answer of the commit stands.
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    readonly Func<IReadOnlyList<Command<T>>, Work, Task<IReadOnlyList<Answer>>> handle;
    readonly GroupCommit<Command<T>, Answer> commands;
    readonly GroupCommit<(Command<T> Command, Answer Answer), Answer> settlements;
    readonly SqlCatalog sql;

    /// <param name="name">For logs.</param>
    /// <param name="handle">Returns one answer per fresh command, in the same order. Answers of 5xx are not kept.</param>
    /// <param name="context">The service's.</param>
    public CommandGroup(
        string name, Func<IReadOnlyList<Command<T>>, Work, Task<IReadOnlyList<Answer>>> handle, ServiceContext context)
    {
        this.handle = handle;
        sql = context.RuntimeSql;
        commands = new(name, HandleAsync, context.Runner, context.Options, context.Time);
        settlements = new($"{name}-settle", SettleAsync, context.Runner, context.Options, context.Time);
    }

    public IReadOnlyList<BackgroundLoop> Loops => [commands.Loop, settlements.Loop];

    public Task<Answer> SubmitAsync(Command<T> command) => commands.SubmitAsync(command);

    /// <summary>
    /// For a command with <see cref="Command{T}.AnswersLater"/>: stores <paramref name="answer"/> and returns it, or returns
    /// what was answered meanwhile to another request under the key.
    /// </summary>
    public Task<Answer> SettleAsync(Command<T> command, Answer answer) =>
        command.Key is null ? Task.FromResult(answer) : settlements.SubmitAsync((command, answer));

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
                answers[i] = Problem.Traced(Replay(command, stored), command.TraceId);
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

    sealed record Stored(byte[] Hash, Answer Answer, bool Settled, DateTimeOffset At);

    async Task<Dictionary<(string, string), Stored>> LoadAsync(IReadOnlyList<Command<T>> keyed, Work work)
    {
        if (keyed.Count == 0) return [];
        var rows = await work.QueryAsync(
            sql["load_answers"],
            SqlArgs.Over([.. keyed.DistinctBy(command => (command.Scope, command.Key))])
                .Text("scope", command => command.Scope)
                .Text("key", command => command.Key),
            row => (Key: (row.Text(0), row.Text(1)), Stored: new Stored(
                row.Bytes(2),
                new Answer(row.Int(3), row.Bytes(7), row.TextOrNull(4), row.TextOrNull(5), row.BigIntOrNull(6)),
                row.Bool(8), row.Time(9))));
        return rows.ToDictionary(row => row.Key, row => row.Stored);
    }

    // From here on nobody who still waits can give another answer than the one that is about to be repeated.
    async Task<Dictionary<(string, string), Stored>> SettleAbandonedAsync(
        Dictionary<(string, string), Stored> known, IReadOnlyList<Command<T>> batch, Work work)
    {
        var abandoned = new List<(Command<T> Command, Answer Answer)>();
        foreach (var command in batch)
        {
            if (command.Key is not null && known.TryGetValue((command.Scope, command.Key), out var stored)
                && !stored.Settled && (work.Now - stored.At).Duration() >= LongestWait && IsOf(command, stored))
                abandoned.Add((command, stored.Answer));
        }
        if (abandoned.Count == 0) return known;
        var standing = await SettleAsync(abandoned, work);
        for (var i = 0; i < abandoned.Count; i++)
        {
            var command = abandoned[i].Command;
            known[(command.Scope, command.Key!)] = new(command.Hash, standing[i], Settled: true, work.Now);
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
                .Bool("settled", a => !a.Command.AnswersLater || a.Answer.Status >= 400)
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

        // Another was first with some of them: on PostgreSQL the update has waited for its commit.
        var standing = await LoadAsync([.. batch.Select(a => a.Command)], work);
        return [.. batch.Select(
            a => standing.TryGetValue((a.Command.Scope, a.Command.Key!), out var stored) ? stored.Answer : a.Answer)];
    }

    static Answer Reused() => Problem.Of(
        StatusCodes.Status422UnprocessableEntity, "idempotency_key_reused",
        "This Idempotency-Key was used with another request.");

    static Answer InFlight() => Problem.Conflict(
        "idempotency_key_in_flight", "The first request under this Idempotency-Key is still being answered.");
}

public static class IdempotencyKeys
{
    /// <summary>The request's key, or the 400 that refuses it.</summary>
    public static (string? Key, Answer? Refusal) Read(HttpContext http)
    {
        if (!http.Request.Headers.TryGetValue("Idempotency-Key", out var values)) return (null, null);
        var key = values.ToString();
        if (CardNumbers.Contains(key)) return (null, Problem.CardNumber("Idempotency-Key"));
        return values.Count == 1 && key.Length is >= 1 and <= 255 && key.All(c => c is > ' ' and <= '~')
            ? (key, null)
            : (null, Problem.Invalid(
                "Idempotency-Key", "idempotency_key_malformed", "The key must be 1 to 255 visible ASCII characters, once."));
    }
}
