using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;
using Orderwright.Http.Visitors;

namespace Orderwright.Hosting.Http;

/// <param name="Person">Name in the audit, such as <c>login:ann</c>.</param>
/// <param name="Reason">Operator's own words.</param>
sealed record EndSessionsRequest(string Person, string Reason);

/// <summary>Ends sessions of people at the console before their time.</summary>
sealed class SessionPages(VisitorSessions visitors)
{
    const int LongestPerson = 300;
    const int LongestReason = 500;

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/sessions/end", (Delegate)EndAsync).WithTags("operators").RequireAllChannels(Scopes.Operator)
            .WithName("endSessions").WithSummary("End all present sessions of a person at the console")
            .WithDescription(
                "For a person who signed in at an identity provider. All instances refuse the sessions within a second; " +
                "calls that the console has begun end within a minute. The person may sign in again if the provider allows.")
            .Accepts<EndSessionsRequest>("application/json").Produces(StatusCodes.Status204NoContent);

    async Task<IResult> EndAsync(HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, SessionPagesJson.Default.EndSessionsRequest);
        if (command is null) return refusal!;
        var (person, reason) = (command.Body.Person, command.Body.Reason);
        if (new Check().Text("/person", person, LongestPerson).Text("/reason", reason, LongestReason).Refusal is { } invalid)
            return invalid;
        await visitors.EndAsync(person, command.Caller.Name, reason, command.TraceId);
        return new Answer(StatusCodes.Status204NoContent, default, null);
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(EndSessionsRequest))]
sealed partial class SessionPagesJson : JsonSerializerContext;
