using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.SandboxGateway;

/// <summary>
/// The contract of docs/reference/http-gateway.md, served by the sandbox. Requests that move money or change the behaviour
/// must be signed. The list needs no signature, since charges contain no personal data.
/// </summary>
public sealed class GatewayApi(
    SandboxLedger ledger, ChargeList charges, Signature signature, Behaviour behaviour, WebhookSender? webhooks,
    TimeSpan slow, TimeProvider time)
{
    const int MostBodyBytes = 64 * 1024;

    static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(2);

    static readonly string[] Operations =
        [GatewayOperations.Authorize, GatewayOperations.Capture, GatewayOperations.Void, GatewayOperations.Refund];

    public void Map(IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1").WithTags("gateway").OpenToAll(CallBudget.None);
        foreach (var operation in Operations)
            v1.MapPost(operation, http => ExecuteAsync(operation, http).ExecuteAsync(http));
        v1.MapGet("requests/{key}", http => FindAsync(http).ExecuteAsync(http));
        v1.MapGet("charges", http => charges.ListAsync(http).ExecuteAsync(http)).Lists("reference", "from", "to");
        v1.MapGet("charges/{id}", http => charges.GetAsync((string)http.GetRouteValue("id")!, http).ExecuteAsync(http));
        v1.MapPost("charges/{reference}/action", http => ActAsync(http).ExecuteAsync(http));
        v1.MapGet("behaviour", http => GetBehaviour().ExecuteAsync(http));
        v1.MapPut("behaviour", http => SetBehaviourAsync(http).ExecuteAsync(http));
    }

    async Task<IResult> ExecuteAsync(string operation, HttpContext http)
    {
        var (request, refusal) = await ReadAsync(http, HttpGatewayJson.Default.HttpGatewayRequest);
        if (request is null) return refusal!;
        var fault = behaviour.Next();
        var authorizes = operation == GatewayOperations.Authorize;
        await Task.Delay(
            fault.Latency + (authorizes && request.Token == SandboxTokens.Slow ? slow : TimeSpan.Zero), time,
            http.RequestAborted);
        if (fault.Error) return Respond(new(HttpGatewayNames.Unavailable));
        if (fault.LostBefore) return await NeverRespondAsync(http);
        var token = authorizes && fault.Decline ? SandboxTokens.Declined : request.Token;
        try
        {
            var reply = await ledger.ExecuteAsync(new GatewayRequest(
                request.Key, request.Reference, operation, request.Amount, request.Currency, token, request.Charge)
            {
                IsLast = request.Final ?? true,
            });
            return reply.Lost || fault.LostAfter ? await NeverRespondAsync(http) : Respond(ResponseOf(reply.Result!, http));
        }
        catch (Exception error) when (error is OverloadedException or DatabaseUnavailableException)
        {
            // The contract's 503 promises that nothing happened, but the request may have been executed.
            return Problem.Of(
                StatusCodes.Status504GatewayTimeout, "not_known", "The request may have been executed; look up its key.");
        }
    }

    async Task<IResult> FindAsync(HttpContext http)
    {
        if (!IsSigned(http, [])) return Unsigned();
        await Task.Delay(behaviour.Next().Latency, time, http.RequestAborted);
        var key = (string)http.GetRouteValue("key")!;
        var reply = await ledger.FindAsync(
            new GatewayRequest(key, Guid.Empty, GatewayOperations.Authorize, 0, "", null, null));
        return Respond(ResponseOf(reply.Result!, http));
    }

    // Plays the page of the customer's bank; the order id alone authorizes the decision.
    async Task<IResult> ActAsync(HttpContext http)
    {
        if (!Guid.TryParseExact((string)http.GetRouteValue("reference")!, "D", out var order))
            return Problem.NotFound("charge");
        var body = await StrictJson.ReadAsync(http, GatewayJson.Default.SandboxActionRequest);
        if (body.Refusal is not null) return body.Refusal;
        var reply = await ledger.ActAsync(order, body.Value!.Approve);
        if (reply?.Charge is not { } charge) return Problem.NotFound("charge");
        if (reply.Result is not { } result)
            return Problem.Conflict("not_waiting", $"No action is required; the charge is {charge.State}.");
        var type = $"charge.{charge.State}";
        webhooks?.Send(new(SandboxRules.IdOf("evt", $"{charge.Id}:{type}"), type, charge.Key, ResponseOf(result, http)));
        return Answer.Json(
            StatusCodes.Status200OK, new(order, charge.State), GatewayJson.Default.SandboxActionResponse);
    }

    Answer GetBehaviour() => Answer.Json(StatusCodes.Status200OK, behaviour.Settings, GatewayJson.Default.BehaviourSettings);

    async Task<IResult> SetBehaviourAsync(HttpContext http)
    {
        var (settings, refusal) = await ReadAsync(http, GatewayJson.Default.BehaviourSettings);
        if (settings is null) return refusal!;
        try
        {
            behaviour.Apply(settings);
            return GetBehaviour();
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
                $"Send a Content-Length of at most {MostBodyBytes} bytes."));
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (!IsSigned(http, body.ToArray())) return (null, Unsigned());
        var (value, errors) = StrictJson.Parse(body.GetBuffer().AsSpan(0, (int)body.Length), type);
        return value is null ? (null, Problem.Invalid(errors)) : (value, null);
    }

    bool IsSigned(HttpContext http, byte[] body) => signature.IsValid(
        http.Request.Headers[HttpGatewayNames.SignatureHeader].ToString(),
        HttpGatewayNames.SigningPrefix(http.Request.Method, http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget),
        body, time.GetUtcNow());

    static Answer Unsigned() => Problem.Of(
        StatusCodes.Status401Unauthorized, "bad_signature", "The signature does not match, or is more than 5 minutes old.");

    static Answer Respond(HttpGatewayResponse response) => Answer.Json(
        response.Outcome switch
        {
            HttpGatewayNames.Unavailable => StatusCodes.Status503ServiceUnavailable,
            HttpGatewayNames.UnknownKey => StatusCodes.Status404NotFound,
            _ => StatusCodes.Status200OK,
        },
        response, HttpGatewayJson.Default.HttpGatewayResponse);

    static HttpGatewayResponse ResponseOf(GatewayResult result, HttpContext http) => result switch
    {
        GatewayResult.Succeeded success => new(
            HttpGatewayNames.Succeeded, success.Reference, success.Captured, CaptureBefore: success.HoldsUntil),
        GatewayResult.Declined refusal => new(HttpGatewayNames.Declined, Code: refusal.Code, Message: refusal.Message),
        GatewayResult.ActionRequired action => new(
            HttpGatewayNames.ActionRequired, action.Reference,
            ActionUrl: $"{http.Request.Scheme}://{http.Request.Host}/v1/charges/{action.Url.Split('/')[^1]}/action"),
        GatewayResult.Unavailable => new(HttpGatewayNames.Unavailable),
        GatewayResult.NeverHappened => new(HttpGatewayNames.UnknownKey),
        var other => throw new InvalidOperationException($"The sandbox never returns {other.GetType().Name}."),
    };

    // Keeps the connection open without a response until the caller gives up.
    async Task<IResult> NeverRespondAsync(HttpContext http)
    {
        await Task.Delay(LongestSilence, time, http.RequestAborted);
        http.Abort();
        return Results.Empty;
    }
}

static class ResultTasks
{
    /// <summary>Awaits an endpoint's result and writes the response.</summary>
    public static async Task ExecuteAsync(this Task<IResult> result, HttpContext http) =>
        await (await result).ExecuteAsync(http);
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BehaviourSettings))]
[JsonSerializable(typeof(SandboxActionRequest))]
[JsonSerializable(typeof(SandboxActionResponse))]
sealed partial class GatewayJson : JsonSerializerContext;
