using System.Text.Json;

namespace Orderwright.Client;

/// <summary>Kinds of failed calls.</summary>
public enum ApiFailure
{
    None,

    /// <summary>The service replied with a problem: see <see cref="ApiReply.Status"/> and <see cref="ApiReply.Code"/>.</summary>
    Refused,

    /// <summary>The connection was refused or lost.</summary>
    Unreachable,

    /// <summary>No reply within the client's timeout.</summary>
    TimedOut,

    /// <summary>Malformed JSON.</summary>
    Unreadable,
}

/// <summary>Reply of a service's HTTP API, or the reason for a missing reply.</summary>
/// <param name="Call">The call for people, such as <c>GET /api/v1/sagas?state=failed</c>.</param>
/// <param name="Status">The HTTP status; 0 without a readable reply.</param>
/// <param name="Body">The reply's JSON; an empty object where the reply carried none.</param>
/// <param name="Failure"><see cref="ApiFailure.None"/> for every 2xx.</param>
/// <param name="Error">The failure in a sentence; null on success.</param>
public sealed record ApiReply(
    string Call, int Status, JsonElement Body, ApiFailure Failure = ApiFailure.None, string? Error = null)
{
    internal static readonly JsonElement Empty = JsonElement.Parse("{}");

    /// <summary>Stands for the reply to work that an earlier run has done.</summary>
    public static readonly ApiReply Done = new("", 200, Empty);

    public bool IsSuccess => Failure == ApiFailure.None;

    public bool IsNotFound => Status == 404;

    /// <summary>The problem's stable code; empty without a problem document.</summary>
    public string Code => IsSuccess ? "" : Body.TextOrNull("code") ?? "";

    /// <summary>The server's <c>Retry-After</c>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The items of a list.</summary>
    public IEnumerable<JsonElement> Items => Body.Items();

    /// <summary>The cursor of a list's next page; null on the last page.</summary>
    public string? NextCursor => Body.TextOrNull("nextCursor");

    /// <summary>Returns the reply of a service, a refusal included.</summary>
    /// <exception cref="ApiException">No service replied.</exception>
    public ApiReply RequireReply() => Status != 0 ? this : throw new ApiException(this);

    /// <summary>Returns a successful reply.</summary>
    /// <exception cref="ApiException">The call failed.</exception>
    public ApiReply OrThrow() => IsSuccess ? this : throw new ApiException(this);
}

/// <summary>A call that failed. The message is <see cref="ApiReply.Error"/>.</summary>
public sealed class ApiException(ApiReply reply) : Exception(reply.Error)
{
    public ApiReply Reply { get; } = reply;

    public ApiFailure Failure => Reply.Failure;
}
