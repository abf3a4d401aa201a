using System.Text.Json;

namespace Orderwright.Cli;

/// <summary>Writes the object of a request.</summary>
static class JsonBody
{
    public static byte[] Of(Action<Utf8JsonWriter> properties)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }
}
