using System.Buffers.Binary;

namespace Orderwright.Runtime;

/// <summary>Where ids come from. Two implementations: this process's, and a simulation's seeded one.</summary>
public interface IIdSource
{
    /// <summary>A new UUIDv7 for this moment: time-ordered, so that keys grow at the end of an index.</summary>
    Guid Next(DateTimeOffset now);
}

/// <summary>UUIDv7 with the platform's random bits.</summary>
public sealed class IdSource : IIdSource
{
    public Guid Next(DateTimeOffset now) => Guid.CreateVersion7(now);
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
