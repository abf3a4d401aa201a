using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.Hosting;

/// <summary>
/// The argument <c>health</c>: asks the process that runs with the same settings whether it is ready for work. Exit codes: 0
/// ready, 1 not ready or no reply. For container engines, whose checks run a program inside the container.
/// </summary>
static class HealthCommand
{
    public const string Name = "health";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public static async Task<int> RunAsync(IConfiguration configuration, IReadOnlyList<IServiceModule> modules)
    {
        var settings = HostSettings.Read(configuration, [.. modules.Select(module => module.Name)]);
        var url = $"{settings.Listen.Url(settings.Listen.Port)}/health/ready";
        try
        {
            // No proxy: the process is on this machine.
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
            using var response = await http.GetAsync(new Uri(url));
            if (response.StatusCode == HttpStatusCode.OK)
            {
                Console.WriteLine("Ready.");
                return 0;
            }
            Console.WriteLine($"Not ready: {url} replies {(int)response.StatusCode}. The log of the process has the reason.");
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or OperationCanceledException)
        {
            Console.WriteLine($"No reply from {url}: {error.Message}");
        }
        return 1;
    }
}
