using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Cli;

/// <summary>Access to the server at <c>ORDERWRIGHT_URL</c>. The tool changes state only through the HTTP API.</summary>
static class Server
{
    static readonly HttpClient Http = ApiClient.NewHttp(TimeSpan.FromSeconds(45));

    /// <summary>The API key; null for none.</summary>
    public static string? Key => Environment.GetEnvironmentVariable("ORDERWRIGHT_KEY") is { Length: > 0 } key ? key : null;

    /// <summary>The base address.</summary>
    /// <exception cref="InvalidAddressException">An address setting is malformed.</exception>
    public static Uri Address =>
        Configured().TryGetValue(ServiceNames.Coordinator, out var address) ? address : new Uri(ServiceAddresses.Default);

    /// <summary>True when a setting names the server; the default address names none.</summary>
    public static bool IsNamed => Configured().Count > 0;

    /// <summary>Locates the services, and returns a client with the key in <c>ORDERWRIGHT_KEY</c>.</summary>
    /// <param name="cancel">Cancels the calls.</param>
    /// <param name="patience">Time to keep trying while the server is unreachable; null tries once.</param>
    /// <exception cref="ApiException">The server is unreachable.</exception>
    public static async Task<ApiClient> ConnectAsync(CancellationToken cancel, TimeSpan? patience = null)
    {
        var configured = Configured();
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new ApiClient(Http, await ServiceAddresses.DiscoverAsync(Http, Key, configured, cancel), Key);
            }
            catch (ApiException error) when (
                error.Failure == ApiFailure.Unreachable
                && TimeProvider.System.GetElapsedTime(started) < (patience ?? TimeSpan.Zero))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), cancel);
            }
        }
    }

    /// <summary>
    /// Service that has a row of a list with a part at every process. If none has the row, the last one's refusal reports why.
    /// </summary>
    public static async Task<string> OwnerOfAsync(ApiClient client, string path, CancellationToken cancel)
    {
        var services = client.Addresses.Processes;
        foreach (var service in services.SkipLast(1))
            if ((await client.GetAsync(service, path, cancel)).RequireReply().IsSuccess) return service;
        return services[^1];
    }

    static IReadOnlyDictionary<string, Uri> Configured() =>
        ServiceAddresses.ReadSettings(name => Environment.GetEnvironmentVariable($"ORDERWRIGHT_{name}"));
}
