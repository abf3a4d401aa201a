using System.Collections.Frozen;
using System.Globalization;

namespace Orderwright.Contracts;

/// <summary>Currencies of ISO 4217, with the number of digits of their minor unit.</summary>
public static class Currencies
{
    // Source: ISO 4217 list one, without funds, metals and test codes, in which no order is placed.
    const string TwoDigits =
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY " +
        "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR " +
        "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK " +
        "MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP " +
        "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR " +
        "ZMW ZWG";
    const string NoDigits = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
    const string ThreeDigits = "BHD IQD JOD KWD LYD OMR TND";

    static readonly FrozenDictionary<string, int> Digits =
        new[] { (TwoDigits, 2), (NoDigits, 0), (ThreeDigits, 3) }
            .SelectMany(group => group.Item1.Split(' ').Select(code => (code, group.Item2)))
            .ToFrozenDictionary(pair => pair.code, pair => pair.Item2);

    public static bool IsKnown(string code) => Digits.ContainsKey(code);

    /// <summary>Digits after the decimal point: 2 for GBP, 0 for JPY. Throws for an unknown code.</summary>
    public static int MinorDigits(string code) => Digits[code];
}

/// <summary>Sums of money in minor units. Sums that cannot be represented are refused, never wrapped.</summary>
public static class Money
{
    /// <summary>
    /// Σ quantity × unit price + adjustments, in minor units; null if negative or too large. Every line must have a price.
    /// </summary>
    public static long? Total(IEnumerable<OrderLine> lines, long adjustmentsMinor)
    {
        try
        {
            var total = adjustmentsMinor;
            foreach (var line in lines)
                total = checked(total + line.Quantity * (line.UnitPrice
                    ?? throw new ArgumentException($"Line {line.Line} has no price.", nameof(lines))));
            return total >= 0 ? total : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>12345 GBP → <c>123.45 GBP</c>.</summary>
    public static string Format(long minor, string currency)
    {
        var digits = Currencies.MinorDigits(currency);
        var amount = minor / (decimal)Math.Pow(10, digits);
        return $"{amount.ToString("F" + digits, CultureInfo.InvariantCulture)} {currency}";
    }
}
