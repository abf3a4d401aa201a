using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// Body of a request: either its value with, on request, the SHA-256 over method, target and body (otherwise empty), or the
/// refusal.
/// </summary>
public sealed record JsonBody<T>(T? Value, byte[] Hash, Answer? Refusal) where T : class;

/// <summary>
/// Reads request bodies strictly (docs/reference/http-api.md): unknown or duplicate properties, null for a required value,
/// numbers as strings, invisible characters, lone surrogates, invalid UTF-8, depth over 32 and card numbers result in a 400 that
/// lists each place. All text is read in its stored form (<see cref="PlainText"/>). The serializer context of the type carries
/// the strict options.
/// </summary>
public static class StrictJson
{
    public const int BodyLimit = 1_000_000;
    public const int OrderBodyLimit = 2_000_000;

    /// <summary>
    /// Reads and checks a body. Throws only what the server throws for a body that cannot be read to its end: too slow,
    /// truncated, badly chunked. The host turns that into a problem.
    /// </summary>
    public static async Task<JsonBody<T>> ReadAsync<T>(
        HttpContext http, JsonTypeInfo<T> type, int limitBytes = BodyLimit, bool hashed = false) where T : class
    {
        if (!IsJson(http.Request.ContentType))
            return Refuse<T>(Problem.Of(
                StatusCodes.Status415UnsupportedMediaType, ProblemCodes.UnsupportedMediaType,
                "Send application/json in UTF-8."));
        if (await RequestBytes.ReadAsync(http.Request, limitBytes, http.RequestAborted) is not { } bytes)
            return Refuse<T>(Problem.Of(
                StatusCodes.Status413PayloadTooLarge, ProblemCodes.BodyTooLarge, $"The body exceeds {limitBytes} bytes."));
        using (bytes)
        {
            var (value, errors) = Parse(bytes.Body, type);
            return value is null ? Refuse<T>(Refusal(errors)) : new(value, hashed ? bytes.Hash() : [], null);
        }
    }

    /// <summary>Parses a body into either a value without errors, or errors without a value.</summary>
    public static (T? Value, IReadOnlyList<ProblemError> Errors) Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        if (JsonInspection.Find(json, out var hasNull, out var isPlain) is { } error) return (null, [error]);
        if (!isPlain) json = JsonInspection.WithPlainText(json);
        T? value = null;
        try
        {
            value = JsonSerializer.Deserialize(json, type);
            if (value is not null && !hasNull) return (value, []);
        }
        catch (JsonException)
        {
            // The fault is located below; without a specific code the result is invalid_json.
        }
        var errors = JsonFaults.Find(json, type);
        if (errors.Count > 0) return (null, errors);
        return value is not null
            ? (value, [])
            : (null, [new ProblemError("", ProblemCodes.InvalidJson, "The body does not have the expected form.")]);
    }

    // If the whole body is unusable, the problem gets the error's code, which saves a client from reading the list.
    static Answer Refusal(IReadOnlyList<ProblemError> errors) =>
        errors is [var only] && only.Code
            is ProblemCodes.InvalidJson or ProblemCodes.InvalidText or ProblemCodes.TooDeep or ProblemCodes.CardNumber
            ? Problem.Of(StatusCodes.Status400BadRequest, only.Code, only.Detail, errors)
            : Problem.Invalid(errors);

    static JsonBody<T> Refuse<T>(Answer refusal) where T : class => new(null, [], refusal);

    static bool IsJson(string? contentType)
    {
        var text = contentType.AsSpan();
        var end = text.IndexOf(';');
        var mediaType = (end < 0 ? text : text[..end]).Trim();
        if (!mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)) return false;
        if (end < 0) return true;
        var parameter = text[(end + 1)..].Trim();
        return parameter.Equals("charset=utf-8", StringComparison.OrdinalIgnoreCase)
            || parameter.Equals("charset=\"utf-8\"", StringComparison.OrdinalIgnoreCase);
    }
}
