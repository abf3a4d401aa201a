using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Orderwright.Http;

/// <summary>
/// Lists every mismatch between a body and its type, by JSON pointer. Runs only for a body refused by the serializer,
/// or containing a null: the serializer reports one error at a time without stable codes, and accepts null as an item of a
/// list or map.
/// </summary>
static class JsonFaults
{
    const int Most = 20;

    /// <param name="json">Well-formed and inspected.</param>
    /// <param name="type">Expected type.</param>
    public static List<ProblemError> Find(ReadOnlySpan<byte> json, JsonTypeInfo type)
    {
        var errors = new List<ProblemError>();
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            errors.Add(Required(""));
        else
            Value(ref reader, json, type, "", errors);
        return errors.Count <= Most ? errors : errors[..Most];
    }

    static void Value(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTypeInfo type, string pointer,
        List<ProblemError> errors)
    {
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object when reader.TokenType == JsonTokenType.StartObject:
                Object(ref reader, json, type, pointer, errors);
                break;
            case JsonTypeInfoKind.Dictionary when reader.TokenType == JsonTokenType.StartObject:
                Map(ref reader, json, type, pointer, errors);
                break;
            case JsonTypeInfoKind.Enumerable when reader.TokenType == JsonTokenType.StartArray:
                List(ref reader, json, type, pointer, errors);
                break;
            case JsonTypeInfoKind.None:
                Scalar(ref reader, json, type, pointer, errors);
                break;
            default:
                var expected = type.Kind == JsonTypeInfoKind.Enumerable ? "an array" : "an object";
                errors.Add(new(pointer, ErrorCodes.InvalidType, $"Expected here: {expected}."));
                reader.Skip();
                break;
        }
    }

    static void Object(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTypeInfo type, string pointer,
        List<ProblemError> errors)
    {
        var known = type.Properties.ToDictionary(
            property => property.Name,
            type.Options.PropertyNameCaseInsensitive ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        var seen = new HashSet<string>(known.Comparer);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var place = $"{pointer}/{JsonInspection.Segment(name)}";
            reader.Read();
            if (!seen.Add(name) || !known.TryGetValue(name, out var property))
            {
                errors.Add(seen.Contains(name) && known.ContainsKey(name)
                    ? Twice(place)
                    : new(place, ErrorCodes.UnknownProperty, "Unknown property."));
                reader.Skip();
            }
            else if (reader.TokenType != JsonTokenType.Null)
                Value(ref reader, json, type.Options.GetTypeInfo(property.PropertyType), place, errors);
            else if (!MayBeNull(property))
                errors.Add(Required(place));
        }
        foreach (var property in known.Values)
            if (!seen.Contains(property.Name) && property.IsRequired)
                errors.Add(Required($"{pointer}/{JsonInspection.Segment(property.Name)}"));
    }

    static void Map(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTypeInfo type, string pointer,
        List<ProblemError> errors)
    {
        var seen = new HashSet<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var place = $"{pointer}/{JsonInspection.Segment(name)}";
            reader.Read();
            if (!seen.Add(name)) errors.Add(Twice(place));
            Item(ref reader, json, type, place, errors);
        }
    }

    static void List(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTypeInfo type, string pointer,
        List<ProblemError> errors)
    {
        for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
            Item(ref reader, json, type, $"{pointer}/{i.ToString(CultureInfo.InvariantCulture)}", errors);
    }

    static void Item(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTypeInfo type, string pointer,
        List<ProblemError> errors)
    {
        if (reader.TokenType == JsonTokenType.Null && Nullable.GetUnderlyingType(type.ElementType!) is null)
            errors.Add(Required(pointer));
        else
            Value(ref reader, json, type.Options.GetTypeInfo(type.ElementType!), pointer, errors);
    }

    // The type's converter decides. Only a whole number too large for an integer has a code of its own.
    static void Scalar(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonTypeInfo type, string pointer,
        List<ProblemError> errors)
    {
        var start = (int)reader.TokenStartIndex;
        var isWhole = reader.TokenType == JsonTokenType.Number && reader.ValueSpan.IndexOfAny(".eE"u8) < 0;
        reader.Skip();
        try
        {
            JsonSerializer.Deserialize(json[start..(int)reader.BytesConsumed], type);
        }
        catch (JsonException)
        {
            var clr = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
            errors.Add(isWhole && (clr == typeof(int) || clr == typeof(long))
                ? new(pointer, ErrorCodes.OutOfRange, "The number is too large for this field.")
                : new(pointer, ErrorCodes.InvalidType, $"Expected here: {Expected(clr)}."));
        }
    }

    static string Expected(Type type) =>
        type == typeof(string) ? "text"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number, not in quotes"
        : type == typeof(DateTimeOffset) ? "an RFC 3339 time such as 2026-01-31T09:30:00.123Z"
        : type == typeof(Guid) ? "a UUID"
        : "another type";

    static bool MayBeNull(JsonPropertyInfo property) =>
        property.PropertyType.IsValueType
            ? Nullable.GetUnderlyingType(property.PropertyType) is not null
            : property.IsSetNullable;

    static ProblemError Required(string pointer) =>
        new(pointer, ErrorCodes.Required, "A value is required and must not be null.");

    static ProblemError Twice(string pointer) => new(pointer, ErrorCodes.DuplicateProperty, "This property occurs twice.");
}
