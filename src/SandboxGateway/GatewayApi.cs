using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.SandboxGateway;

/// <summary>
/// The contract of docs/http-gateway.md, served by the sandbox. Requests that move money, and changes of its
/// behaviour, are signed; the list is open to whoever reaches the process, as nothing personal stands in it.
/// </summary>
public sealed class GatewayApi(
    SandboxLedger gateway, ChargeList charges, Signature signature, Behaviour behaviour, WebhookSender? webhooks,
    TimeSpan slow, TimeProvider time)
{
    const int MostBodyBytes = 64 * 1024;

    static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(2);

    static readonly string[] Operations =
        [GatewayOperations.Authorize, GatewayOperations.Capture, GatewayOperations.Void, GatewayOperations.Refund];

    public void Map(IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1").WithTags("gateway").OpenToAll();
        foreach (var operation in Operations)
            v1.MapPost(operation, http => DoAsync(operation, http).Unwrap(http));
        v1.MapGet("requests/{key}", http => FindAsync(http).Unwrap(http));
        v1.MapGet("charges", http => charges.ListAsync(http).Unwrap(http));
        v1.MapGet("charges/{id}", http => charges.GetAsync((string)http.GetRouteValue("id")!, http).Unwrap(http));
        v1.MapPost("charges/{reference}/action", http => ActAsync(http).Unwrap(http));
        v1.MapGet("behaviour", http => Behave().ExecuteAsync(http));
        v1.MapPut("behaviour", http => BehaveAsync(http).Unwrap(http));
    }

    async Task<IResult> DoAsync(string operation, HttpContext http)
    {
        var (asked, refusal) = await ReadAsync(http, HttpGatewayJson.Default.HttpGatewayRequest);
        if (asked is null) return refusal!;
        var whim = behaviour.Next();
        var authorizes = operation == GatewayOperations.Authorize;
        await Task.Delay(
            whim.Latency + (authorizes && asked.Token == SandboxTokens.Slow ? slow : TimeSpan.Zero), time,
            http.RequestAborted);
        if (whim.Error) return Tell(new(HttpGatewayNames.Unavailable));
        if (whim.LostBefore) return await StaySilentAsync(http);
        var token = authorizes && whim.Decline ? SandboxTokens.Declined : asked.Token;
        try
        {
            var reply = await gateway.DoAsync(new GatewayRequest(
                asked.Key, asked.Reference, operation, asked.Amount, asked.Currency, token, asked.Charge)
            {
                IsLast = asked.Final ?? true,
            });
            return reply.Lost || whim.LostAfter ? await StaySilentAsync(http) : Tell(Said(reply.Result!, http));
        }
        catch (Exception error) when (error is OverloadedException or DatabaseUnavailableException)
        {
            // It may have been carried out: no 503 of the contract, which says that it was not.
            return Problem.Of(StatusCodes.Status504GatewayTimeout, "not_known", "Look the key up.");
        }
    }

    async Task<IResult> FindAsync(HttpContext http)
    {
        if (!IsSigned(http, [])) return Unsigned();
        await Task.Delay(behaviour.Next().Latency, time, http.RequestAborted);
        var key = (string)http.GetRouteValue("key")!;
        var reply = await gateway.FindAsync(
            new GatewayRequest(key, Guid.Empty, GatewayOperations.Authorize, 0, "", null, null));
        return Tell(Said(reply.Result!, http));
    }

    // The customer's own act, on the page that they were sent to: whoever holds the order's id is that customer.
    async Task<IResult> ActAsync(HttpContext http)
    {
        if (!Guid.TryParseExact((string)http.GetRouteValue("reference")!, "D", out var order))
            return Problem.NotFound("charge");
        var body = await StrictJson.ReadAsync(http, GatewayJson.Default.SandboxAction);
        if (body.Refusal is not null) return body.Refusal;
        var reply = await gateway.ActAsync(order, body.Value!.Approve);
        if (reply?.Charge is not { } charge) return Problem.NotFound("charge");
        if (reply.Result is not { } result)
            return Problem.Conflict("not_waiting", $"Nothing is to be approved here; the charge is {charge.State}.");
        var type = $"charge.{charge.State}";
        webhooks?.Send(new(SandboxRules.IdOf("evt", $"{charge.Id}:{type}"), type, charge.Key, Said(result, http)));
        return Answer.Json(StatusCodes.Status200OK, new SandboxActed(order, charge.State), GatewayJson.Default.SandboxActed);
    }

    Answer Behave() => Answer.Json(StatusCodes.Status200OK, behaviour.Said, GatewayJson.Default.BehaviourBody);

    async Task<IResult> BehaveAsync(HttpContext http)
    {
        var (said, refusal) = await ReadAsync(http, GatewayJson.Default.BehaviourBody);
        if (said is null) return refusal!;
        try
        {
            behaviour.Become(said);
            return Behave();
        }
        catch (FormatException error)
        {
            return Problem.Invalid("", "invalid_behaviour", error.Message);
        }
    }

    async Task<(T? Value, Answer? Refusal)> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type) where T : class
    {
        using var body = new MemoryStream();
        if (http.Request.ContentLength is not { } length || length > MostBodyBytes)
            return (null, Problem.Of(
                StatusCodes.Status413PayloadTooLarge, "body_too_large",
                $"A body has a length, of {MostBodyBytes} bytes at most."));
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (!IsSigned(http, body.ToArray())) return (null, Unsigned());
        var (value, errors) = StrictJson.Parse(body.GetBuffer().AsSpan(0, (int)body.Length), type);
        return value is null ? (null, Problem.Invalid(errors)) : (value, null);
    }

    bool IsSigned(HttpContext http, byte[] body) => signature.Fits(
        http.Request.Headers[HttpGatewayNames.SignatureHeader].ToString(),
        HttpGatewayNames.Signed(http.Request.Method, http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget),
        body, time.GetUtcNow());

    static Answer Unsigned() => Problem.Of(
        StatusCodes.Status401Unauthorized, "bad_signature", "The signature does not fit, or is older than 5 minutes.");

    static Answer Tell(HttpGatewayAnswer answer) => Answer.Json(
        answer.Outcome switch
        {
            HttpGatewayNames.Unavailable => StatusCodes.Status503ServiceUnavailable,
            HttpGatewayNames.UnknownKey => StatusCodes.Status404NotFound,
            _ => StatusCodes.Status200OK,
        },
        answer, HttpGatewayJson.Default.HttpGatewayAnswer);

    static HttpGatewayAnswer Said(GatewayResult result, HttpContext http) => result switch
    {
        GatewayResult.Succeeded done => new(
            HttpGatewayNames.Succeeded, done.Reference, done.Captured, CaptureBefore: done.HoldsUntil),
        GatewayResult.Declined no => new(HttpGatewayNames.Declined, Code: no.Code, Message: no.Message),
        GatewayResult.ActionRequired action => new(
            HttpGatewayNames.ActionRequired, action.Reference,
            ActionUrl: $"{http.Request.Scheme}://{http.Request.Host}/v1/charges/{action.Url.Split('/')[^1]}/action"),
        GatewayResult.Unavailable => new(HttpGatewayNames.Unavailable),
        GatewayResult.NeverHappened => new(HttpGatewayNames.UnknownKey),
        var other => throw new InvalidOperationException($"The sandbox does not answer {other.GetType().Name}."),
    };

    // The connection stays open and says nothing, until the caller has had enough.
    async Task<IResult> StaySilentAsync(HttpContext http)
    {
        await Task.Delay(LongestSilence, time, http.RequestAborted);
        http.Abort();
        return Results.Empty;
    }
}

static class Unwrapping
{
    /// <summary>Runs what an endpoint decided.</summary>
    public static async Task Unwrap(this Task<IResult> deciding, HttpContext http) =>
        await (await deciding).ExecuteAsync(http);
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BehaviourBody))]
[JsonSerializable(typeof(SandboxAction))]
[JsonSerializable(typeof(SandboxActed))]
sealed partial class GatewayJson : JsonSerializerContext;
