namespace Orderwright.Fuzz;

/// <summary>Mutations of seeds, as afl-fuzz makes them, for runs without the fuzzer.</summary>
static class Mutation
{
    static readonly byte[][] Words =
    [
        .. new[]
        {
            "\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "{", "}", "[", "]", ":", "null", "true", "0", "-1", "1e400", "\\u0000",
            "\\ud800", "9223372036854775808", "1,234", "2,50", "sep=;\n", "v1=", "t=", "\u00e9", "\ufeff", "\uffff",
        }.Select(System.Text.Encoding.UTF8.GetBytes),
        [0xff], [0xc3], [0x00], [0x1f, 0x8b],
    ];

    public static byte[] Of(List<byte[]> seeds, Random dice)
    {
        var input = seeds[dice.Next(seeds.Count)].ToList();
        for (var changes = 1 << dice.Next(6); changes > 0; changes--)
        {
            var at = dice.Next(input.Count + 1);
            var length = Math.Min(input.Count - at, 1 << dice.Next(8));
            switch (dice.Next(6))
            {
                case 0 when at < input.Count:
                    input[at] ^= (byte)(1 << dice.Next(8));
                    break;
                case 1 when at < input.Count:
                    input[at] = (byte)dice.Next(256);
                    break;
                case 2:
                    input.RemoveRange(at, length);
                    break;
                case 3:
                    input.InsertRange(at, Words[dice.Next(Words.Length)]);
                    break;
                case 4:
                    input.InsertRange(dice.Next(input.Count + 1), input.GetRange(at, length));
                    break;
                default:
                    var other = seeds[dice.Next(seeds.Count)];
                    var from = dice.Next(other.Length + 1);
                    input.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, 1 << dice.Next(8))).ToArray());
                    break;
            }
        }
        return [.. input.Take(FuzzTarget.MaxLength)];
    }
}
