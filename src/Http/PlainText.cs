using System.Globalization;
using System.Text;

namespace Orderwright.Http;

/// <summary>
/// Form of all text taken from callers, in bodies and in query parameters: without white space at either end, in Unicode's
/// normalization form C, and without characters that nobody sees. Two texts that look alike are then the same text.
/// </summary>
public static class PlainText
{
    public const string Rule =
        "Text must not contain control characters, invisible format characters or an unpaired surrogate.";

    const char NonJoiner = '\u200C';
    const char Joiner = '\u200D';

    /// <summary>Returns the form to store and to compare.</summary>
    /// <param name="text">Text without unpaired surrogates.</param>
    public static string Of(string text) => Nfc.Of(text.Trim());

    /// <summary>
    /// Returns the form of a property's name, which keeps its white space: a name with a space at an end is an unknown name.
    /// </summary>
    public static string OfName(string name) => Nfc.Of(name);

    /// <summary>Length in code points, as limits count: an emoji outside the basic plane is one.</summary>
    public static int LengthOf(string text)
    {
        var length = text.Length;
        foreach (var unit in text)
            if (char.IsLowSurrogate(unit)) length--;
        return length;
    }

    /// <summary>
    /// True for text with a character that no text may have. Line breaks and tabs are allowed here; a field of one line refuses
    /// them (<see cref="IsOneLine"/>). Joiners are allowed within a word, where Persian, Hindi and emoji need them.
    /// </summary>
    public static bool HasForbidden(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is >= ' ' and <= '~') continue;
            if (!Rune.TryGetRuneAt(text, i, out var rune)) return true;
            if (IsInvisible(rune) && !(text[i] is '\t' or '\n' or '\r') && !IsJoinerInWord(text, i)) return true;
            i += rune.Utf16SequenceLength - 1;
        }
        return false;
    }

    public static bool IsOneLine(string text) => text.AsSpan().IndexOfAny("\t\n\r\u2028\u2029") < 0;

    /// <summary>True for text fit to identify something: one line, spaces that are plain spaces, and no joiners.</summary>
    public static bool IsReference(string text)
    {
        foreach (var unit in text)
            if (unit is NonJoiner or Joiner || (unit != ' ' && char.IsWhiteSpace(unit))) return false;
        return true;
    }

    static bool IsJoinerInWord(string text, int at) =>
        text[at] is NonJoiner or Joiner && at > 0 && at < text.Length - 1
        && !char.IsWhiteSpace(text[at - 1]) && !char.IsWhiteSpace(text[at + 1])
        && text[at - 1] is not (NonJoiner or Joiner);

    // The letters are fillers: assigned to a class that is usually visible, and blank all the same.
    static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        || rune.Value is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x2800 or 0x3164 or 0xFFA0;
}
