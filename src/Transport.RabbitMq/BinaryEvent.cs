using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Orderwright.Contracts;
using RabbitMQ.Client;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// CloudEvents in binary mode, as other senders may use: attributes as headers with a prefix, the data as the body. Source:
/// CloudEvents 1.0, AMQP protocol binding, section 3.1.
/// </summary>
static class BinaryEvent
{
    static readonly string[] Prefixes = ["cloudEvents:", "cloudEvents_"];

    /// <summary>Returns the event in structured mode, or the body unchanged if there are no such headers.</summary>
    public static ReadOnlyMemory<byte> ToStructured(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var attributes = (properties.Headers ?? new Dictionary<string, object?>())
            .Select(header => (Name: NameOf(header.Key), header.Value)).Where(attribute => attribute.Name is not null).ToList();
        if (attributes.Count == 0 || body.Length > MessageLimits.BodyBytes) return body;
        try
        {
            var output = new ArrayBufferWriter<byte>(body.Length + 512);
            using (var json = new Utf8JsonWriter(output))
            {
                json.WriteStartObject();
                foreach (var (name, value) in attributes) Write(json, name!, value);
                json.WritePropertyName("data"u8);
                json.WriteRawValue(body.Span);
                json.WriteEndObject();
            }
            return output.WrittenMemory;
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            // Neither JSON nor text: the reader says so.
            return body;
        }
    }

    static string? NameOf(string header) =>
        Prefixes.FirstOrDefault(prefix => header.StartsWith(prefix, StringComparison.Ordinal)) is { } prefix
            ? header[prefix.Length..]
            : null;

    static void Write(Utf8JsonWriter json, string name, object? value)
    {
        var text = value switch
        {
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            AmqpTimestamp time => DateTimeOffset.FromUnixTimeSeconds(time.UnixTime).ToString("O", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture),
        };
        // Headers of other clients are often text only.
        if (name == "attempt" && int.TryParse(text, CultureInfo.InvariantCulture, out var attempt))
            json.WriteNumber(name, attempt);
        else
            json.WriteString(name, text);
    }
}
