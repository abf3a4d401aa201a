using Aspire.Hosting.ApplicationModel;

// As usual for extensions of the app host.
namespace Aspire.Hosting;

/// <summary>The four services of Orderwright in an Aspire application.</summary>
public static class OrderwrightExtensions
{
    // The first is the console.
    static readonly (string Name, string Project)[] Services =
    [
        ("saga-coordinator", "SagaCoordinator"), ("order-service", "OrderService"), ("customer-service", "CustomerService"),
        ("stock-service", "StockService"),
    ];

    /// <summary>Adds the services as projects, each ready when its health check succeeds.</summary>
    /// <param name="builder">Application.</param>
    /// <param name="sources">Folder <c>src</c> of Orderwright.</param>
    /// <param name="postgres">
    /// Server without a database name: each service creates a database of its own, so the user must be allowed to.
    /// </param>
    /// <param name="rabbitMq">Broker.</param>
    /// <param name="port">Port of the coordinator; the other services use the next three.</param>
    /// <returns>The services by name.</returns>
    public static IReadOnlyDictionary<string, IResourceBuilder<ProjectResource>> AddOrderwright(
        this IDistributedApplicationBuilder builder, string sources, IResourceBuilder<IResourceWithConnectionString> postgres,
        IResourceBuilder<IResourceWithConnectionString> rabbitMq, int port = 4000)
    {
        var added = new Dictionary<string, IResourceBuilder<ProjectResource>>();
        foreach (var (index, (name, project)) in Services.Index())
            added[name] = builder.AddProject(name, Path.Combine(sources, project, $"{project}.csproj"), launchProfileName: null)
                .WithReference(postgres, connectionName: "Orderwright")
                .WithReference(rabbitMq, connectionName: "RabbitMq")
                // The service listens on its own port: no proxy between callers and the service.
                .WithHttpEndpoint(port: port + index, env: "ORDERWRIGHT_PORT", isProxied: false)
                .WithHttpHealthCheck("/health/ready");
        var console = added["saga-coordinator"];
        foreach (var (name, _) in Services[1..])
            console.WithEnvironment(
                $"ORDERWRIGHT_{name.Split('-')[0].ToUpperInvariant()}_URL", added[name].GetEndpoint("http"));
        return added;
    }
}
