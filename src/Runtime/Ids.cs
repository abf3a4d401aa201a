using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Orderwright.Runtime;

/// <summary>Source of ids: the platform's, or a simulation's seeded source.</summary>
public interface IIdSource
{
    /// <summary>Returns a new UUIDv7 for this time: time-ordered, so that keys grow at the end of an index.</summary>
    Guid Next(DateTimeOffset now);
}

/// <summary>UUIDv7 (RFC 9562, section 5.7) with the platform's random bits.</summary>
public sealed class IdSource : IIdSource
{
    const int Size = 16;

    // An order and its messages need a dozen ids; a system call for random bits per id would dominate the cost.
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

/// <summary>Reads the time within a UUIDv7, its leading milliseconds.</summary>
public static class Ids
{
    /// <summary>Time of a UUIDv7.</summary>
    public static DateTimeOffset TimeOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return DateTimeOffset.UnixEpoch.AddMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes) >>> 16);
    }

    /// <summary>Lower bound of all ids made at this time or later, and above every earlier id.</summary>
    public static Guid FirstAt(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Max(0, time.ToUnixTimeMilliseconds()) << 16);
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>
/// Time as stored and exchanged everywhere: UTC, whole milliseconds, identical in JSON and in both databases.
/// </summary>
public static class Clock
{
    public static DateTimeOffset Now(this TimeProvider time) => time.GetUtcNow().ToWholeMilliseconds();

    public static DateTimeOffset ToWholeMilliseconds(this DateTimeOffset time) =>
        new(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerMillisecond, TimeSpan.Zero);
}
