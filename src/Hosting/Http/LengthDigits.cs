using System.Globalization;
using System.Text;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Encoding of the header Content-Length. Kestrel parses a length as a signed number, takes "+2" and "-0", and keeps only the
/// number; a proxy in front may read such a length in another way. Anything but digits is decoded as the largest length,
/// which <see cref="RequestGuard"/> refuses.
/// </summary>
sealed class LengthDigits : Encoding
{
    public const long Malformed = long.MaxValue;

    public static readonly LengthDigits Instance = new();

    static readonly string MalformedText = Malformed.ToString(CultureInfo.InvariantCulture);

    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        if (bytes.Length is > 0 and < 19 && !bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return ASCII.GetChars(bytes, chars);
        MalformedText.CopyTo(chars);
        return MalformedText.Length;
    }

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
        GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    public override int GetCharCount(byte[] bytes, int index, int count) => Math.Max(count, MalformedText.Length);

    public override int GetMaxCharCount(int byteCount) => Math.Max(byteCount, MalformedText.Length);

    public override int GetByteCount(char[] chars, int index, int count) => count;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => charCount;
}
