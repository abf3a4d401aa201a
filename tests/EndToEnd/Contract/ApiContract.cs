using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;

namespace Orderwright.EndToEnd.Contract;

/// <summary>The committed description of the API, docs/reference/openapi.json, as a judge of requests and responses.</summary>
sealed class ApiContract
{
    static readonly EvaluationOptions Strict = new() { RequireFormatValidation = true };

    // Every response may have these.
    static readonly HashSet<string> CommonHeaders = new(
        ["Content-Type", "Content-Length", "Content-Encoding", "Date", "Vary", "Cache-Control", "X-Accel-Buffering", "Connection",
        "Transfer-Encoding"],
        StringComparer.OrdinalIgnoreCase);

    public static readonly Lazy<ApiContract> Current = new(() => new(JsonNode.Parse(File.ReadAllText(Path))!));

    readonly JsonNode document;
    readonly ConcurrentDictionary<string, JsonSchema> compiled = new();

    public ApiContract(JsonNode document)
    {
        this.document = document;
        Operations =
        [
            .. from path in document["paths"]!.AsObject()
               from operation in path.Value!.AsObject()
               select new ApiOperation(operation.Key.ToUpperInvariant(), path.Key, operation.Value!),
        ];
    }

    /// <summary>Path of the document in the repository.</summary>
    public static string Path => System.IO.Path.Combine(Repository, "docs", "reference", "openapi.json");

    public static string Repository { get; } = FindRepository();

    public IReadOnlyList<ApiOperation> Operations { get; }

    /// <summary>The operation of a request; null for a page, or another path that the document leaves out.</summary>
    public ApiOperation? Find(HttpMethod method, string path) =>
        Operations.Where(operation => operation.Method == method.Method && operation.Path.IsMatch(path))
            // A literal path before one with parameters.
            .MinBy(operation => operation.Template.Count(letter => letter == '{'));

    /// <summary>Returns every way in which a response contradicts the document.</summary>
    public IEnumerable<string> FaultsOf(
        ApiOperation operation, int status, HttpResponseHeaders headers, HttpContentHeaders content, byte[]? body)
    {
        if (Resolved(operation.Json["responses"]![$"{status}"]) is not { } described)
        {
            yield return $"the status {status} is not described";
            yield break;
        }
        foreach (var (name, _) in headers.Concat(content))
            if (!CommonHeaders.Contains(name) && described["headers"]?[name] is null && name != "Allow")
                yield return $"the header {name} of a {status} is not described";
        var type = content.ContentType?.MediaType;
        if (described["content"] is not JsonObject contents)
        {
            if (body?.Length > 0) yield return $"a {status} has a body";
            yield break;
        }
        if (type is null || contents[type] is not { } one)
            yield return $"the type {type} of a {status} is not described";
        else if (body is not null && type.EndsWith("json", StringComparison.Ordinal)
            && FaultOf(body, one["schema"]!) is { } fault)
            yield return $"the body of a {status} contradicts the schema: {fault}";
    }

    /// <summary>Returns every way in which an accepted request contradicts the document.</summary>
    public IEnumerable<string> FaultsOf(ApiOperation operation, Uri request, byte[]? body)
    {
        var known = operation.Parameters("query").Select(parameter => (string)parameter["name"]!).ToHashSet();
        foreach (var part in request.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            if (!known.Contains(part.Split('=')[0])) yield return $"the query parameter {part.Split('=')[0]} is not described";
        if (body is { Length: > 0 } && operation.BodySchema is { } schema && FaultOf(body, schema) is { } fault)
            yield return $"the accepted body contradicts the schema: {fault}";
    }

    public JsonNode? Resolved(JsonNode? node) => node?["$ref"] is { } reference
        ? ((string)reference!)[2..].Split('/').Aggregate(document, (at, part) => at[part]!)
        : node;

    string? FaultOf(byte[] body, JsonNode schema)
    {
        var text = schema.ToJsonString();
        using var json = JsonDocument.Parse(body);
        var validator = compiled.GetOrAdd(text, _ => JsonSchema.FromText(Complete(schema)));
        return validator.Evaluate(json.RootElement, Strict).IsValid ? null : Shortened(json.RootElement.GetRawText());
    }

    static string Shortened(string text) => text.Length > 2_000 ? text[..2_000] : text;

    // With the schemas that this one needs, and no others.
    string Complete(JsonNode schema)
    {
        var needed = new JsonObject();
        var open = new Queue<string>(References(schema.ToJsonString()));
        while (open.TryDequeue(out var name))
        {
            if (needed.ContainsKey(name)) continue;
            var definition = document["components"]!["schemas"]![name]!;
            needed[name] = definition.DeepClone();
            foreach (var other in References(definition.ToJsonString())) open.Enqueue(other);
        }
        return new JsonObject { ["allOf"] = new JsonArray(schema.DeepClone()), ["$defs"] = needed }.ToJsonString()
            .Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);
    }

