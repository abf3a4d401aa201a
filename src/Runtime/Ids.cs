using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Orderwright.Runtime;

/// <summary>Where ids come from. Two implementations: this process's, and a simulation's seeded one.</summary>
public interface IIdSource
{
    /// <summary>A new UUIDv7 for this moment: time-ordered, so that keys grow at the end of an index.</summary>
    Guid Next(DateTimeOffset now);
}

/// <summary>UUIDv7 (RFC 9562, section 5.7) with the platform's random bits.</summary>
public sealed class IdSource : IIdSource
{
    const int Size = 16;

    // An order and its messages take a dozen ids, and to ask the system for random bits costs more than all else about one.
    [ThreadStatic]
    static byte[]? drawn;
    [ThreadStatic]
    static int used;

    public Guid Next(DateTimeOffset now)
    {
        if (drawn is null || used == drawn.Length) Draw();
        var id = drawn.AsSpan(used, Size);
        used += Size;
        Span<byte> time = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(time, now.ToUnixTimeMilliseconds() << 16);
        time[..6].CopyTo(id);
        id[6] = (byte)(id[6] & 0x0F | 0x70);
        id[8] = (byte)(id[8] & 0x3F | 0x80);
        return new Guid(id, bigEndian: true);
    }

    static void Draw() => (drawn, used) = (RandomNumberGenerator.GetBytes(256 * Size), 0);
}

/// <summary>What a UUIDv7 tells: it begins with its milliseconds.</summary>
public static class Ids
{
    /// <summary>Below every id made at this time or later, above every earlier one.</summary>
    public static Guid FirstAt(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Max(0, time.ToUnixTimeMilliseconds()) << 16);
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>Time as this product keeps it: UTC, whole milliseconds, the same in JSON and in both databases.</summary>
public static class Clock
{
    public static DateTimeOffset Now(this TimeProvider time) => time.GetUtcNow().ToWholeMilliseconds();

    public static DateTimeOffset ToWholeMilliseconds(this DateTimeOffset time) =>
        new(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerMillisecond, TimeSpan.Zero);
}
