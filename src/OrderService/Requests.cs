using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>What all operations read from a request besides its body.</summary>
public static class Requests
{
    public static Answer InvalidId => Problem.Invalid("id", "invalid_id", "An order's id is a UUID.");

    /// <summary>For a cursor that is sound, but was made for another list.</summary>
    public static Answer InvalidCursor =>
        Problem.Invalid("cursor", "invalid_cursor", "Use nextCursor of the previous page as it was given.");

    /// <summary>A UUID in its usual form, or null.</summary>
    public static Guid? IdOf(string text) => Guid.TryParseExact(text, "D", out var id) ? id : null;

    /// <summary>
    /// The process is to stop: whoever waits for something else than a transaction ends, or the process would
    /// wait for them.
    /// </summary>
    public static CancellationToken StoppingOf(HttpContext http) =>
        http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
}
