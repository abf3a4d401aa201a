using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Orderwright.Http;

/// <summary>
/// Normalization form C of Unicode (UAX #15): the composed and the decomposed é become the same text. The processes run
/// without ICU, where <see cref="string.Normalize()"/> returns every text unchanged; the tables are an embedded resource.
/// </summary>
static class Nfc
{
    // Every character below composes with nothing and decomposes to nothing that would not compose again.
    const char First = '\u0300';

    const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    const int Leads = 19, Vowels = 21, Trails = 28;

    static readonly Lazy<Tables> Data = new(Tables.Read);

    sealed record Tables(
        FrozenDictionary<int, (int First, int Second)> Parts, FrozenDictionary<(int First, int Second), int> Whole,
        FrozenDictionary<int, byte> Classes)
    {
        public static Tables Read()
        {
            var parts = new Dictionary<int, (int, int)>();
            var whole = new Dictionary<(int, int), int>();
            var classes = new Dictionary<int, byte>();
            using var resource = typeof(Nfc).Assembly.GetManifestResourceStream("Orderwright.Http.Nfc.txt")!;
            using var reader = new StreamReader(resource);
            while (reader.ReadLine() is { } line)
            {
                if (line.StartsWith('#')) continue;
                var values = line.Split(' ');
                if (values[0].Split('-') is [var from, var to])
                {
                    for (var at = Code(from); at <= Code(to); at++)
                        classes[at] = byte.Parse(values[1], CultureInfo.InvariantCulture);
                    continue;
                }
                var pair = (Code(values[1]), values.Length > 2 ? Code(values[2]) : 0);
                parts[Code(values[0])] = pair;
                if (values.Length == 3) whole[pair] = Code(values[0]);
            }
            return new(parts.ToFrozenDictionary(), whole.ToFrozenDictionary(), classes.ToFrozenDictionary());
        }

        static int Code(string hex) => int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    /// <param name="text">Text without unpaired surrogates.</param>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange(First, char.MaxValue)) return text;
        var codes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, codes);
        Order(codes);
        var composed = new StringBuilder(text.Length);
        foreach (var code in Compose(codes)) composed.Append(new Rune(code).ToString());
        var result = composed.ToString();
        return result == text ? text : result;
    }

    static void Decompose(int code, List<int> codes)
    {
        var syllable = code - SyllableBase;
        if (syllable is >= 0 and < Leads * Vowels * Trails)
        {
            codes.Add(LeadBase + syllable / (Vowels * Trails));
            codes.Add(VowelBase + syllable / Trails % Vowels);
            if (syllable % Trails is > 0 and var trail) codes.Add(TrailBase + trail);
        }
        else if (Data.Value.Parts.TryGetValue(code, out var parts))
        {
            Decompose(parts.First, codes);
            if (parts.Second != 0) Decompose(parts.Second, codes);
        }
        else
            codes.Add(code);
    }

    // Marks on one character are sorted by class; marks of one class keep their order.
    static void Order(List<int> codes)
    {
        for (var i = 1; i < codes.Count; i++)
        {
            var (code, weight) = (codes[i], ClassOf(codes[i]));
            if (weight == 0) continue;
            var at = i;
            for (; at > 0 && ClassOf(codes[at - 1]) > weight; at--) codes[at] = codes[at - 1];
            codes[at] = code;
        }
    }

    static List<int> Compose(List<int> codes)
    {
        var composed = new List<int>(codes.Count);
        var (starter, before) = (-1, 0);
        foreach (var code in codes)
        {
            var weight = ClassOf(code);
            // A mark is blocked by one of the same or a higher class between it and its starter.
            var isNext = starter == composed.Count - 1;
            if (starter >= 0 && (isNext || (before < weight && before != 0))
                && WholeOf(composed[starter], code) is { } whole)
            {
                composed[starter] = whole;
                continue;
            }
            if (weight == 0) starter = composed.Count;
            before = weight;
            composed.Add(code);
        }
        return composed;
    }

    static int? WholeOf(int first, int second)
    {
        if (first - LeadBase is >= 0 and < Leads && second - VowelBase is >= 0 and < Vowels)
            return SyllableBase + ((first - LeadBase) * Vowels + (second - VowelBase)) * Trails;
        var syllable = first - SyllableBase;
        if (syllable is >= 0 and < Leads * Vowels * Trails && syllable % Trails == 0
            && second - TrailBase is > 0 and < Trails)
            return first + (second - TrailBase);
        return Data.Value.Whole.TryGetValue((first, second), out var whole) ? whole : null;
    }

    static int ClassOf(int code) => code < First ? 0 : Data.Value.Classes.GetValueOrDefault(code);
}
