using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Runtime.Http;

/// <summary>
/// Turns a request that changes something into a <see cref="Command{T}"/>, or into the answer that refuses it:
/// <code>
/// var (command, refusal) = await Commands.ReadAsync(http, StockJson.Default.Adjustment);
/// return command is null ? refusal! : await adjustments.SubmitAsync(command.For((sku, command.Body)));
/// </code>
/// </summary>
public static class Commands
{
    /// <summary>Reads key, body and caller. Exactly one of the two is null.</summary>
    public static async Task<(Command<T>? Command, Answer? Refusal)> ReadAsync<T>(
        HttpContext http, JsonTypeInfo<T> type, int limitBytes = StrictJson.BodyLimit) where T : class
    {
        var (key, refusal) = IdempotencyKeys.Read(http);
        if (refusal is not null) return (null, refusal);
        var body = await StrictJson.ReadAsync(http, type, limitBytes);
        return body.Refusal is not null
            ? (null, body.Refusal)
            : (new Command<T>(body.Value!, Caller.Of(http), key, body.Hash), null);
    }

    /// <summary>For an operation without a body: what it is about comes from the path.</summary>
    public static (Command<T>? Command, Answer? Refusal) WithoutBody<T>(HttpContext http, T about)
    {
        var (key, refusal) = IdempotencyKeys.Read(http);
        if (refusal is not null) return (null, refusal);
        return http.Request.ContentLength is > 0 || http.Request.Headers.TransferEncoding.Count > 0
            ? (null, Problem.Invalid("", "unexpected_body", "This operation takes no body."))
            : (Of(http, about, [], key), null);
    }

    /// <summary>For an operation that reads its body and its key itself.</summary>
    /// <param name="http">Says who asks, and by which method and target.</param>
    /// <param name="body">What is asked.</param>
    /// <param name="bodyHash"><see cref="JsonBody{T}.Hash"/>; empty without a body.</param>
    /// <param name="key">From <see cref="IdempotencyKeys.Read"/>; null where the operation takes none.</param>
    /// <param name="answersLater">See <see cref="Command{T}.AnswersLater"/>.</param>
    public static Command<T> Of<T>(
        HttpContext http, T body, byte[] bodyHash, string? key = null, bool answersLater = false) =>
        new(body, Caller.Of(http), key, bodyHash.Length > 0 ? bodyHash : HashOfTarget(http.Request), answersLater);

    /// <summary>The same request, about something else: what was read from the body together with the path.</summary>
    public static Command<TOther> For<T, TOther>(this Command<T> command, TOther body) =>
        new(body, command.Caller, command.Key, command.Hash, command.AnswersLater);

    static byte[] HashOfTarget(HttpRequest request) => SHA256.HashData(
        Encoding.UTF8.GetBytes($"{request.Method} {request.Path.Value}{request.QueryString.Value}\n"));
}
