using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Orderwright.CustomerService.Providers;

/// <summary>Reads the body of a signed webhook.</summary>
static class WebhookJson
{
    /// <summary>Reads a body; never null.</summary>
    /// <exception cref="JsonException">
    /// The body is not of the type, is null, or contains text that no database stores: NUL, or half of a surrogate pair.
    /// </exception>
    public static T Read<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type) where T : class
    {
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && !IsText(in reader))
                throw new JsonException("The body contains text with NUL or half of a surrogate pair.");
        return JsonSerializer.Deserialize(body, type) ?? throw new JsonException("The body is null.");
    }

    static bool IsText(ref readonly Utf8JsonReader reader)
    {
        try
        {
            return !reader.GetString()!.Contains('\0', StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
