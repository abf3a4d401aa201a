using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Runtime.Http;

/// <summary>A request's body: either its value and its SHA-256, or the answer that refuses it.</summary>
public sealed record JsonBody<T>(T? Value, byte[] Hash, Answer? Refusal) where T : class;

/// <summary>
/// Reads request bodies strictly (API.md, "Everywhere"): unknown or duplicate properties, null for required, numbers as
/// strings, <c>\u0000</c>, lone surrogates, invalid UTF-8 and depth over 32 are a 400 that names the place.
/// </summary>
public static class StrictJson
{
    public const int BodyLimit = 1_000_000;
    public const int OrderBodyLimit = 2_000_000;

    /// <summary>Reads and checks a body. Never throws for what a client sent.</summary>
    public static async Task<JsonBody<T>> ReadAsync<T>(
        HttpContext http, JsonTypeInfo<T> type, int limitBytes = BodyLimit) where T : class
    {
        using var buffer = new MemoryStream();
        await http.Request.Body.CopyToAsync(buffer, http.RequestAborted);
        var bytes = buffer.ToArray();
        if (bytes.Length > limitBytes)
            return new(null, [], Problem.Of(413, "body_too_large", $"The body is over {limitBytes} bytes."));
        try
        {
            var value = JsonSerializer.Deserialize(bytes, type);
            return value is null
                ? new(null, [], Problem.Invalid("", "required", "A JSON object is required."))
                : new(value, SHA256.HashData(bytes), null);
        }
        catch (JsonException error)
        {
            return new(null, [], Problem.Invalid(error.Path ?? "", "invalid_json", "This is not what the operation expects."));
        }
    }
}
