using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Orderwright.Http;

/// <summary>
/// Pages for people beside the services' APIs. It has no rights of its own: what it shows and does goes through the
/// HTTP APIs, as its visitor.
/// </summary>
public interface ISite
{
    /// <param name="web">For its routes, and for what it answers where no route is.</param>
    /// <param name="context">Where it is.</param>
    void Map(WebApplication web, SiteContext context);
}

/// <summary>What a host hands a site.</summary>
/// <param name="Configuration">The settings; read them while mapping.</param>
/// <param name="Services">The services of this process.</param>
/// <param name="Address">Where this process answers, once it does.</param>
/// <param name="HasKeys">Callers need a key.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logs">For log lines.</param>
public sealed record SiteContext(
    IConfiguration Configuration, IReadOnlyList<string> Services, Func<Uri> Address, bool HasKeys, TimeProvider Time,
    ILoggerFactory Logs);
