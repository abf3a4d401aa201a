using Microsoft.AspNetCore.Routing;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;

namespace Orderwright.Http;

/// <summary>Parts of a service with an HTTP API.</summary>
public record HttpParts : ServiceParts
{
    /// <summary>Operations that wait for a second person; null for a service without such operations.</summary>
    public DecideApprovals? Approvals { get; init; }

    /// <summary>Maps the endpoints of the API.</summary>
    public Action<IEndpointRouteBuilder> Routes { get; init; } = _ => { };
}
