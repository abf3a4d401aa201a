using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>Values that several operations take from a request.</summary>
public static class Requests
{
    public static Moment MomentOf(HttpContext http, TimeProvider time) =>
        new(time.Now(), Caller.Of(http).Name, Activity.Current?.TraceId.ToHexString());

    /// <summary>Cancelled on shutdown. Long waits end on this token; the process would wait for them otherwise.</summary>
    public static CancellationToken StoppingOf(HttpContext http) =>
        http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
}
