using System.Diagnostics;
using System.Globalization;

namespace Orderwright.Contracts;

/// <summary>W3C trace context (https://www.w3.org/TR/trace-context/).</summary>
public static class TraceContext
{
    /// <summary>Longest <c>tracestate</c> that is kept; a longer one is dropped, as section 3.3.1.5 allows.</summary>
    public const int MostStateBytes = 512;

    const int Length = 55;

    /// <summary>
    /// Reads a <c>traceparent</c> and returns the same context as version 00; null for an invalid text. Of a later version the
    /// fields of version 00 count, and of its flags only <c>sampled</c> (section 3.2.4).
    /// </summary>
    public static string? Read(string? text)
    {
        if (text is not { Length: >= Length }) return null;
        if (text.StartsWith("00-", StringComparison.Ordinal))
            return text.Length == Length && IsValid(text) ? text : null;
        if (text.Length > Length && text[Length] != '-' || !IsVersion(text[0]) || !IsVersion(text[1]) || text[..2] == "ff")
            return null;
        var same = $"00{text[2..Length]}";
        return IsValid(same) ? $"{same[..^2]}{(IsSampled(same) ? "01" : "00")}" : null;
    }

    /// <summary>The tracestate, if short enough to be kept.</summary>
    public static string? ReadState(string? text) => text is { Length: > 0 and <= MostStateBytes } ? text : null;

    /// <summary>True if the caller may have recorded the trace.</summary>
    /// <param name="traceParent">As returned by <see cref="Read"/>; null for none.</param>
    public static bool IsSampled(string? traceParent) =>
        traceParent is { Length: Length }
        && int.TryParse(traceParent.AsSpan(Length - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var flags)
        && (flags & (int)ActivityTraceFlags.Recorded) != 0;

    static bool IsValid(string text) => ActivityContext.TryParse(text, null, out _);

    static bool IsVersion(char c) => c is >= '0' and <= '9' or >= 'a' and <= 'f';
}
