using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// Reads a state-changing request into a <see cref="Command{T}"/>, or into a refusal:
/// <code>
/// var (command, refusal) = await Commands.ReadAsync(http, StockJson.Default.Adjustment);
/// return command is null ? refusal! : await adjustments.SubmitAsync(command.For((sku, command.Body)));
/// </code>
/// </summary>
public static class Commands
{
    /// <summary>Reads key, body and caller. Exactly one part of the result is null.</summary>
    public static async Task<(Command<T>? Command, Answer? Refusal)> ReadAsync<T>(
        HttpContext http, JsonTypeInfo<T> type, int limitBytes = StrictJson.BodyLimit) where T : class
    {
        var (key, refusal) = IdempotencyKeys.Read(http);
        if (refusal is not null) return (null, refusal);
        var body = await StrictJson.ReadAsync(http, type, limitBytes, hashed: key is not null);
        return body.Refusal is not null
            ? (null, body.Refusal)
            : (new Command<T>(body.Value!, Caller.Of(http), key, body.Hash), null);
    }

    /// <summary>Reads a request without a body, with a subject from the path.</summary>
    public static (Command<T>? Command, Answer? Refusal) WithoutBody<T>(HttpContext http, T about)
    {
        var (key, refusal) = IdempotencyKeys.Read(http);
        if (refusal is not null) return (null, refusal);
        return http.Request.ContentLength is > 0 || http.Request.Headers.TransferEncoding.Count > 0
            ? (null, Problem.Invalid("", ErrorCodes.UnexpectedBody, "This operation accepts no body."))
            : (new Command<T>(about, Caller.Of(http), key, key is null ? [] : HashOfTarget(http.Request)), null);
    }

    /// <summary>Returns the same request with another body, such as the body combined with the path.</summary>
    public static Command<TOther> For<T, TOther>(this Command<T> command, TOther body) =>
        new(body, command.Caller, command.Key, command.Hash, command.AnswersLater);

    static byte[] HashOfTarget(HttpRequest request) => SHA256.HashData(
        Encoding.UTF8.GetBytes($"{request.Method} {request.Path.Value}{request.QueryString.Value}\n"));
}
