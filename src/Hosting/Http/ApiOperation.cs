using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>Operation of the OpenAPI document, from the metadata of a route.</summary>
sealed class ApiOperation
{
    readonly EndpointMetadataCollection metadata;
    readonly ApiSchemas schemas;
    readonly string path;
    readonly string method;
    readonly Access? access;
    readonly bool isVersioned;
    readonly bool isConditional;

    public ApiOperation(string path, string method, RouteEndpoint endpoint, ApiSchemas schemas)
    {
        (this.path, this.method, this.schemas, metadata) = (path, method, schemas, endpoint.Metadata);
        access = metadata.GetMetadata<Access>();
        var versioned = metadata.GetMetadata<Versioned>();
        (isVersioned, isConditional) = (versioned is not null, versioned is { IsConditional: true });
        var name = metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName ?? throw Lacks("name");
        Json = new JsonObject
        {
            ["operationId"] = name,
            ["summary"] = metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary ?? throw Lacks("summary"),
        };
        Tag = metadata.GetMetadata<ITagsMetadata>()?.Tags is [var tag, ..] ? tag : throw Lacks("tag");
        var description = metadata.GetMetadata<IEndpointDescriptionMetadata>()?.Description ?? "";
        if (access?.Scope is { } scope) description = $"{description} Scope: `{scope}`.".TrimStart();
        if (description.Length > 0) Json["description"] = description;
        Json["tags"] = new JsonArray(Tag);
        Json["security"] = access is { NeedsKey: false }
            ? new JsonArray()
            : new JsonArray(new JsonObject { ["key"] = access?.Scope is { } one ? new JsonArray(one) : new JsonArray() });
        Parameters(endpoint);
        Body();
        Responses();
    }

    public JsonObject Json { get; }

    public string Tag { get; }

    /// <summary>Schemas of the request's body.</summary>
    public List<JsonNode> Bodies { get; } = [];

    /// <summary>Schemas of the responses that are no problems.</summary>
    public List<JsonNode> Answers { get; } = [];

    /// <summary>Statuses of problems.</summary>
    public List<int> Refusals { get; } = [];

    bool Writes => method is not "GET";

    bool HasKey => method == "POST" && access?.Scope is not null;

    InvalidOperationException Lacks(string what) => new($"The route {method} {path} has no {what}.");

    /// <summary>Adds the example of the body, once all schemas are known.</summary>
    public void AddExample()
    {
        foreach (var (_, content) in Json["requestBody"]?["content"] as JsonObject ?? [])
            if (schemas.ExampleOf(content!["schema"]!) is { } example) content["example"] = example;
    }

    void Parameters(RouteEndpoint endpoint)
    {
        var parameters = new JsonArray();
        foreach (var part in endpoint.RoutePattern.Parameters)
            parameters.Add(Parameter("path", part.Name, ApiFacts.RouteParameter(part.Name, path)));

        var named = metadata.GetOrderedMetadata<QueryParameter>();
        var filters = metadata.GetMetadata<ListFilters>()?.Names ?? [];
        foreach (var name in filters.Concat(named.Select(query => query.Name)).Distinct())
            parameters.Add(Parameter(
                "query", name, ApiFacts.Query(name, named.FirstOrDefault(query => query.Name == name)?.Values ?? [])));
        if (metadata.GetMetadata<ListFilters>() is not null)
            foreach (var name in (string[])["limit", "cursor"])
                parameters.Add(Parameter("query", name, ApiFacts.Query(name, [])));

        if (HasKey)
            parameters.Add(Header(
                "Idempotency-Key", "The same key and request get the first response again.", "^[!-~]{1,255}$", "order-536365"));
        if (isConditional && Writes)
            parameters.Add(Header(
                "If-Match", "ETag of the version to change; 412 if another version is current.", null, "\"2\""));
        if (isConditional)
            parameters.Add(Header(
                "If-None-Match",
                method == "PUT" ? "`*`: only if there is none yet; otherwise 412."
                : Writes ? "ETag of a version that must not be current; otherwise 412."
                : "ETag of the version at hand; 304 if that version is current.",
                null, method == "PUT" ? "*" : "\"2\""));
        foreach (var header in metadata.GetOrderedMetadata<HeaderParameter>())
            parameters.Add(Header(header.Name, header.Description, header.Pattern, null));
        if (parameters.Count > 0) Json["parameters"] = parameters;
    }

