using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers;

/// <summary>Connection settings of every gateway reached over HTTP, and the meaning of a broken connection.</summary>
static class GatewayHttp
{
    const int MostResponseBytes = 1024 * 1024;

    public static HttpClient CreateClient(Uri address, GatewayLimits limits) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        MaxConnectionsPerServer = limits.GatewayMaxInFlight,
        // Reconnect regularly, so that a changed DNS entry takes effect.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        BaseAddress = address,
        MaxResponseContentBufferSize = MostResponseBytes,
        // Each call carries its own deadline.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Result of a failed call: in doubt, unless certainly nothing was sent.</summary>
    public static GatewayResult ResultOf(HttpRequestException error) => error.HttpRequestError is
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
        or HttpRequestError.SecureConnectionError
            ? new GatewayResult.Unavailable("The gateway cannot be reached; nothing was sent.")
            : new GatewayResult.Unknown($"The connection broke during the call: {error.HttpRequestError}.");
}
