using System.Text.Json;
using System.Xml;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.StepService;

/// <summary>
/// Reply of a participant, in a response or in a request of its own: <c>{"outcome","code","message","detail","after"}</c>. Pure.
/// </summary>
public static class ParticipantReply
{
    /// <summary>Bytes of a reply.</summary>
    public const int MaxBytes = 32 << 10;

    /// <summary>Bytes of a detail, without white space.</summary>
    public const int MaxDetailBytes = 4_096;
    const int MaxCode = 64;
    public const int MaxMessage = 500;

    /// <summary>Code of a call without a valid reply.</summary>
    public const string Unavailable = "participant_unavailable";

    /// <summary>Code of a reply that cannot be read.</summary>
    public const string Invalid = "invalid_reply";

    /// <summary>Reads a reply, or the reason why there is none.</summary>
    public static (StepAnswered? Answer, string? Fault) Read(ReadOnlyMemory<byte> json, bool undo)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement, undo)
                : (null, "The reply is not a JSON object.");
        }
        catch (JsonException)
        {
            return (null, "The reply is not JSON.");
        }
    }

    /// <inheritdoc cref="Read(ReadOnlyMemory{byte}, bool)"/>
    public static (StepAnswered? Answer, string? Fault) Read(JsonElement reply, bool undo)
    {
        StepOutcome? outcome = TextOf(reply, "outcome") switch
        {
            "completed" => StepOutcome.Completed,
            "rejected" => StepOutcome.Rejected,
            "retry" => StepOutcome.Retry,
            "waiting" => StepOutcome.Waiting,
            "indoubt" => StepOutcome.InDoubt,
            _ => null,
        };
        if (outcome is null)
            return (null, "\"outcome\" is one of: completed, rejected, retry, waiting, indoubt.");
        var (code, message) = (TextOf(reply, "code"), TextOf(reply, "message"));
        if (code is { Length: 0 or > MaxCode } || code?.All(IsOfCode) == false)
            return (null, $"\"code\" has 1 to {MaxCode} small letters, digits and underscores.");
        if (message?.Length > MaxMessage || message?.Contains('\0', StringComparison.Ordinal) == true)
            return (null, $"\"message\" has at most {MaxMessage} characters.");
        var (detail, detailFault) = DetailOf(reply);
        if (detailFault is not null) return (null, detailFault);
        if (!TryReadPause(reply, out var after))
            return (null, "\"after\" is a time such as 30s or PT30S, or a number of seconds.");
        return (new StepAnswered(undo, outcome.Value, code, message, after, Detail: detail), null);
    }

    /// <summary>Stands for a reply that is missing: the coordinator calls again, under the same key.</summary>
    public static StepAnswered CallAgain(bool undo, string code, string why, TimeSpan? after = null) =>
        new(undo, StepOutcome.Retry, code, why.Length > MaxMessage ? why[..MaxMessage] : why, after);

    static (string? Detail, string? Fault) DetailOf(JsonElement reply)
    {
        if (!reply.TryGetProperty("detail", out var detail) || detail.ValueKind == JsonValueKind.Null) return (null, null);
        if (detail.ValueKind != JsonValueKind.Object) return (null, "\"detail\" is an object.");
        var text = JsonSerializer.Serialize(detail);
        var length = System.Text.Encoding.UTF8.GetByteCount(text);
        return length > MaxDetailBytes ? (null, $"\"detail\" has {length} bytes; at most {MaxDetailBytes} are accepted.")
            // PostgreSQL's text cannot hold U+0000.
            : text.Contains("\\u0000", StringComparison.Ordinal) ? (null, "\"detail\" contains U+0000.")
            : (text, null);
    }

    static bool TryReadPause(JsonElement reply, out TimeSpan? after)
    {
        after = null;
        if (!reply.TryGetProperty("after", out var value) || value.ValueKind == JsonValueKind.Null) return true;
        if (value.ValueKind == JsonValueKind.Number)
        {
            if (!value.TryGetDouble(out var seconds) || seconds is < 0 or > 86_400 * 365) return false;
            after = TimeSpan.FromSeconds(seconds);
            return true;
        }
        if (value.ValueKind != JsonValueKind.String) return false;
        var text = value.GetString()!;
        try
        {
            after = text.StartsWith('P') ? XmlConvert.ToTimeSpan(text) : Settings.Duration(text);
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            return false;
        }
        return after is not null;
    }

    static bool IsOfCode(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_';

    static string? TextOf(JsonElement reply, string name) =>
        reply.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
