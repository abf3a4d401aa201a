using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>Dead letter as stored.</summary>
sealed record DeadLetter(Guid Id, Guid? OrderId, string? Type, string? Source, string? Step, string Raw, string Reason)
{
    // Unreadable input is kept as evidence only, not for replay: 256 Ki characters are enough.
    const int MostUnreadable = 256 * 1024;

    public static DeadLetter Of(Message message, string reason)
    {
        var raw = new ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(raw, [message]);
        // One event, without the brackets of the batch.
        return new(
            message.Id, message.OrderId, message.Type, message.Source, message.Step,
            Storable(Encoding.UTF8.GetString(raw.WrittenSpan[1..^1])), Storable(reason));
    }

    /// <summary>
    /// Derives the id from the content, so that a redelivery after a crash is not stored twice.
    /// </summary>
    public static DeadLetter Of(UnreadableMessage unreadable)
    {
        var raw = unreadable.Raw.Length <= MostUnreadable ? unreadable.Raw : unreadable.Raw[..MostUnreadable];
        return new(
            new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(unreadable.Raw)).AsSpan(..16), bigEndian: true),
            unreadable.OrderId, unreadable.Type is null ? null : Storable(unreadable.Type), null, null,
            Storable(raw), Storable(unreadable.Why));
    }

    // PostgreSQL's text type accepts neither NUL nor an unpaired surrogate.
    static string Storable(string text) =>
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Replace('\0', '\u2400')));
}

/// <summary>Stores unreadable and failed messages, with the reason, until a person decides.</summary>
sealed partial class DeadLetters(
    string service, BatchRunner runner, SqlCatalog runtimeSql, Metrics metrics, ILogger<DeadLetters> log)
{
    readonly SqlQuery insert = runtimeSql["insert_dead_letters"];

    public async Task StoreAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancel)
    {
        if (letters.Count == 0) return;
        await runner.RunAsync(letters, InsertAsync, LoseAsync, cancel);
        metrics.DeadLettered(letters.Count);
        foreach (var letter in letters) LogStored(service, letter.Id, letter.Type, letter.OrderId, letter.Reason);
    }

    Task InsertAsync(IReadOnlyList<DeadLetter> letters, Work work) =>
        work.ExecuteAsync(
            insert,
            SqlArgs.Over([.. letters.DistinctBy(letter => letter.Id)])
                .Uuid("id", letter => letter.Id)
                .UuidOrNull("order_id", letter => letter.OrderId)
                .Text("type", letter => letter.Type)
                .Text("source", letter => letter.Source)
                .Text("step", letter => letter.Step)
                .Text("raw", letter => letter.Raw)
                .Text("reason", letter => letter.Reason)
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
