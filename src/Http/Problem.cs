using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>
/// RFC 9457 problem details. <c>code</c> is stable, and clients branch on it; <c>errors</c> lists each invalid place;
/// <c>traceId</c> finds the log. Never contains a stack, SQL, or a path of the machine.
/// </summary>
public sealed record Problem(
    string Type, string Title, int Status, string Code, string Detail, string? TraceId,
    IReadOnlyList<ProblemError>? Errors = null, IReadOnlyList<string>? Allowed = null, string? OrderId = null)
{
    const string ContentType = "application/problem+json";

    /// <param name="status">400 to 599.</param>
    /// <param name="code">Stable snake_case, documented in <see cref="ProblemCodes"/>.</param>
    /// <param name="detail">Sentence for the caller, without internals.</param>
    /// <param name="errors">For a 400: the invalid places.</param>
    /// <param name="allowed">For <c>illegal_transition</c>: legal statuses.</param>
    /// <param name="orderId">For <c>duplicate_reference</c>: the first order.</param>
    public static Answer Of(
        int status, string code, string detail, IReadOnlyList<ProblemError>? errors = null,
        IReadOnlyList<string>? allowed = null, string? orderId = null) =>
        new(
            status,
            JsonSerializer.SerializeToUtf8Bytes(
                new Problem(
                    "about:blank", TitleOf(status), status, code, detail, Activity.Current?.TraceId.ToHexString(), errors,
                    allowed, orderId),
                ProblemJson.Default.Problem),
            ContentType);

    /// <summary>
    /// Adds the trace id of a request to the problem, for requests handled in a batch. A replayed response is unchanged.
    /// </summary>
    public static Answer Traced(Answer answer, string? traceId) =>
        answer.ContentType != ContentType || answer.Replayed || traceId is null
            ? answer
            : answer with
            {
                Body = JsonSerializer.SerializeToUtf8Bytes(
                    JsonSerializer.Deserialize(answer.Body.Span, ProblemJson.Default.Problem)! with { TraceId = traceId },
                    ProblemJson.Default.Problem),
            };

    public static Answer Invalid(IReadOnlyList<ProblemError> errors) =>
        Of(
            StatusCodes.Status400BadRequest, ProblemCodes.InvalidRequest, "The request is invalid; errors lists each problem.",
            errors);

    /// <param name="place">A JSON pointer, or the name of a parameter.</param>
    /// <param name="code">One of <see cref="ErrorCodes"/>.</param>
    /// <param name="detail">Sentence.</param>
    public static Answer Invalid(string place, string code, string detail) =>
        Invalid([new ProblemError(place, code, detail)]);

    /// <param name="place">Location of the number, never the number.</param>
    public static Answer CardNumber(string place) => Of(
        StatusCodes.Status400BadRequest, CardNumbers.Code, CardNumbers.Advice,
        [new ProblemError(place, CardNumbers.Code, CardNumbers.Advice)]);

    public static Answer NotFound(string what) =>
        Of(StatusCodes.Status404NotFound, ProblemCodes.NotFound, $"The {what} does not exist, or you may not see it.");

    /// <summary>Refusal of a well-formed cursor that belongs to another list.</summary>
    public static Answer InvalidCursor =>
        Invalid("cursor", ErrorCodes.InvalidCursor, "Pass nextCursor of the previous page unchanged.");

    public static Answer Conflict(string code, string detail) => Of(StatusCodes.Status409Conflict, code, detail);

    static string TitleOf(int status) => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status);
}

/// <summary>Invalid place of a request: a member of the body, or a parameter.</summary>
/// <param name="Pointer">RFC 6901 into the body (<c>/lines/0/quantity</c>); null for a parameter.</param>
/// <param name="Parameter">Name of a query or path parameter, or of a header; null for a place in the body.</param>
/// <param name="Code">Stable snake_case.</param>
/// <param name="Detail">Sentence.</param>
[method: JsonConstructor]
public sealed record ProblemError(string? Pointer, string? Parameter, string Code, string Detail)
{
    /// <param name="place">A JSON pointer, empty for the whole body, or the name of a parameter.</param>
    /// <param name="code">Stable snake_case.</param>
    /// <param name="detail">Sentence.</param>
    public ProblemError(string place, string code, string detail)
        : this(IsPointer(place) ? place : null, IsPointer(place) ? null : place, code, detail)
    {
    }

    static bool IsPointer(string place) => place is "" or ['/', ..];
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
sealed partial class ProblemJson : JsonSerializerContext;
