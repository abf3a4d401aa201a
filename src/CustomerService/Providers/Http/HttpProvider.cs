using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Http;

/// <summary>
/// Client of a gateway served by the shop itself: the contract of docs/reference/http-gateway.md over HTTP, signed in both
/// directions. Only the contract's outcomes settle an attempt. An error possibly caused by an intermediary is no statement
/// about money and leads to a look-up.
/// </summary>
public sealed class HttpProvider(
    HttpClient http, Signature signature, TimeProvider time, bool severalCaptures = false) : IPaymentProvider, IChargeList
{
    const int PageSize = 200;

    static readonly MediaTypeHeaderValue Json = new("application/json");

    public static HttpProvider Create(HttpGatewaySettings settings, GatewayLimits limits, TimeProvider time) =>
        new(
            GatewayHttp.CreateClient(settings.Url, limits), new Signature(settings.Secret), time,
            settings.GatewaySeveralCaptures);

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
        return await SendAsync(message, cancel);
    }

    public WebhookReading ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        if (!signature.IsValid(headers[HttpGatewayNames.SignatureHeader].ToString(), "", body.Span, now))
            return new WebhookReading.Forged("The signature does not match, or is more than 5 minutes old.");
        try
        {
            var received = WebhookJson.Read(body.Span, HttpGatewayJson.Default.HttpGatewayEvent);
            // A busy gateway settles nothing.
            var result = ResultOf(received.Answer) is var final and not (GatewayResult.Unknown or GatewayResult.Unavailable)
                ? final
                : null;
            return new WebhookReading.Genuine(
                [new GatewayEvent(received.Id, received.Type, received.Key, result, Encoding.UTF8.GetString(body.Span))]);
        }
        catch (JsonException)
        {
            return new WebhookReading.Unreadable("The body is not an event of the HTTP gateway contract.");
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
                throw new ChargeListException($"The gateway responded to the list request with {(int)response.StatusCode}.");
            var page = JsonSerializer.Deserialize(
                await response.Content.ReadAsByteArrayAsync(cancel), HttpGatewayJson.Default.HttpGatewayPage)!;
            return new([.. page.Items.Select(Listed)], page.NextCursor);
        }
        catch (Exception error) when (error is HttpRequestException or JsonException)
        {
            throw new ChargeListException($"The gateway's charge list cannot be read: {error.Message}", error);
        }
    }

    public string CallToReturn(ListedCharge charge, long amountMinor)
    {
        var operation = amountMinor > 0 ? GatewayOperations.Refund : GatewayOperations.Void;
        var amount = amountMinor > 0 ? amountMinor : charge.HeldMinor;
        var body = JsonSerializer.Serialize(
            new HttpGatewayRequest(
                $"{charge.OrderId}:{operation}:by-hand-1", charge.OrderId ?? Guid.Empty, amount, charge.Currency,
                Charge: charge.Reference),
            HttpGatewayJson.Default.HttpGatewayRequest);
        return $"POST {new Uri(http.BaseAddress!, operation)} {body}";
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
        return await SendAsync(message, cancel);
    }

    HttpRequestMessage Message(HttpMethod method, string path, byte[] body)
    {
        var target = new Uri(http.BaseAddress!, path);
        var message = new HttpRequestMessage(method, target);
        if (method == HttpMethod.Post)
            message.Content = new ByteArrayContent(body) { Headers = { ContentType = Json } };
        message.Headers.Add(
            HttpGatewayNames.SignatureHeader,
            signature.Sign(HttpGatewayNames.SigningPrefix(method.Method, target.PathAndQuery), body, time.GetUtcNow()));
        return message;
    }

    async Task<GatewayResult> SendAsync(HttpRequestMessage message, CancellationToken cancel)
    {
        try
        {
            using var response = await http.SendAsync(message, cancel);
            var body = await response.Content.ReadAsByteArrayAsync(cancel);
            return ResultOf(response.StatusCode, Read(body), isLookUp: message.Method == HttpMethod.Get);
        }
        catch (HttpRequestException error)
        {
            return GatewayHttp.ResultOf(error);
        }
    }

    static GatewayResult ResultOf(HttpStatusCode status, HttpGatewayResponse? response, bool isLookUp) =>
        (status, response) switch
        {
            (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, not null) => ResultOf(response),
            (HttpStatusCode.NotFound, { Outcome: HttpGatewayNames.UnknownKey }) when isLookUp =>
                new GatewayResult.NeverHappened(Final: false),
            // Refused before execution because of a wrong secret, address or limit. Such an error can be fixed and is no
            // statement about the customer's payment method.
            (>= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
                and not (HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict), _) when !isLookUp =>
                new GatewayResult.Unavailable($"The gateway refuses our requests with {(int)status}."),
            _ => new GatewayResult.Unknown($"The gateway responded with {(int)status}."),
        };

    static GatewayResult ResultOf(HttpGatewayResponse response) => response switch
    {
        { Outcome: HttpGatewayNames.Succeeded, Id: { Length: > 0 } id } =>
            new GatewayResult.Succeeded(id, response.Captured) { HoldsUntil = response.CaptureBefore?.ToUniversalTime() },
        { Outcome: HttpGatewayNames.Declined } =>
            new GatewayResult.Declined(response.Code ?? "declined", response.Message ?? "The gateway declined the request."),
        { Outcome: HttpGatewayNames.ActionRequired, Id: { Length: > 0 } id, ActionUrl: { Length: > 0 } url } =>
            new GatewayResult.ActionRequired(id, url),
        { Outcome: HttpGatewayNames.Unavailable } => new GatewayResult.Unavailable(
            "The gateway is not available.",
            response.RetryAfter is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 300)) : null),
        _ => new GatewayResult.Unknown($"The gateway returned the outcome '{response.Outcome}'."),
    };

    static HttpGatewayResponse? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, HttpGatewayJson.Default.HttpGatewayResponse);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
