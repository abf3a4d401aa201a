using Orderwright.CustomerService.Payments;


namespace Orderwright.CustomerService.Providers;

/// <summary>What all gateways over HTTP have in common: the connection, and what its breaking means for the money.</summary>
static class GatewayHttp
{
    const int MostAnswerBytes = 1024 * 1024;

    public static HttpClient ClientOf(Uri address, GatewayLimits limits) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        MaxConnectionsPerServer = limits.GatewayMaxInFlight,
        // A gateway that moved to another address is found there before long.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        BaseAddress = address,
        MaxResponseContentBufferSize = MostAnswerBytes,
        // Each call comes with its own deadline.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>A call that broke off may have arrived, unless it was certainly never sent.</summary>
    public static GatewayResult Broken(HttpRequestException error) => error.HttpRequestError is
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
        or HttpRequestError.SecureConnectionError
            ? new GatewayResult.Unavailable("The gateway cannot be reached; nothing was sent.")
            : new GatewayResult.Unknown($"The call broke off: {error.HttpRequestError}.");
}
