using System.Buffers.Binary;
using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.OrderService;

/// <summary>
/// An order's id, or the digits with which the id begins or ends, as a person copies them: in either case, with or without
/// dashes, and with the ellipsis of a shortened id.
/// </summary>
/// <param name="Digits">8 to 32 hexadecimal digits, in lower case.</param>
public sealed record OrderIdPart(string Digits)
{
    const int AllDigits = 32;

    /// <summary>Reads a part of an id; null for any other text.</summary>
    public static OrderIdPart? Read(string text)
    {
        var digits = ShortId.DigitsOf(text);
        return digits.Length is >= ShortId.LeastDigits and <= AllDigits && digits.All(char.IsAsciiHexDigit)
            ? new(digits)
            : null;
    }

    /// <summary>The digits name a single id.</summary>
    public bool IsComplete => Digits.Length == AllDigits;

    /// <summary>Lowest id that begins with the digits.</summary>
    public Guid First => IdOf(Start);

    /// <summary>Id above all that begin with the digits. No order has the highest id, the limit of the last range.</summary>
    public Guid End
    {
        get
        {
            // Beyond the last digit the sum starts again at 0.
            var end = unchecked(Start + (UInt128.One << FreeBits));
            return end == 0 ? Guid.AllBitsSet : IdOf(end);
        }
    }

    UInt128 Start => UInt128.Parse(Digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) << FreeBits;

    int FreeBits => 4 * (AllDigits - Digits.Length);

    static Guid IdOf(UInt128 value)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new Guid(bytes, bigEndian: true);
    }
}