    static IEnumerable<string> References(string json) =>
        Regex.Matches(json, "#/components/schemas/([A-Za-z0-9]+)").Select(match => match.Groups[1].Value);

    static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "Orderwright.slnx")))
            folder = System.IO.Path.GetDirectoryName(folder)!;
        return folder;
    }
}

/// <summary>Operation of the description.</summary>
sealed record ApiOperation(string Method, string Template, JsonNode Json)
{
    public string Id => (string)Json["operationId"]!;

    public string Tag => (string)Json["tags"]![0]!;

    public Regex Path { get; } = new($"^{Regex.Replace(Template, @"\{[^}]+\}", "[^/]+")}$");

    public JsonNode? BodySchema => Json["requestBody"]?["content"]?["application/json"]?["schema"];

    public JsonNode? Example => Json["requestBody"]?["content"]?["application/json"]?["example"];

    public IEnumerable<JsonNode> Parameters(string place) =>
        (Json["parameters"] as JsonArray ?? []).Where(parameter => (string)parameter!["in"]! == place)!;
}

/// <summary>
/// Validates each call of a test's client against <see cref="ApiContract"/>, with a validator written by others. A contradiction
/// fails the call.
/// </summary>
sealed class ContractJudge : DelegatingHandler
{
    static readonly ConcurrentDictionary<(string Operation, int Status), int> seen = new();

    public ContractJudge()
        : base(new SocketsHttpHandler())
    {
    }

    /// <summary>Answers of this process's tests so far.</summary>
    public static IReadOnlyDictionary<(string Operation, int Status), int> Seen => seen;

    [ModuleInitializer]
    internal static void JudgeEveryClient() =>
        HttpHost.NewClient = url => new HttpClient(new ContractJudge()) { BaseAddress = url };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var contract = ApiContract.Current.Value;
        var operation = contract.Find(request.Method, request.RequestUri!.AbsolutePath);
        var sent = operation is not null && request.Content is not null
            ? await request.Content.ReadAsByteArrayAsync(cancellationToken)
            : null;
        var response = await base.SendAsync(request, cancellationToken);
        if (operation is null) return response;
        // A live stream has no end.
        byte[]? body = null;
        if (response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true
            && response.Content.Headers.ContentEncoding.Count == 0)
        {
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        }
        // Refused before the operation: by its address, headers or length.
        var status = (int)response.StatusCode;
        if (status is 406 or 414 or 431 || (status == 400 && response.Headers.Connection.Contains("close"))) return response;
        var faults = contract.FaultsOf(operation, status, response.Headers, response.Content.Headers, body).ToList();
        if (response.IsSuccessStatusCode) faults.AddRange(contract.FaultsOf(operation, request.RequestUri, sent));
        if (faults.Count > 0)
            throw new InvalidOperationException(
                $"{request.Method} {request.RequestUri.PathAndQuery} contradicts docs/reference/openapi.json: " +
                string.Join("; ", faults));
        seen.AddOrUpdate((operation.Id, status), 1, (_, times) => times + 1);
        return response;
    }
}
