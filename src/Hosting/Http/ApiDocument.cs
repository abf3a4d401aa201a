using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Orderwright.Runtime.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// The OpenAPI document at <c>/openapi/v1.json</c> and its page at <c>/swagger</c>. What all operations share is said
/// here once: keys, the headers of writes, and the problems.
/// </summary>
static class ApiDocument
{
    public const string Path = "/openapi/v1.json";

    public static void Describe(IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Orderwright",
                Version = "v1",
                Description = "Order-process microservices. Money is integer minor units; times are RFC 3339 UTC with milliseconds.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes["key"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "ow_PREFIX_SECRET",
                Description = "An API key; needed wherever keys are configured. X-Api-Key does as well.",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            Complete(operation, context.Description.HttpMethod ?? "", context.Description.RelativePath ?? "",
                context.Description.ActionDescriptor.EndpointMetadata.OfType<Access>().LastOrDefault(), context.Document!);
            return Task.CompletedTask;
        });
    });

    static void Complete(OpenApiOperation operation, string method, string path, Access? access, OpenApiDocument document)
    {
        var writes = method is "POST" or "PUT" or "PATCH" or "DELETE";
        if (method == "POST")
            Header(operation, "Idempotency-Key", "1 to 255 visible ASCII characters. The same key and request get the first answer again.");
        if (method is "PUT" or "PATCH")
            Header(operation, "If-Match", "The version that is to be changed, as its ETag; another one is a 412.");
        if (operation.OperationId == "placeOrder")
            Header(operation, "Prefer", "wait=N: answer when the order is decided, or after N seconds (at most 30).");

        List<int> problems = [StatusCodes.Status400BadRequest, StatusCodes.Status503ServiceUnavailable, StatusCodes.Status500InternalServerError];
        if (path.Contains('{', StringComparison.Ordinal)) problems.Add(StatusCodes.Status404NotFound);
        if (writes) problems.AddRange([StatusCodes.Status409Conflict, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType]);
        if (method == "POST") problems.Add(StatusCodes.Status422UnprocessableEntity);
        if (method is "PUT" or "PATCH") problems.Add(StatusCodes.Status412PreconditionFailed);
        if (access?.Scope is { } scope)
        {
            problems.AddRange([StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden]);
            operation.Security = [new() { [new OpenApiSecuritySchemeReference("key", document)] = [] }];
            operation.Description = $"{operation.Description} Scope: `{scope}`.".TrimStart();
        }
        operation.Responses ??= [];
        foreach (var status in problems.Order())
            operation.Responses.TryAdd(status.ToString(CultureInfo.InvariantCulture), Problem(status));
    }

    static void Header(OpenApiOperation operation, string name, string description)
    {
        operation.Parameters ??= [];
        if (operation.Parameters.Any(parameter => parameter.Name == name)) return;
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = name,
            In = ParameterLocation.Header,
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });
    }

    static OpenApiResponse Problem(int status) => new()
    {
        Description = ReasonPhrases.GetReasonPhrase(status),
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["application/problem+json"] = new()
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        ["type"] = Text(), ["title"] = Text(), ["detail"] = Text(), ["code"] = Text(), ["traceId"] = Text(),
                        ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
                        ["errors"] = new OpenApiSchema
                        {
                            Type = JsonSchemaType.Array,
                            Items = new OpenApiSchema
                            {
                                Type = JsonSchemaType.Object,
                                Properties = new Dictionary<string, IOpenApiSchema> { ["pointer"] = Text(), ["code"] = Text(), ["detail"] = Text() },
                            },
                        },
                    },
                },
            },
        },
    };

    static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };
}
