using System.Buffers.Binary;

namespace Orderwright.Simulation;

/// <summary>
/// The only source of randomness in a run: a stream of numbers fixed by a seed and a name, the same on every machine and in
/// every version. Draws from one stream do not disturb another.
/// </summary>
public sealed class Chance
{
    ulong state;

    public Chance(long seed, string stream)
    {
        state = (ulong)seed;
        foreach (var letter in stream) state = Mix(state ^ letter);
    }

    /// <summary>A number from 0 to <paramref name="below"/>, exclusive.</summary>
    public int Next(int below) => (int)(Next() % (ulong)below);

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>, both inclusive.</summary>
    public int Between(int least, int most) => least + Next(most - least + 1);

    public bool Hit(double probability) => (Next() >> 11) * (1.0 / (1UL << 53)) < probability;

    /// <summary>A duration in whole milliseconds.</summary>
    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        least + TimeSpan.FromMilliseconds(Next((int)(most - least).TotalMilliseconds + 1));

    public T Of<T>(params ReadOnlySpan<T> choices) => choices[Next(choices.Length)];

    /// <summary>A UUIDv7 for the given time.</summary>
    public Guid Uuid(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ((ulong)now.ToUnixTimeMilliseconds() << 16) | (Next() & 0xFFFF));
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Next());
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x70);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        return Mix(state);
    }

    static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
