using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Response of <c>/health/ready</c>. <paramref name="Services"/>: null for a ready service, otherwise a sentence.
/// <paramref name="Databases"/>: creation of each service's database, by which two installations are told apart.
/// <paramref name="Instances"/>: this instance of each service and the active one; null for a service without a broker.
/// </summary>
sealed record Readiness(
    bool Ready, IReadOnlyDictionary<string, string?>? Services, IReadOnlyDictionary<string, DateTimeOffset?>? Databases,
    IReadOnlyDictionary<string, InstanceState?>? Instances);

sealed record Liveness(bool Live = true);

/// <summary>
/// Health endpoints. <c>/health/live</c>: the process responds; restart it otherwise. <c>/health/ready</c>: 200 if ready for
/// work, otherwise 503. Neither requires a key, because an orchestrator's probes have none; details are only sent to
/// operators.
/// </summary>
static class Health
{
    public static void Map(IEndpointRouteBuilder routes, IReadOnlyList<RunningService> services)
    {
        routes.MapGet(
                "/health/live",
                () => Answer.Json(StatusCodes.Status200OK, new Liveness(), HealthJson.Default.Liveness))
            .OpenToAll(CallBudget.None).WithName("getLiveness").WithTags("host")
            .WithSummary("Probe for a restart").Produces<Liveness>();
        routes.MapGet("/health/ready", (HttpContext http) =>
            {
                var state = services.ToDictionary(service => service.Name, service => service.Trouble);
                var ready = state.Values.All(trouble => trouble is null);
                return Answer.Json(
                    ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
                    Caller.Of(http).May(Scopes.OperatorRead)
                        ? new Readiness(
                            ready, state, services.ToDictionary(service => service.Name, service => service.DatabaseSince),
                            services.ToDictionary(service => service.Name, service => service.Instance))
                        : new Readiness(ready, null, null, null),
                    HealthJson.Default.Readiness);
            })
            .OpenToAll(CallBudget.None).WithName("getReadiness").WithTags("host").WithSummary("Probe for requests")
            .WithDescription("Operators also get the reason in words, and the instances.")
            .Produces<Readiness>().Produces<Readiness>(StatusCodes.Status503ServiceUnavailable);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Readiness))]
[JsonSerializable(typeof(Liveness))]
sealed partial class HealthJson : JsonSerializerContext;
