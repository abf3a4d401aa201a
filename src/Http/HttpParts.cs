using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;

namespace Orderwright.Http;

/// <summary>Parts of a service with an HTTP API.</summary>
public record HttpParts : ServiceParts
{
    /// <summary>Maps the endpoints of the API.</summary>
    public Action<IEndpointRouteBuilder> Routes { get; init; } = _ => { };
}
