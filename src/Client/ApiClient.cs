using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>
/// Client of the services' HTTP APIs under one API key. Paths are relative to <c>/api/v1</c> and include the query.
/// </summary>
/// <param name="http">HTTP client from <see cref="NewHttp"/>; may be shared, and is not disposed.</param>
/// <param name="addresses">Address book.</param>
/// <param name="key">The caller's API key; null where the server needs none.</param>
public sealed class ApiClient(HttpClient http, ServiceAddresses addresses, string? key = null)
{
    public const string Root = "/api/v1";

    public ServiceAddresses Addresses => addresses;

    /// <summary>Creates an HTTP client with limits for many concurrent calls.</summary>
    public static HttpClient NewHttp(TimeSpan timeout) => new(new SocketsHttpHandler
    {
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxConnectionsPerServer = 256,
        ConnectTimeout = TimeSpan.FromSeconds(Math.Min(5, timeout.TotalSeconds / 2)),
        AllowAutoRedirect = false,
        UseCookies = false,
    })
    { Timeout = timeout };

    /// <summary>Creates a random Idempotency-Key, prefixed with the purpose.</summary>
    public static string NewKey(string purpose) => $"{purpose}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";

    public Task<ApiReply> GetAsync(string service, string path, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, service, path, cancel);

    public Task<ApiReply> PostAsync(
        string service, string path, JsonObject body, CancellationToken cancel, string? idempotencyKey = null) =>
        SendAsync(HttpMethod.Post, service, path, cancel, body, idempotencyKey);

    /// <summary>Readiness of a service's process, at an unversioned path.</summary>
    public Task<ApiReply> GetHealthAsync(string service, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, service, "/health/ready", null, null, 0, root: "", cancel);

    /// <summary>Sends a call and returns the reply, a refusal included. Only cancellation throws.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="service">One of <see cref="ServiceNames"/>.</param>
    /// <param name="path">Path relative to <c>/api/v1</c>, with the query.</param>
    /// <param name="cancel">Cancels the call.</param>
    /// <param name="body">Null for none.</param>
    /// <param name="idempotencyKey">Null for none.</param>
    /// <param name="waitSeconds">Seconds for which the server may hold its reply until the order is decided.</param>
    public Task<ApiReply> SendAsync(
        HttpMethod method, string service, string path, CancellationToken cancel, JsonObject? body = null,
        string? idempotencyKey = null, int waitSeconds = 0) =>
        SendAsync(method, service, path, body, idempotencyKey, waitSeconds, Root, cancel);

    /// <summary>Items of a list, page after page.</summary>
    /// <exception cref="ApiException">A page could not be read.</exception>
    public IAsyncEnumerable<JsonElement> ListAsync(string service, string path, CancellationToken cancel) =>
        ListAsync(path, page => GetAsync(service, page, cancel), cancel);

    /// <inheritdoc cref="ListAsync(string, string, CancellationToken)"/>
    /// <param name="path">The list without limit and cursor.</param>
    /// <param name="getPage">Reads the page at a path.</param>
    /// <param name="cancel">Ends the enumeration.</param>
    public static async IAsyncEnumerable<JsonElement> ListAsync(
        string path, Func<string, Task<ApiReply>> getPage, [EnumeratorCancellation] CancellationToken cancel)
    {
        path += (path.Contains('?', StringComparison.Ordinal) ? '&' : '?') + "limit=200";
        for (string? cursor = ""; cursor is not null;)
        {
            cancel.ThrowIfCancellationRequested();
            var page = (await getPage(cursor.Length > 0 ? $"{path}&cursor={cursor}" : path)).OrThrow();
            foreach (var item in page.Items) yield return item;
            cursor = page.NextCursor;
        }
    }

    /// <summary>Reads a page of the same list at every process, and merges the pages.</summary>
    /// <param name="path">The list, the same at every service.</param>
    /// <param name="order">Position and cursor of an item.</param>
    /// <param name="limit">Items per page: the limit in <paramref name="path"/>, or the API's default.</param>
    /// <param name="cancel">Cancels the calls.</param>
    /// <param name="service">Limits the page to one service; null reads all.</param>
    public async Task<MergedList> ListEverywhereAsync(
        string path, ListOrder order, int limit, CancellationToken cancel, string? service = null)
    {
        var services = ServiceNames.All.Contains(service) ? [service!] : addresses.Processes;
        var replies = await Task.WhenAll(services.Select(name => GetAsync(name, path, cancel)));
        return MergedList.Of([.. services.Zip(replies)], order, limit);
    }

    async Task<ApiReply> SendAsync(
        HttpMethod method, string service, string path, JsonObject? body, string? idempotencyKey, int waitSeconds, string root,
        CancellationToken cancel)
    {
        var address = addresses[service];
        var call = $"{method} {root}{path}";
        using var request = new HttpRequestMessage(method, new Uri(address, root + path));
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        if (waitSeconds > 0) request.Headers.Add("Prefer", $"wait={waitSeconds}");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        try
        {
            using var response = await http.SendAsync(request, cancel);
            return Read(call, service, response, await response.Content.ReadAsByteArrayAsync(cancel));
        }
        // HttpClient lets a bare SocketException pass when the peer closes a connection while it is being established.
        catch (Exception error) when (error is HttpRequestException or SocketException)
        {
            var cause = error.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
                ? "connection refused" : error.Message.TrimEnd('.');
            return Failed(
                ApiFailure.Unreachable,
                $"({cause}). If it runs elsewhere, set {ServiceAddresses.SettingOf(service)}.");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Failed(ApiFailure.TimedOut, $"within {http.Timeout.TotalSeconds:0.#} s.");
        }

        ApiReply Failed(ApiFailure failure, string detail) => new(
            call, 0, ApiReply.Empty, failure,
            $"{service} does not answer at {address.GetLeftPart(UriPartial.Authority)} {detail}");
    }

    static ApiReply Read(string call, string service, HttpResponseMessage response, byte[] bytes)
    {
        var status = (int)response.StatusCode;
        var retryAfter = response.Headers.RetryAfter?.Delta;
        // A proxy's page and an empty 204 both count as an empty object.
        var body = ApiReply.Empty;
        var type = response.Content.Headers.ContentType?.MediaType;
        if (bytes.Length > 0 && type?.EndsWith("json", StringComparison.Ordinal) == true)
            try
            {
                body = JsonElement.Parse(bytes);
            }
            catch (JsonException error)
            {
                return new(
                    call, 0, body, ApiFailure.Unreadable,
                    $"{service} replied to {call} with status {status} and malformed JSON: {error.Message}");
            }
        return response.IsSuccessStatusCode
            ? new(call, status, body) { RetryAfter = retryAfter }
            : new(call, status, body, ApiFailure.Refused, ErrorOf(service, status, body)) { RetryAfter = retryAfter };
    }

    // The detail of a problem with errors by place only announces the errors.
    static string ErrorOf(string service, int status, JsonElement problem)
    {
        var errors = problem.Items("errors")
            .Select(error => $"{error.Text("pointer").TrimStart('/')}{error.Text("parameter")}: {error.Text("detail")}").ToList();
        var sentence = errors.Count > 0
            ? string.Join(" ", errors)
            : problem.TextOrNull("detail") ?? $"{service} replied with status {status}.";
        return problem.TextOrNull("code") is { } code ? $"{sentence} ({code})" : sentence;
    }
}
