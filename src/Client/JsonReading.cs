using System.Text.Json;

namespace Orderwright.Client;

/// <summary>Reads replies without a type for each: clients show the properties they know and ignore the rest.</summary>
public static class JsonReading
{
    /// <summary>The text of a string, the JSON of a number or a flag; null where the property is null or missing.</summary>
    public static string? TextOrNull(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Null or JsonValueKind.Undefined => null,
                _ => value.GetRawText(),
            }
            : null;

    /// <inheritdoc cref="TextOrNull"/>
    public static string Text(this JsonElement element, string name) => element.TextOrNull(name) ?? "";

    /// <summary>True only for a JSON <c>true</c>.</summary>
    public static bool Flag(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.True;

    /// <summary>A whole number; null for everything else.</summary>
    public static long? Whole(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>An RFC 3339 time; null for everything else.</summary>
    public static DateTimeOffset? Time(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time) ? time : null;

    /// <summary>The elements of an array; none where the property is no array.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement element, string name = "items") =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>A nested object; null where the property is no object.</summary>
    public static JsonElement? Part(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Object ? value : null;
}