    static JsonObject Header(string name, string description, string? pattern, string? example)
    {
        var schema = new JsonObject { ["type"] = "string", ["maxLength"] = RequestGuard.MaxHeaders };
        if (pattern is not null) schema["pattern"] = pattern;
        if (example is not null) schema["examples"] = new JsonArray(example);
        return Parameter("header", name, new JsonObject { ["description"] = description, ["schema"] = schema });
    }

    static JsonObject Parameter(string place, string name, JsonObject facts)
    {
        facts["name"] = name;
        facts["in"] = place;
        if (place == "path") facts["required"] = true;
        return facts;
    }

    void Body()
    {
        if (metadata.GetMetadata<IAcceptsMetadata>() is not { RequestType: { } type } accepts) return;
        var schema = schemas.Of(type);
        Bodies.Add(schema);
        Json["requestBody"] = new JsonObject
        {
            ["required"] = !accepts.IsOptional,
            ["content"] = Content(accepts.ContentTypes, schema),
        };
    }

    void Responses()
    {
        var responses = new SortedDictionary<int, JsonNode>();
        foreach (var produced in metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>()
            .GroupBy(response => response.StatusCode))
        {
            if (produced.Any(response => response.Type == typeof(ProblemDetails)))
            {
                Refusals.Add(produced.Key);
                continue;
            }
            var response = new JsonObject { ["description"] = ReasonPhrases.GetReasonPhrase(produced.Key) };
            var headers = Headers(produced.Key);
            if (headers.Count > 0) response["headers"] = headers;
            var content = new JsonObject();
            foreach (var one in produced.Where(one => one.Type is { } type && type != typeof(void)))
            {
                var schema = schemas.Of(one.Type!);
                Answers.Add(schema);
                foreach (var (name, value) in Content(one.ContentTypes, schema).ToList()) content[name] = value!.DeepClone();
            }
            if (content.Count > 0) response["content"] = content;
            responses[produced.Key] = response;
        }
        if (isConditional && !Writes)
            responses[StatusCodes.Status304NotModified] = new JsonObject
            {
                ["description"] = "The version at hand is current.",
                ["headers"] = new JsonObject { ["ETag"] = ApiFacts.Header("The version.", "\"2\"") },
            };

        Refusals.AddRange([400, 429, 500, 503]);
        if (access?.NeedsKey != false) Refusals.AddRange([401, 403]);
        if (path.Contains('{', StringComparison.Ordinal)) Refusals.Add(404);
        if (Writes) Refusals.Add(409);
        if (Json.ContainsKey("requestBody")) Refusals.AddRange([413, 415]);
        if (HasKey) Refusals.Add(422);
        if (isConditional && Writes) Refusals.Add(412);
        foreach (var status in Refusals.Distinct())
            responses.TryAdd(
                status, new JsonObject { ["$ref"] = $"#/components/responses/{ApiDocument.NameOf(status)}" });

        var json = new JsonObject();
        foreach (var (status, response) in responses) json[status.ToString(CultureInfo.InvariantCulture)] = response;
        Json["responses"] = json;
    }

    JsonObject Headers(int status)
    {
        var headers = new JsonObject();
        if (status >= 300) return headers;
        if (isVersioned && status != StatusCodes.Status204NoContent)
            headers["ETag"] = ApiFacts.Header("The version, for `If-Match` and `If-None-Match`.", "\"2\"");
        if (status is StatusCodes.Status201Created or StatusCodes.Status202Accepted)
            headers["Location"] = ApiFacts.Header(
                "Path of the new resource, if it has one.", "/api/v1/orders/01a22947-5904-776b-98eb-820908e514b5");
        if (HasKey) headers["Idempotent-Replayed"] = ApiFacts.Header("`true` for the response to an earlier request.", "true");
        if (metadata.GetOrderedMetadata<HeaderParameter>().Any(header => header.Name == "Prefer"))
            headers["Preference-Applied"] = ApiFacts.Header("The wait that was granted.", "wait=5");
        return headers;
    }

    static JsonObject Content(IEnumerable<string> types, JsonNode schema)
    {
        var content = new JsonObject();
        foreach (var type in types) content[type] = new JsonObject { ["schema"] = schema.DeepClone() };
        return content;
    }
}
