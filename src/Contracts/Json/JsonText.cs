using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>
/// JSON as text, the form that both database engines store. Written and read as UTF-8 through reused buffers.
/// </summary>
public static class JsonText
{
    // The buffer of one very large value is not kept.
    const int MostKept = 64 * 1_024;

    /// <summary>Options for JSON that is never embedded in HTML: escapes only what JSON requires.</summary>
    internal static readonly JsonWriterOptions Compact =
        new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? kept;

    /// <summary>
    /// Returns the text written by <paramref name="write"/>, which must be synchronous and must not keep the writer.
    /// </summary>
    public static string Write<T>(T value, Action<Utf8JsonWriter, T> write)
    {
        var (buffer, json) = kept ?? New();
        // A nested call gets a buffer of its own.
        kept = null;
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        write(json, value);
        json.Flush();
        if (buffer.Capacity <= MostKept) kept = (buffer, json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Returns the result of <paramref name="read"/>, which must not keep the bytes.</summary>
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
