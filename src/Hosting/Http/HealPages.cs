using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime;

namespace Orderwright.Hosting.Http;

/// <summary>Service whose database is, or is not, behind the other services.</summary>
/// <param name="Service">Name of the service.</param>
/// <param name="Behind">Reason; null while the database is up to date.</param>
/// <param name="Since">Time at which the service stopped accepting work.</param>
/// <param name="Resumed">True if messages and jobs go on, and only requests are refused.</param>
sealed record FenceResponse(string Service, string? Behind, DateTimeOffset? Since, bool Resumed);

/// <summary>Services of the process.</summary>
sealed record FencesResponse(IReadOnlyList<FenceResponse> Services);

/// <summary>Shows and opens the fences of the services in this process (docs/adr/0033).</summary>
sealed class HealPages(IReadOnlyList<RunningService> services)
{
    const int MaxReason = 500;

    public void Map(IEndpointRouteBuilder routes)
    {
        var heal = routes.MapGroup("/api/v1/heal").WithTags("heal").RequireAllChannels(Scopes.OperatorRead);
        heal.MapGet("", () => Answer.Json(
                StatusCodes.Status200OK, new FencesResponse([.. services.Select(Of)]), HealPagesJson.Default.FencesResponse))
            .WithName("listFences").WithSummary("List the services of this process, and which database is behind")
            .Produces<FencesResponse>();
        heal.MapPost("{service}/resume", (string service, HttpContext http) => OpenAsync(
                service, http, (named, command) =>
                    named.ResumeWorkAsync(command.Caller.Name, command.Body.Reason, command.TraceId)))
            .RequireAllChannels(Scopes.Operator)
            .WithName("resumeService").WithSummary("Let a restored service handle messages and jobs again")
            .WithDescription("`./orderwright heal` does so after the first repairs. Requests are refused until the acceptance.")
            .Accepts<ReasonRequest>("application/json").Produces<FenceResponse>();
        heal.MapPost("{service}/accept", (string service, HttpContext http) => OpenAsync(
                service, http, (named, command) =>
                    named.AcceptDatabaseAsync(command.Caller.Name, command.Body.Reason, command.TraceId)))
            .RequireAllChannels(Scopes.Operator)
            .WithName("acceptDatabase").WithSummary("Accept the database of a service as it is, and let the service work")
            .WithDescription("`./orderwright heal` does so when the services agree. Facts not repaired by then stay lost.")
            .Accepts<ReasonRequest>("application/json").Produces<FenceResponse>();
    }

    async Task<IResult> OpenAsync(string service, HttpContext http, Func<RunningService, Command<ReasonRequest>, Task> open)
    {
        var (command, refusal) = await Commands.ReadAsync(http, OperatorJson.Default.ReasonRequest);
        if (command is null) return refusal!;
        if (new Check().Text("/reason", command.Body.Reason, MaxReason).Refusal is { } invalid) return invalid;
        if (services.FirstOrDefault(one => one.Name == service) is not { } named) return Problem.NotFound("service");
        await open(named, command);
        return Answer.Json(StatusCodes.Status200OK, Of(named), HealPagesJson.Default.FenceResponse);
    }

    static FenceResponse Of(RunningService service) => new(
        service.Name, service.Fence.Trouble, service.Fence.ClosedAt, service.Fence is { IsClosed: true, HoldsWork: false });
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(FenceResponse))]
[JsonSerializable(typeof(FencesResponse))]
sealed partial class HealPagesJson : JsonSerializerContext;
