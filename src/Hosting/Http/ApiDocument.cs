using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// OpenAPI document at <c>/openapi/v1.json</c> with a page at <c>/swagger</c>. Keys, headers of writes, and problems are
/// described here once for all operations.
/// </summary>
static class ApiDocument
{
    const string ProblemName = "Problem";
    public const string Path = "/openapi/v1.json";

    public static void Describe(IServiceCollection services)
    {
        // Affects only the document's schemas; the services read and write with contexts of their own.
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        });
        services.AddOpenApi("v1", Describe);
    }

    static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Orderwright",
                Version = "v1",
                Description =
                    "Order-process microservices. Money is integer minor units; times are RFC 3339 UTC with milliseconds.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes["key"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "ow_PREFIX_SECRET",
                Description = "An API key; required if keys are configured. X-Api-Key is accepted as well.",
            };
            document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
            document.Components.Schemas[ProblemName] = ProblemSchema();
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            Complete(operation, context.Description.HttpMethod ?? "", context.Description.RelativePath ?? "",
                context.Description.ActionDescriptor.EndpointMetadata, context.Document!);
            return Task.CompletedTask;
        });
    }

    static void Complete(
        OpenApiOperation operation, string method, string path, IList<object> metadata, OpenApiDocument document)
    {
        var access = metadata.OfType<Access>().LastOrDefault();
        var writes = method is "POST" or "PUT" or "PATCH" or "DELETE";
        if (metadata.OfType<ListFilters>().LastOrDefault() is { } filters)
        {
            foreach (var name in filters.Names) Query(operation, name, "Filter; an invalid value is a 400.");
            Query(operation, "limit", $"1 to {ListQuery.MaxLimit}; default {ListQuery.DefaultLimit}.");
            Query(operation, "cursor", "nextCursor of the previous page.");
        }
        if (method == "POST" && access?.Scope is not null)
            Header(
                operation, "Idempotency-Key",
                "1 to 255 visible ASCII characters. The same key and request get the first response again.");
        if (method is "PUT" or "PATCH")
            Header(operation, "If-Match", "ETag of the version to change; 412 if another version is current.");
        if (operation.OperationId == "placeOrder")
            Header(operation, "Prefer", "wait=N: respond when the order is decided, or after N seconds (at most 30).");

        List<int> problems = [400, 500, 503];
        if (path.Contains('{', StringComparison.Ordinal)) problems.Add(404);
        if (writes) problems.AddRange([409, 413, 415]);
        if (method == "POST") problems.Add(422);
        if (method is "PUT" or "PATCH") problems.Add(412);
        if (access?.Scope is { } scope)
        {
            problems.AddRange([401, 403]);
            operation.Security = [new() { [new OpenApiSecuritySchemeReference("key", document)] = [] }];
            operation.Description = $"{operation.Description} Scope: `{scope}`.".TrimStart();
        }
        operation.Responses ??= [];
        foreach (var status in problems.Order())
            operation.Responses.TryAdd(
                status.ToString(CultureInfo.InvariantCulture),
                new OpenApiResponse { Description = ReasonPhrases.GetReasonPhrase(status) });
        foreach (var (_, response) in operation.Responses.Where(response => IsProblem(response.Key, response.Value)))
            ((OpenApiResponse)response).Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(ProblemName, document) },
            };
    }

    static bool IsProblem(string status, IOpenApiResponse response) =>
        status[0] is '4' or '5' && response.Content?.ContainsKey("application/json") != true;

    static void Query(OpenApiOperation operation, string name, string description) =>
        Parameter(operation, ParameterLocation.Query, name, description);

    static void Header(OpenApiOperation operation, string name, string description) =>
        Parameter(operation, ParameterLocation.Header, name, description);

    static void Parameter(OpenApiOperation operation, ParameterLocation place, string name, string description)
    {
        operation.Parameters ??= [];
        if (operation.Parameters.Any(parameter => parameter.Name == name)) return;
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = name,
            In = place,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });
    }

    static OpenApiSchema ProblemSchema() => new()
    {
        Type = JsonSchemaType.Object,
        Description =
            "RFC 9457. `code` is stable, and clients branch on it; `errors` lists each invalid place by JSON pointer.",
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = Text(), ["title"] = Text(), ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
            ["code"] = Text(), ["detail"] = Text(), ["traceId"] = Text(), ["orderId"] = Text(),
            ["allowed"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Text() },
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Items = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        ["pointer"] = Text(), ["code"] = Text(), ["detail"] = Text(),
                    },
                },
            },
        },
    };

    static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };
}
