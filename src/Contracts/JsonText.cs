using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>
/// JSON as text, as both engines keep it: written and read as UTF-8, through buffers that are used again.
/// </summary>
public static class JsonText
{
    // One very large value must not hold its buffer for ever.
    const int MostKept = 64 * 1_024;

    /// <summary>Of what never stands inside HTML, so that only what JSON itself demands is escaped.</summary>
    internal static readonly JsonWriterOptions Compact =
        new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? kept;

    /// <summary>What <paramref name="write"/> writes of <paramref name="value"/>, which it does at once.</summary>
    public static string Write<T>(T value, Action<Utf8JsonWriter, T> write)
    {
        var (buffer, json) = kept ?? New();
        // Whoever writes another text meanwhile gets another buffer.
        kept = null;
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        write(json, value);
        json.Flush();
        if (buffer.Capacity <= MostKept) kept = (buffer, json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>What <paramref name="read"/> makes of the text, which it must not keep.</summary>
    public static TResult Read<TArgument, TResult>(
        string text, TArgument argument, Func<ReadOnlySpan<byte>, TArgument, TResult> read)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            return read(bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)), argument);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json) New()
    {
        var buffer = new ArrayBufferWriter<byte>(1_024);
        return (buffer, new Utf8JsonWriter(buffer, Compact));
    }
}
