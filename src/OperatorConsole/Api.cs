using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

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

/// <summary>
/// What each process keeps for its own services, such as dead letters, as one list, newest first. Its pages hold the newest of
/// all; one cursor goes on in each service's list, as it says where the list goes on and not in whose.
/// </summary>
/// <param name="Each">A page of each service that was asked.</param>
/// <param name="Items">The newest of these, at most one page.</param>
/// <param name="Next">Null at the end.</param>
public sealed record MergedList(
    IReadOnlyList<(string Service, Reply Reply)> Each, IReadOnlyList<JsonElement> Items, string? Next)
{
    /// <summary>There are several processes, each with a list of its own.</summary>
    public bool IsSpread => Each.Count > 1;

    /// <summary>Everyone answered: that nothing is there means that there is nothing.</summary>
    public bool IsWhole => Each.All(one => one.Reply.IsThere);

    /// <param name="each">A page of each service.</param>
    /// <param name="positionOf">Where an item stands in its list; as text it sorts as the lists do.</param>
    /// <param name="limit">Items of a page, the services' and this one's.</param>
    public static MergedList Of(
        IReadOnlyList<(string Service, Reply Reply)> each, Func<JsonElement, string> positionOf, int limit)
    {
        var all = each.SelectMany(one => one.Reply.Items).OrderByDescending(positionOf, StringComparer.Ordinal).ToList();
        var goesOn = all.Count > limit || each.Any(one => one.Reply.Next is not null);
        IReadOnlyList<JsonElement> items = [.. all.Take(limit)];
        return new(each, items, goesOn && items.Count > 0 ? Cursor.Write(positionOf(items[^1])) : null);
    }
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

    /// <summary>Messages that could not be handled, of every service; of one where it is named.</summary>
    /// <param name="query">With its question mark; empty for all.</param>
    /// <param name="service">Null for every one.</param>
    public Task<MergedList> ListDeadLettersAsync(string query, string? service = null) => ListEverywhereAsync(
        $"/dead-letters{query}", service,
        letter => DeadLetterResponse.PositionOf(Words.Time(letter, "failedAt")!.Value, IdOf(letter)));

    /// <summary>What operators did, at every service; at one where it is named.</summary>
    /// <inheritdoc cref="ListDeadLettersAsync"/>
    public Task<MergedList> ListAuditAsync(string query, string? service = null) =>
        ListEverywhereAsync($"/audit{query}", service, entry => AuditEntry.PositionOf(IdOf(entry)));

    async Task<MergedList> ListEverywhereAsync(string path, string? service, Func<JsonElement, string> positionOf)
    {
        var asked = ServiceNames.All.Contains(service) ? [service!] : ServiceNames.All.DistinctBy(addressOf).ToList();
        var replies = await Task.WhenAll(asked.Select(one => GetAsync(one, path)));
        return MergedList.Of([.. asked.Zip(replies)], positionOf, ListQuery.DefaultLimit);
    }

    static Guid IdOf(JsonElement item) => item.GetProperty("id").GetGuid();

    /// <summary>Where the console asks for a service.</summary>
    public string AddressOf(string service) => addressOf(service).GetLeftPart(UriPartial.Authority);

    /// <summary>Whether it could work, as it says itself; its call has no version.</summary>
    public Task<Reply> GetHealthAsync(string service) =>
        SendAsync(HttpMethod.Get, service, "/health/ready", null, null, root: "");

    /// <summary>Where each service is a process of its own.</summary>
    public bool IsSpread => ServiceNames.All.DistinctBy(addressOf).Count() > 1;

    public Task<Reply> PostAsync(string service, string path, JsonObject body, string? idempotencyKey = null) =>
        SendAsync(HttpMethod.Post, service, path, body, idempotencyKey);

    public async Task<Reply> SendAsync(
        HttpMethod method, string service, string path, JsonObject? body, string? idempotencyKey, string root = Root)
    {
        var address = addressOf(service);
        var call = $"{method} {root}{path}";
        using var request = new HttpRequestMessage(method, new Uri(address, root + path));
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
                response.IsSuccessStatusCode ? null : TroubleOf(service, (int)response.StatusCode, json));
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

    // Where a problem names what is wrong part by part, the sentence above the parts says nothing more.
    static string TroubleOf(string service, int status, JsonElement problem)
    {
        var parts = problem.Items("errors")
            .Select(part => $"{part.Text("pointer").TrimStart('/')}: {part.Text("detail")}").ToList();
        var said = parts.Count > 0 ? string.Join(" ", parts) : problem.TextOrNull("detail") ?? $"{service} answered {status}.";
        return $"{said} ({problem.TextOrNull("code") ?? "no code"})";
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
