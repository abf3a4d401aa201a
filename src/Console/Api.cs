using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Http;

namespace Orderwright.OperatorConsole;

/// <summary>What an API said.</summary>
/// <param name="Call">Such as <c>GET /api/v1/sagas?state=failed</c>: the page names it.</param>
/// <param name="Status">0 when nobody answered.</param>
/// <param name="Body">An empty object where there was none.</param>
/// <param name="Trouble">One sentence; null when all is well.</param>
public sealed record Reply(string Call, int Status, JsonElement Body, string? Trouble)
{
    public bool IsThere => Trouble is null;

    /// <summary>An answer that says there is no such thing is no trouble everywhere.</summary>
    public bool IsMissing => Status == 404;

    public IEnumerable<JsonElement> Items => Body.Items();

    public string? Next => Body.TextOrNull("nextCursor");
}

/// <summary>What each process keeps for its own services, such as dead letters, as one list.</summary>
public sealed record Replies(IReadOnlyList<(string Service, Reply Reply)> Each)
{
    /// <summary>There are several processes, each with pages of its own.</summary>
    public bool IsSpread => Each.Count > 1;

    /// <param name="at">The property with the item's time.</param>
    public IReadOnlyList<JsonElement> Newest(string at) =>
        [.. Each.SelectMany(one => one.Reply.Items).OrderByDescending(item => item.Text(at), StringComparer.Ordinal)];
}

/// <summary>
/// Where the services' APIs are: in this process, or at <c>ORDERWRIGHT_ORDER_URL</c>, <c>_CUSTOMER_URL</c> and
/// <c>_STOCK_URL</c>, or else at the three ports after this one's.
/// </summary>
sealed class Apis(SiteContext context)
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    static readonly HttpClient Http = new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        AllowAutoRedirect = false,
        UseCookies = false,
    })
    { Timeout = Limit };

    readonly Dictionary<string, Uri?> said = new()
    {
        [ServiceNames.Coordinator] = null,
        [ServiceNames.Order] = UrlOf("ORDER_URL", context),
        [ServiceNames.Customer] = UrlOf("CUSTOMER_URL", context),
        [ServiceNames.Stock] = UrlOf("STOCK_URL", context),
    };

    /// <param name="key">The visitor's; null where none is needed.</param>
    /// <param name="cancel">The visitor went away.</param>
    public Api As(string? key, CancellationToken cancel) => new(Http, AddressOf, key, cancel);

    Uri AddressOf(string service)
    {
        var own = context.Address();
        return said[service] is { } url ? url
            : context.Services.Contains(service) ? own
            : new UriBuilder(own) { Port = own.Port + ServiceNames.All.ToList().IndexOf(service) }.Uri;
    }

    static Uri? UrlOf(string setting, SiteContext context) =>
        context.Configuration[setting] is not { Length: > 0 } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url
        : throw new InvalidSettingException(setting, text, "an address such as http://order-service:4001");
}

/// <summary>The services' HTTP APIs, called as one visitor. An API that does not answer is told, not thrown.</summary>
public sealed class Api(HttpClient http, Func<string, Uri> addressOf, string? key, CancellationToken cancel)
{
    const string Root = "/api/v1";

    /// <summary>As people would call it: the address without its host.</summary>
    public Task<Reply> GetAsync(string service, string path) => SendAsync(HttpMethod.Get, service, path, null, null);

    /// <summary>From every process at once; from one where it is named.</summary>
    public async Task<Replies> GetEverywhereAsync(string path, string? service = null)
    {
        var asked = ServiceNames.All.Contains(service) ? [service!] : ServiceNames.All.DistinctBy(addressOf).ToList();
        var replies = await Task.WhenAll(asked.Select(one => GetAsync(one, path)));
        return new([.. asked.Zip(replies)]);
    }

    /// <summary>Where each service is a process of its own.</summary>
    public bool IsSpread => ServiceNames.All.DistinctBy(addressOf).Count() > 1;

    public Task<Reply> PostAsync(string service, string path, JsonObject body, string? idempotencyKey = null) =>
        SendAsync(HttpMethod.Post, service, path, body, idempotencyKey);

    public async Task<Reply> SendAsync(
        HttpMethod method, string service, string path, JsonObject? body, string? idempotencyKey)
    {
        var address = addressOf(service);
        var call = $"{method} {Root}{path}";
        using var request = new HttpRequestMessage(method, new Uri(address, Root + path));
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        try
        {
            using var response = await http.SendAsync(request, cancel);
            var json = Parse(response, await response.Content.ReadAsByteArrayAsync(cancel));
            return new(
                call, (int)response.StatusCode, json,
                response.IsSuccessStatusCode ? null
                    : $"{json.TextOrNull("detail") ?? $"{service} answered {(int)response.StatusCode}."} "
                        + $"({json.TextOrNull("code") ?? "no code"})");
        }
        catch (Exception error) when (
            error is HttpRequestException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return new(
                call, 0, Empty,
                $"{service} does not answer at {address.GetLeftPart(UriPartial.Authority)}. Where it runs elsewhere, set "
                + $"{Settings.Prefix}{service.Split('-')[0].ToUpperInvariant()}_URL for the coordinator.");
        }
    }

    static readonly JsonElement Empty = JsonElement.Parse("{}");

    static JsonElement Parse(HttpResponseMessage response, byte[] bytes)
    {
        var type = response.Content.Headers.ContentType?.MediaType;
        if (bytes.Length == 0 || type?.EndsWith("json", StringComparison.Ordinal) != true) return Empty;
        using var document = JsonDocument.Parse(bytes);
        return document.RootElement.Clone();
    }
}
