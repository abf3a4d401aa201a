using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.Http.Operators;

/// <summary>Parts that the repair operations of the services share (docs/adr/0033).</summary>
public static class Repairs
{
    const int BodyLimit = 8_000_000;

    /// <summary>Maps <c>POST /api/v1/heal/{name}</c>.</summary>
    /// <param name="routes">Routes of the service.</param>
    /// <param name="name">Plural of the repaired rows.</param>
    /// <param name="type">Serializer metadata of the body.</param>
    /// <param name="check">Checks the body.</param>
    /// <param name="run">Carries the command out.</param>
    public static void MapHeal<T>(
        this IEndpointRouteBuilder routes, string name, JsonTypeInfo<T> type, Func<T, Check> check,
        Func<Command<T>, HttpContext, Task<Answer>> run) where T : class =>
        routes.MapPost($"/api/v1/heal/{name}", async Task<IResult> (HttpContext http) =>
            {
                var (command, refusal) = await Commands.ReadAsync(http, type, BodyLimit);
                return command is null ? refusal! : check(command.Body).Refusal ?? await run(command, http);
            })
            .RequireAllChannels(Scopes.Operator).WithTags("heal").WithName($"heal{char.ToUpperInvariant(name[0])}{name[1..]}")
            .WithSummary($"Repair {name} after a database was restored to an earlier moment")
            .WithDescription(
                "For `./orderwright heal`. Each repair names the version that was read; a row that has changed since is left " +
                "alone. A repeated request changes nothing.")
            .Accepts<T>("application/json").Produces<HealResponse>();

    /// <summary>Response to a request.</summary>
    /// <param name="repaired">Repaired orders.</param>
    /// <param name="unchanged">Number of orders left alone.</param>
    /// <param name="conflicts">Repairs that cannot be made.</param>
    public static Answer Answer(IReadOnlyList<Guid> repaired, int unchanged, IReadOnlyList<HealConflict> conflicts) =>
        Http.Answer.Json(
            StatusCodes.Status200OK, new HealResponse(repaired.Count, unchanged, conflicts), HealJson.Default.HealResponse);

    /// <summary>Record of a request in the audit; none if nothing was repaired.</summary>
    public static IReadOnlyList<AuditEntry> EntryOf<T>(
        string service, Command<T> command, IReadOnlyList<Guid> repaired, Work work)
    {
        if (repaired.Count == 0) return [];
        work.AfterCommit(() => Metrics.Repaired(service, repaired.Count));
        return
        [
            new(
                work.NewId(), service, work.Now, command.Caller.Name, "heal", repaired.Count == 1 ? repaired[0] : null,
                repaired.Count == 1 ? null : $"{repaired.Count} orders, {repaired.Min()} to {repaired.Max()}",
                "The database was restored to an earlier moment.", null, null, command.TraceId),
        ];
    }
}
