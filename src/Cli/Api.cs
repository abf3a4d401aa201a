using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Cli;

/// <summary>An answer of the server: its status and its JSON (an empty object when it had none).</summary>
sealed record ApiAnswer(int Status, JsonElement Body, TimeSpan? RetryAfter)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The problem's stable code; empty for what is not a problem of ours.</summary>
    public string Code => Body.TextOrNull("code") ?? "";

    /// <summary>What it says for people: the detail, and which part of the request it means.</summary>
    public string Detail
    {
        get
        {
            var detail = Body.TextOrNull("detail") ?? $"The server answered {Status}.";
            if (Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("errors", out var errors))
                foreach (var error in errors.EnumerateArray())
                    detail += $" {error.TextOrNull("pointer")}: {error.TextOrNull("detail")}";
            return Code.Length == 0 ? detail : $"{detail} ({Code})";
        }
    }

    /// <summary>This, when it is a success; else throws what ends the tool.</summary>
    public ApiAnswer OrThrow() => IsSuccess ? this : throw new ToolException(
        Status switch
        {
            400 => Exit.Usage,
            409 or 412 or 422 => Exit.Refused,
            429 or 503 => Exit.Unreachable,
            _ => Exit.Failed,
        },
        Status switch
        {
            401 => $"The server asks for a key: set ORDERWRIGHT_KEY. {Detail}",
            _ => Detail,
        });
}

/// <summary>
/// The public HTTP API, the only way in which the tool changes anything. One address where all services share a
/// process; else the coordinator's, with order, customer and stock at the next three ports, unless
/// <c>ORDERWRIGHT_ORDER_URL</c> and its like say otherwise.
/// </summary>
sealed class Api : IDisposable
{
    const string Paths = "/api/v1";
    static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(45);

    readonly HttpClient http;
    readonly Dictionary<string, Uri> addresses;

    Api(HttpClient http, Dictionary<string, Uri> addresses)
    {
        this.http = http;
        this.addresses = addresses;
    }

    public static Uri BaseAddress
    {
        get
        {
            var text = Environment.GetEnvironmentVariable("ORDERWRIGHT_URL") is { Length: > 0 } said
                ? said : "http://127.0.0.1:4000";
            return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
                ? url
                : throw new ToolException(
                    Exit.Usage,
                    $"ORDERWRIGHT_URL is \"{text}\", which cannot be. Allowed: http://HOST:PORT or https://HOST:PORT.");
        }
    }

    /// <summary>Finds out where the services are. Throws with <see cref="Exit.Unreachable"/> when nobody answers.</summary>
    /// <param name="cancel">Ends it.</param>
    /// <param name="patience">How long to go on trying while nobody answers; null: once.</param>
    public static async Task<Api> ConnectAsync(CancellationToken cancel, TimeSpan? patience = null)
    {
        var http = Client();
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new Api(http, await FindAsync(http, cancel));
            }
            catch (ToolException error) when (
                error.Exit == Exit.Unreachable && TimeProvider.System.GetElapsedTime(started) < (patience ?? TimeSpan.Zero))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), cancel);
            }
        }
    }

    /// <summary>One service of each process: what a process keeps for all of its services is asked of that one.</summary>
    public IReadOnlyList<string> Processes => [.. ServiceNames.All.DistinctBy(service => addresses[service])];

    public void Dispose() => http.Dispose();

    public Task<ApiAnswer> GetAsync(string service, string path, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, service, path, null, cancel);

    /// <param name="method">The verb.</param>
    /// <param name="service">One of <see cref="ServiceNames"/>.</param>
    /// <param name="path">Below <c>/api/v1</c>, with its query.</param>
    /// <param name="body">JSON in UTF-8, or null.</param>
    /// <param name="cancel">Ends it.</param>
    /// <param name="key">The Idempotency-Key.</param>
    /// <param name="waitSeconds">Asks the server to answer only once it is decided.</param>
    public async Task<ApiAnswer> SendAsync(
        HttpMethod method, string service, string path, byte[]? body, CancellationToken cancel, string? key = null,
        int waitSeconds = 0)
    {
        using var request = new HttpRequestMessage(method, new Uri(addresses[service], Paths + path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        if (waitSeconds > 0) request.Headers.Add("Prefer", $"wait={waitSeconds}");
        return await SendAsync(http, request, cancel);
    }

    static HttpClient Client()
    {
        var http = new HttpClient(new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = 256,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            AllowAutoRedirect = false,
        })
        { Timeout = RequestLimit };
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_KEY") is { Length: > 0 } key)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    static async Task<Dictionary<string, Uri>> FindAsync(HttpClient http, CancellationToken cancel)
    {
        var address = BaseAddress;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/health/ready"));
        var ready = await SendAsync(http, request, cancel);
        // Only an operator is told which services share the process; others have to ask one.
        var there = ready.Body.Part("services") is { } named
            ? named.EnumerateObject().Select(service => service.Name).ToHashSet()
            : await AnswersAllAsync(http, address, cancel) ? [.. ServiceNames.All] : [];
        var found = new Dictionary<string, Uri>();
        foreach (var (service, offset, setting) in new[]
        {
            (ServiceNames.Coordinator, 0, "ORDERWRIGHT_URL"), (ServiceNames.Order, 1, "ORDERWRIGHT_ORDER_URL"),
            (ServiceNames.Customer, 2, "ORDERWRIGHT_CUSTOMER_URL"), (ServiceNames.Stock, 3, "ORDERWRIGHT_STOCK_URL"),
        })
            found[service] = offset > 0 && Environment.GetEnvironmentVariable(setting) is { Length: > 0 } own ? new Uri(own)
                : offset == 0 || there.Contains(service) ? address
                : new UriBuilder(address) { Port = address.Port + offset }.Uri;
        return found;
    }

    static async Task<bool> AnswersAllAsync(HttpClient http, Uri address, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, Paths + "/orders?limit=1"));
        return (await SendAsync(http, request, cancel)).Status != 404;
    }

    static async Task<ApiAnswer> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            using var response = await http.SendAsync(request, cancel);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancel);
            return new ApiAnswer((int)response.StatusCode, Parse(response, bytes), response.Headers.RetryAfter?.Delta);
        }
        catch (HttpRequestException error)
        {
            var why = error.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
                ? "nobody listens there; ./orderwright dev starts a server" : error.Message;
            throw new ToolException(
                Exit.Unreachable, $"{request.RequestUri!.GetLeftPart(UriPartial.Authority)} cannot be reached: {why}");
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            var authority = request.RequestUri!.GetLeftPart(UriPartial.Authority);
            throw new ToolException(Exit.TimedOut, $"{authority} did not answer within {RequestLimit.TotalSeconds} s.");
        }
    }

    // What is no JSON of ours (a proxy's page, an empty 204) is an empty object.
    static JsonElement Parse(HttpResponseMessage response, byte[] bytes)
    {
        var type = response.Content.Headers.ContentType?.MediaType;
        if (bytes.Length == 0 || type?.EndsWith("json", StringComparison.Ordinal) != true)
            bytes = [.. "{}"u8];
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new ToolException(
                Exit.Failed,
                $"{response.RequestMessage!.RequestUri} answered {(int)response.StatusCode} with broken JSON: {error.Message}");
        }
    }
}
