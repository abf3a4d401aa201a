using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>Complete response to a request.</summary>
public sealed record HttpAnswer(int Status, byte[] Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonNode Json => JsonNode.Parse(Body) ?? throw new InvalidOperationException("The body is null.");

    public string? Code => (string?)Json["code"];

    /// <summary>Errors in the form <c>/lines/0/quantity out_of_range</c>, sorted.</summary>
    public IReadOnlyList<string> Errors =>
        [.. (Json["errors"]?.AsArray() ?? [])
            .Select(error => $"{error!["pointer"] ?? error["parameter"]} {error["code"]}").Order(StringComparer.Ordinal)];

    /// <summary>Asserts a problem document with the given status and code, without internals.</summary>
    public HttpAnswer IsProblem(int status, string code)
    {
        Assert.Equal((status, code), (Status, Code));
        Assert.Equal("application/problem+json", Headers["Content-Type"]);
        Assert.Equal(status, (int?)Json["status"]);
        Assert.Matches("^[0-9a-f]{32}$", (string?)Json["traceId"]);
        var text = Encoding.UTF8.GetString(Body);
        foreach (var inside in (string[])["   at ", "Exception", "SELECT", "INSERT", ".cs:line", "/src/"])
            Assert.DoesNotContain(inside, text, StringComparison.Ordinal);
        return this;
    }

    /// <summary>Asserts a problem document with exactly the given places, each as <c>pointer code</c>.</summary>
    public void Names(params string[] errors) => Assert.Equal(errors.Order(StringComparer.Ordinal), Errors);
}

public static class HttpRequests
{
    public static Task<HttpAnswer> PostAsync(
        this HttpClient client, string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(client, HttpMethod.Post, path, Encoding.UTF8.GetBytes(json), headers: headers);

    public static Task<HttpAnswer> PutAsync(
        this HttpClient client, string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(client, HttpMethod.Put, path, Encoding.UTF8.GetBytes(json), headers: headers);

    public static Task<HttpAnswer> AskAsync(this HttpClient client, string path, params (string Name, string Value)[] headers) =>
        SendAsync(client, HttpMethod.Get, path, headers: headers);

    public static async Task<HttpAnswer> SendAsync(
        this HttpClient client, HttpMethod method, string path, byte[]? body = null, string contentType = "application/json",
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await client.SendAsync(request);
            return new HttpAnswer(
                (int)response.StatusCode,
                await response.Content.ReadAsByteArrayAsync(),
                response.Headers.Concat(response.Content.Headers).ToDictionary(
                    header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
        }
        catch (SocketException error)
        {
            // HttpClient lets it pass when a killed server closes a connection while it is being established.
            throw new HttpRequestException(HttpRequestError.ConnectionError, inner: error);
        }
    }

    /// <summary>Sends raw bytes and returns everything received until the server closes, or is silent for 3 s.</summary>
    public static async Task<string> SendRawAsync(Uri url, string text)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, url.Port);
        await socket.SendAsync(Encoding.Latin1.GetBytes(text));
        var answer = new StringBuilder();
        var buffer = new byte[16_384];
        try
        {
            while (true)
            {
                using var limit = new CancellationTokenSource(answer.Length == 0 ? Waiting.HangLimit : TimeSpan.FromSeconds(3));
                var read = await socket.ReceiveAsync(buffer, limit.Token);
                if (read == 0) return answer.Append("[closed]").ToString();
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            return answer.ToString();
        }
    }
}
