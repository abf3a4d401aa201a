using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Dead letter as stored. The id is derived from type, order and reason: failures of the same kind share a letter, however often
/// the sender retries.
/// </summary>
sealed record DeadLetter(Guid Id, Guid? OrderId, string? Type, string? Source, string? Step, string Raw, string Reason)
{
    // Unreadable input is kept as evidence only, not for replay: 256 Ki characters are enough.
    const int MostUnreadable = 256 * 1024;

    const int MostReason = 2_000;

    public static DeadLetter Of(Message message, string reason)
    {
        var raw = new ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(raw, [message]);
        // One event, without the brackets of the batch.
        reason = Storable(reason, MostReason);
        return new(
            IdOf($"{message.Type} {message.OrderId} {reason}"), message.OrderId, message.Type, message.Source, message.Step,
            Storable(Encoding.UTF8.GetString(raw.WrittenSpan[1..^1])), reason);
    }

    /// <summary>Without a readable type and order the id is derived from the content.</summary>
    public static DeadLetter Of(UnreadableMessage unreadable)
    {
        var reason = Storable(unreadable.Why, MostReason);
        var isNamed = unreadable is { OrderId: not null, Type: not null };
        return new(
            IdOf(isNamed ? $"{unreadable.Type} {unreadable.OrderId} {reason}" : unreadable.Raw),
            unreadable.OrderId, unreadable.Type is null ? null : Storable(unreadable.Type, MostReason),
            unreadable.Source is null ? null : Storable(unreadable.Source, MostReason), null,
            Storable(unreadable.Raw, MostUnreadable), reason);
    }

    static Guid IdOf(string kind) => new(SHA256.HashData(Encoding.UTF8.GetBytes(kind)).AsSpan(..16), bigEndian: true);

    // PostgreSQL's text type accepts neither NUL nor an unpaired surrogate.
    static string Storable(string text, int most = int.MaxValue) =>
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes((text.Length <= most ? text : text[..most]).Replace('\0', '\u2400')));
}

/// <summary>
/// Stores messages that cannot be read, handled or delivered, with the reason, until a person decides or the retention ends.
/// </summary>
public sealed partial class DeadLetters(
    string service, BatchRunner runner, SqlCatalog runtimeSql, Metrics metrics, ILogger<DeadLetters> log)
{
    readonly SqlQuery insert = runtimeSql["insert_dead_letters"];

    /// <summary>
    /// Stores own messages that stay unanswered however often they are sent, as a sign for operators. The sender goes on.
    /// </summary>
    public static Task AddAsync(Work work, SqlCatalog runtimeSql, IReadOnlyList<(Message Message, string Reason)> unanswered) =>
        unanswered.Count == 0
            ? Task.CompletedTask
            : InsertAsync(
                runtimeSql["insert_dead_letters"],
                [.. unanswered.Select(one => DeadLetter.Of(one.Message, one.Reason))], work);

    internal async Task StoreAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancel)
    {
        if (letters.Count == 0) return;
        await runner.RunAsync(letters, (some, work) => InsertAsync(insert, some, work), LoseAsync, cancel);
        metrics.DeadLettered(letters.Count);
        foreach (var letter in letters) LogStored(service, letter.Id, letter.Type, letter.OrderId, letter.Reason);
    }

    static Task InsertAsync(SqlQuery insert, IReadOnlyList<DeadLetter> letters, Work work) =>
        work.ExecuteAsync(
            insert,
            SqlArgs.Over(
                [.. letters.GroupBy(letter => letter.Id).Select(kind => (Letter: kind.Last(), Failures: kind.Count()))])
                .Uuid("id", row => row.Letter.Id)
                .UuidOrNull("order_id", row => row.Letter.OrderId)
                .Text("type", row => row.Letter.Type)
                .Text("source", row => row.Letter.Source)
                .Text("step", row => row.Letter.Step)
                .Text("raw", row => row.Letter.Raw)
                .Text("reason", row => row.Letter.Reason)
                .BigInt("failures", row => row.Failures)
                .Args.And("now", work.Now));

    // Last resort: a dead letter is lost rather than blocking the queue.
    Task LoseAsync(DeadLetter letter, Exception error)
    {
        LogLost(service, letter.Id, letter.Type, letter.OrderId, letter.Reason, error);
        return Task.CompletedTask;
    }

    [LoggerMessage(1021, LogLevel.Warning,
        "{Service}: dead letter {Id} ({Type}) of order {OrderId} was stored: {Reason}")]
    partial void LogStored(string service, Guid id, string? type, Guid? orderId, string reason);

    [LoggerMessage(1022, LogLevel.Critical,
        "{Service}: dead letter {Id} ({Type}) of order {OrderId} could not be stored and is lost: {Reason}")]
    partial void LogLost(string service, Guid id, string? type, Guid? orderId, string reason, Exception error);
}
