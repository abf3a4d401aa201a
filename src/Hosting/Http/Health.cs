using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>What <c>/health/ready</c> says. <paramref name="Services"/>: null for one that is ready, else a sentence.</summary>
sealed record Readiness(bool Ready, IReadOnlyDictionary<string, string?>? Services);

sealed record Liveness(bool Live = true);

/// <summary>
/// <c>/health/live</c>: the process answers; restart it when it does not. <c>/health/ready</c>: send it work, 200 or 503.
/// Both need no key, as the probes of an orchestrator have none; what is wrong is told to the operator alone.
/// </summary>
static class Health
{
    public static void Map(IEndpointRouteBuilder routes, IReadOnlyList<RunningService> services)
    {
        routes.MapGet(
                "/health/live",
                () => Answer.Json(StatusCodes.Status200OK, new Liveness(), HealthJson.Default.Liveness))
            .OpenToAll().WithName("getLiveness").WithTags("host").Produces<Liveness>();
        routes.MapGet("/health/ready", (HttpContext http) =>
            {
                var state = services.ToDictionary(service => service.Name, service => service.Trouble);
                var ready = state.Values.All(trouble => trouble is null);
                return Answer.Json(
                    ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
                    new Readiness(ready, Caller.Of(http).May(Scopes.Operator) ? state : null),
                    HealthJson.Default.Readiness);
            })
            .OpenToAll().WithName("getReadiness").WithTags("host")
            .Produces<Readiness>().Produces<Readiness>(StatusCodes.Status503ServiceUnavailable);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Readiness))]
[JsonSerializable(typeof(Liveness))]
sealed partial class HealthJson : JsonSerializerContext;
