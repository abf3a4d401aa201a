using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// OpenAPI 3.1 document of the process at <c>/openapi/v1.json</c> with a page at <c>/swagger</c>, made from the routes and their
/// metadata at the first request (docs/adr/0040). A route below <c>/api</c> without a name or a summary is a fault.
/// </summary>
/// <param name="routes">Routes of the process.</param>
sealed class ApiDocument(IEndpointRouteBuilder routes)
{
    public const string Path = "/openapi/v1.json";

    static readonly string[] Described = ["/api/", "/health/", "/metrics"];
    static readonly string[] Methods = ["GET", "PUT", "POST", "PATCH", "DELETE"];

    static readonly Dictionary<string, string> Tags = new()
    {
        ["customers"] = "Customers and their store credit, at customer-service.",
        ["demo"] = "Scenarios of the demo shop.",
        ["events"] = "What happened to orders, as pages or live streams, at order-service.",
        ["fulfilments"] = "Shipments of orders, at order-service.",
        ["heal"] = "Repairs after the restore of a database, for `./orderwright heal`, at every service.",
        ["host"] = "Probes and metrics, at every process.",
        ["operators"] = "Incidents, audit, dead letters and actions of operators.",
        ["orders"] = "Orders: place, read, list, cancel, update, at order-service.",
        ["payments"] = "Payments, their gateways and reconciliations, at customer-service.",
        ["products"] = "The catalogue, at stock-service.",
        ["sagas"] = "The process of every order, at saga-coordinator.",
        ["sandbox"] = "Page of the sandbox gateway's bank.",
        ["stock"] = "Levels, movements and reservations, at stock-service.",
        ["webhooks"] = "Receivers of events and their deliveries, at order-service.",
    };

    readonly Lazy<Answer> answer = new(() => new Answer(
        StatusCodes.Status200OK, JsonSerializer.SerializeToUtf8Bytes(Write(routes)), "application/json"));

    public Answer Answer => answer.Value;

    static JsonObject Write(IEndpointRouteBuilder routes)
    {
        var schemas = new ApiSchemas();
        var problem = schemas.Of(typeof(Problem));
        var operations = (
            from source in routes.DataSources
            from endpoint in source.Endpoints.OfType<RouteEndpoint>()
            let path = "/" + endpoint.RoutePattern.RawText!.Trim('/')
            where Described.Any(start => path.StartsWith(start, StringComparison.Ordinal))
                && endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null
            from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
            orderby path, Array.IndexOf(Methods, method)
            select (Path: path, Method: method, Operation: new ApiOperation(path, method, endpoint, schemas))).ToList();

        var paths = new JsonObject();
        foreach (var group in operations.GroupBy(operation => operation.Path, StringComparer.Ordinal).OrderBy(
            group => group.Key, StringComparer.Ordinal))
        {
            var item = new JsonObject();
            foreach (var (_, method, operation) in group) item[method.ToLowerInvariant()] = operation.Json;
            paths[group.Key] = item;
        }
        schemas.Settle(
            operations.SelectMany(operation => operation.Operation.Bodies),
            operations.SelectMany(operation => operation.Operation.Answers));
        foreach (var (_, _, operation) in operations) operation.AddExample();

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Orderwright",
                ["version"] = typeof(ApiDocument).Assembly.GetName().Version!.ToString(3),
                ["description"] =
                    "Order process of a shop: orders, payments and stock. Money is in integer minor units, times are RFC 3339 " +
                    "in UTC with milliseconds. New optional properties, values of `type` and `code`, and operations may appear.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["identifier"] = "Apache-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject
            {
                ["url"] = "/", ["description"] = "The process that serves this document.",
            }),
            ["tags"] = new JsonArray(
            [
                .. operations.Select(operation => operation.Operation.Tag).Distinct().Order(StringComparer.Ordinal).Select(
                    tag => (JsonNode)new JsonObject { ["name"] = tag, ["description"] = Tags[tag] }),
            ]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["key"] = new JsonObject
                    {
                        ["type"] = "http", ["scheme"] = "bearer", ["bearerFormat"] = "ow_PREFIX_SECRET",
                        ["description"] =
                            "An API key with the scope of the operation; required if keys are configured. The header " +
                            "`X-Api-Key` is accepted as well.",
                    },
                },
                ["responses"] = Problems(
                    operations.SelectMany(operation => operation.Operation.Refusals).Distinct().Order(), problem),
                ["schemas"] = schemas.Json,
            },
        };
    }

    static JsonObject Problems(IEnumerable<int> statuses, JsonNode problem)
    {
        var responses = new JsonObject();
        foreach (var status in statuses)
        {
            var response = new JsonObject { ["description"] = ReasonPhrases.GetReasonPhrase(status) };
            var headers = new JsonObject();
            if (status is 401)
                headers["WWW-Authenticate"] = ApiFacts.Header("Challenge of the scheme Bearer.", "Bearer realm=\"orderwright\"");
            if (status is 409 or 429 or 503) headers["Retry-After"] = ApiFacts.Header("Seconds to wait before a repeat.", "1");
            if (status is 429)
            {
                headers["RateLimit"] = ApiFacts.Header("State of the exhausted limit.", "\"key\";r=0;t=3");
                headers["RateLimit-Policy"] = ApiFacts.Header("The exhausted limit.", "\"key\";q=1000;w=10");
            }
            if (headers.Count > 0) response["headers"] = headers;
            response["content"] = new JsonObject
            {
                ["application/problem+json"] = new JsonObject { ["schema"] = problem.DeepClone() },
            };
            responses[NameOf(status)] = response;
        }
        return responses;
    }

    /// <summary>Name of the response with a problem, such as <c>BadRequest</c>.</summary>
    public static string NameOf(int status) =>
        string.Concat(ReasonPhrases.GetReasonPhrase(status).Split(' ').Select(
            word => char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..]));
}
