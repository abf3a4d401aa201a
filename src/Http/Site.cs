using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.Http.Visitors;

namespace Orderwright.Http;

/// <summary>
/// Pages for people beside the services' APIs. A site has no rights of its own: all reads and actions go through the
/// HTTP APIs, with the visitor's rights.
/// </summary>
public interface ISite
{
    /// <param name="web">Application to map routes and a fallback on.</param>
    /// <param name="context">Environment of the site.</param>
    void Map(WebApplication web, SiteContext context);
}

/// <summary>Environment of a site, provided by the host.</summary>
/// <param name="Configuration">Settings, to be read while mapping.</param>
/// <param name="Services">Services of the process.</param>
/// <param name="Address">Address of the process, once listening.</param>
/// <param name="Sessions">Sessions of visitors.</param>
/// <param name="Time">Clock.</param>
/// <param name="Logs">Loggers.</param>
public sealed record SiteContext(
    IConfiguration Configuration, IReadOnlyList<string> Services, Func<Uri> Address, VisitorSessions Sessions,
    TimeProvider Time, ILoggerFactory Logs);
