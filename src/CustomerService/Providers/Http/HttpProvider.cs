using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Http;

/// <summary>
/// A gateway that any shop can serve: our contract (docs/http-gateway.md) over HTTP, signed both ways. Only what
/// the gateway itself says in the contract's words settles anything. An error that may come from something in
/// between is no statement about money: it is looked up.
/// </summary>
public sealed class HttpProvider(
    HttpClient http, Signature signature, TimeProvider time, bool severalCaptures = false) : IPaymentProvider, IChargeList
{
    const int PageSize = 200;

    static readonly MediaTypeHeaderValue Json = new("application/json");

    public static HttpProvider Over(HttpGatewaySettings settings, GatewayLimits limits, TimeProvider time) =>
        new(GatewayHttp.ClientOf(settings.Url, limits), new Signature(settings.Secret), time, settings.GatewaySeveralCaptures);

    public string Name => HttpGatewayNames.Provider;

    public ProviderCapabilities Capabilities { get; } = new(
        IdempotentKeys: true, LookUpByKey: true, CapturesLater: true, PartialCapture: true, PartialRefund: true)
    {
        SeveralCaptures = severalCaptures,
    };

    public IChargeList Charges => this;

    public Task<GatewayResult> AuthorizeAsync(GatewayRequest request, CancellationToken cancel) =>
        PostAsync(request, cancel);

    public Task<GatewayResult> CaptureAsync(GatewayRequest request, CancellationToken cancel) =>
        PostAsync(request, cancel);

    public Task<GatewayResult> VoidAsync(GatewayRequest request, CancellationToken cancel) =>
        PostAsync(request, cancel);

    public Task<GatewayResult> RefundAsync(GatewayRequest request, CancellationToken cancel) =>
        PostAsync(request, cancel);

    public async Task<GatewayResult> FindAsync(GatewayRequest request, CancellationToken cancel)
    {
        using var message = Message(HttpMethod.Get, $"requests/{Uri.EscapeDataString(request.Key)}", []);
        return await AskAsync(message, cancel);
    }

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        if (!signature.Fits(headers[HttpGatewayNames.SignatureHeader].ToString(), "", body.Span, now))
            return new WebhookReading.Forged("The signature does not fit, or is older than 5 minutes.");
        try
        {
            var told = JsonSerializer.Deserialize(body.Span, HttpGatewayJson.Default.HttpGatewayEvent)!;
            // That the gateway is busy settles nothing.
            var result = ResultOf(told.Answer) is var said and not (GatewayResult.Unknown or GatewayResult.Unavailable)
                ? said
                : null;
            return new WebhookReading.Genuine(
                [new GatewayEvent(told.Id, told.Type, told.Key, result, Encoding.UTF8.GetString(body.Span))]);
        }
        catch (JsonException)
        {
            return new WebhookReading.Unreadable("This is not an event of the contract.");
        }
    }

    public async Task<ChargePage> ListAsync(
        DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel)
    {
        var query = $"charges?from={Uri.EscapeDataString(Rfc3339(from))}&to={Uri.EscapeDataString(Rfc3339(to))}&limit={PageSize}"
            + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}");
        using var message = Message(HttpMethod.Get, query, []);
        try
        {
            using var response = await http.SendAsync(message, cancel);
            if (response.StatusCode != HttpStatusCode.OK)
                throw new ChargeListException($"The gateway's list was answered {(int)response.StatusCode}.");
            var page = JsonSerializer.Deserialize(
                await response.Content.ReadAsByteArrayAsync(cancel), HttpGatewayJson.Default.HttpGatewayPage)!;
            return new([.. page.Items.Select(Listed)], page.NextCursor);
        }
        catch (Exception error) when (error is HttpRequestException or JsonException)
        {
            throw new ChargeListException($"The gateway's list cannot be read: {error.Message}", error);
        }
    }

    public string CallToReturn(ListedCharge charge, long amountMinor)
    {
        var call = amountMinor > 0 ? GatewayOperations.Refund : GatewayOperations.Void;
        var amount = amountMinor > 0 ? amountMinor : charge.HeldMinor;
        var body = JsonSerializer.Serialize(
            new HttpGatewayRequest(
                $"{charge.OrderId}:{call}:by-hand-1", charge.OrderId ?? Guid.Empty, amount, charge.Currency,
                Charge: charge.Reference),
            HttpGatewayJson.Default.HttpGatewayRequest);
        return $"POST {new Uri(http.BaseAddress!, call)} {body}";
    }

    static ListedCharge Listed(HttpGatewayCharge charge) => new(
        charge.Id, charge.Reference, charge.Currency, charge.State,
        charge is { State: "authorized", Voided: false } ? charge.Authorized - charge.Captured : 0, charge.Captured,
        charge.Refunded, charge.CreatedAt);

    static string Rfc3339(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    async Task<GatewayResult> PostAsync(GatewayRequest request, CancellationToken cancel)
    {
        var authorizes = request.Operation == GatewayOperations.Authorize;
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new HttpGatewayRequest(
                request.Key, request.OrderId, request.AmountMinor, request.Currency,
                authorizes ? request.Token : null, authorizes ? null : request.Reference,
                request is { Operation: GatewayOperations.Capture, IsLast: false } ? false : null),
            HttpGatewayJson.Default.HttpGatewayRequest);
        using var message = Message(HttpMethod.Post, request.Operation, body);
        return await AskAsync(message, cancel);
    }

    HttpRequestMessage Message(HttpMethod method, string path, byte[] body)
    {
        var target = new Uri(http.BaseAddress!, path);
        var message = new HttpRequestMessage(method, target);
        if (method == HttpMethod.Post)
            message.Content = new ByteArrayContent(body) { Headers = { ContentType = Json } };
        message.Headers.Add(
            HttpGatewayNames.SignatureHeader,
            signature.Write(HttpGatewayNames.Signed(method.Method, target.PathAndQuery), body, time.GetUtcNow()));
        return message;
    }

    async Task<GatewayResult> AskAsync(HttpRequestMessage message, CancellationToken cancel)
    {
        try
        {
            using var response = await http.SendAsync(message, cancel);
            var body = await response.Content.ReadAsByteArrayAsync(cancel);
            return ResultOf(response.StatusCode, Read(body), isLookUp: message.Method == HttpMethod.Get);
        }
        catch (HttpRequestException error)
        {
            return GatewayHttp.Broken(error);
        }
    }

    static GatewayResult ResultOf(HttpStatusCode status, HttpGatewayAnswer? answer, bool isLookUp) =>
        (status, answer) switch
        {
            (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, not null) => ResultOf(answer),
            (HttpStatusCode.NotFound, { Outcome: HttpGatewayNames.UnknownKey }) when isLookUp =>
                new GatewayResult.NeverHappened(Final: false),
            // Refused by somebody before it was carried out: a secret, an address or a limit that is wrong, which
            // somebody will mend. It says nothing about the customer's means of payment.
            (>= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
                and not (HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict), _) when !isLookUp =>
                new GatewayResult.Unavailable($"The gateway does not take our requests: {(int)status}."),
            _ => new GatewayResult.Unknown($"The gateway answered {(int)status}."),
        };

    static GatewayResult ResultOf(HttpGatewayAnswer answer) => answer switch
    {
        { Outcome: HttpGatewayNames.Succeeded, Id: { Length: > 0 } id } =>
            new GatewayResult.Succeeded(id, answer.Captured) { HoldsUntil = answer.CaptureBefore?.ToUniversalTime() },
        { Outcome: HttpGatewayNames.Declined } =>
            new GatewayResult.Declined(answer.Code ?? "declined", answer.Message ?? "It was declined."),
        { Outcome: HttpGatewayNames.ActionRequired, Id: { Length: > 0 } id, ActionUrl: { Length: > 0 } url } =>
            new GatewayResult.ActionRequired(id, url),
        { Outcome: HttpGatewayNames.Unavailable } => new GatewayResult.Unavailable(
            "The gateway is not available.",
            answer.RetryAfter is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 300)) : null),
        _ => new GatewayResult.Unknown($"The gateway says '{answer.Outcome}'."),
    };

    static HttpGatewayAnswer? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, HttpGatewayJson.Default.HttpGatewayAnswer);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
