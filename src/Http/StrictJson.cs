using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// A request's body: either its value and, where it was asked for, the SHA-256 over the request's method, target and body
/// (else empty), or the answer that refuses it.
/// </summary>
public sealed record JsonBody<T>(T? Value, byte[] Hash, Answer? Refusal) where T : class;

/// <summary>
/// Reads request bodies strictly (API.md, "Everywhere"): unknown or duplicate properties, null for required, numbers as
/// strings, <c>\u0000</c>, lone surrogates, invalid UTF-8, depth over 32 and card numbers are a 400 that names each
/// place. The type's serializer context carries the strict options.
/// </summary>
public static class StrictJson
{
    public const int BodyLimit = 1_000_000;
    public const int OrderBodyLimit = 2_000_000;

    /// <summary>Reads and checks a body. Never throws for what a client sent.</summary>
    public static async Task<JsonBody<T>> ReadAsync<T>(
        HttpContext http, JsonTypeInfo<T> type, int limitBytes = BodyLimit, bool hashed = false) where T : class
    {
        if (!IsJson(http.Request.ContentType))
            return Refuse<T>(Problem.Of(
                StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type",
                "Send application/json in UTF-8."));
        try
        {
            if (await RequestBytes.ReadAsync(http.Request, limitBytes, http.RequestAborted) is not { } bytes)
                return Refuse<T>(Problem.Of(
                    StatusCodes.Status413PayloadTooLarge, "body_too_large", $"The body is over {limitBytes} bytes."));
            using (bytes)
            {
                var (value, errors) = Parse(bytes.Body, type);
                return value is null ? Refuse<T>(Refusal(errors)) : new(value, hashed ? bytes.Hash() : [], null);
            }
        }
        catch (BadHttpRequestException error)
        {
            // The server's own limits, or a client that went away: too large, too slow, cut off, badly chunked.
            return Refuse<T>(Problem.Of(error.StatusCode, "unreadable_body", "The body could not be read to its end."));
        }
    }

    /// <summary>Either a value and no error, or errors and no value.</summary>
    public static (T? Value, IReadOnlyList<ProblemError> Errors) Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        if (JsonInspection.Find(json, out var hasNull) is { } error) return (null, [error]);
        T? value = null;
        try
        {
            value = JsonSerializer.Deserialize(json, type);
            if (value is not null && !hasNull) return (value, []);
        }
        catch (JsonException)
        {
            // What it is, is found below; whatever has no better name is told without one.
        }
        var errors = JsonFaults.Find(json, type);
        if (errors.Count > 0) return (null, errors);
        return value is not null
            ? (value, [])
            : (null, [new ProblemError("", "invalid_json", "This is not what the operation expects.")]);
    }

    // What makes the whole body unfit is the problem's own code, so that a client need not look into the list.
    static Answer Refusal(IReadOnlyList<ProblemError> errors) =>
        errors is [{ Code: "invalid_json" or "invalid_text" or "too_deep" or CardNumbers.Code } only]
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
