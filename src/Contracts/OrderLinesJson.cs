using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>Lines of an order as they stand in a database's column: as in messages, without what is null.</summary>
public static class OrderLinesJson
{
    public static string Write(IReadOnlyList<OrderLine> lines) =>
        JsonSerializer.Serialize(lines, MessageJson.Default.IReadOnlyListOrderLine);

    /// <summary>Throws <see cref="JsonException"/> where these are no lines.</summary>
    public static IReadOnlyList<OrderLine> Read(string json)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(json.Length));
        try
        {
            var reader = new Utf8JsonReader(bytes.AsSpan(0, Encoding.UTF8.GetBytes(json, bytes)));
            reader.Read();
            return BodiesByHand.ReadLines(ref reader);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
