namespace Orderwright.Tidy;

/// <summary>The project references that the architecture allows.</summary>
public class DependencyTests
{
    static readonly string[] Services = ["OrderService", "CustomerService", "StockService", "SagaCoordinator"];
    static readonly string[] Adapters = ["Storage.Postgres", "Storage.Sqlite", "Transport.RabbitMq"];

    // All references of each project in src. A new line here is a decision about the architecture.
    static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Contracts"] = [],
        ["Sagas"] = [],
        ["LocalServers"] = [],
        ["Runtime"] = ["Contracts"],
        ["Http"] = ["Contracts", "Runtime"],
        ["Storage.Postgres"] = ["Runtime"],
        ["Storage.Sqlite"] = ["Runtime"],
        ["Transport.RabbitMq"] = ["Runtime", "Contracts"],
        ["Hosting"] = ["Runtime", "Contracts", "Http", .. Adapters],
        ["OrderService"] = ["Contracts", "Runtime", "Http", "Hosting"],
        ["CustomerService"] = ["Contracts", "Runtime", "Http", "Hosting"],
        ["StockService"] = ["Contracts", "Runtime", "Http", "Hosting"],
        ["Client"] = ["Contracts"],
        ["Agents"] = ["Contracts", "Runtime", "Http", "Client"],
        ["OperatorConsole"] = ["Contracts", "Runtime", "Http", "Agents", "Client"],
        ["SagaCoordinator"] = ["Contracts", "Sagas", "Runtime", "Http", "Hosting", "OperatorConsole"],
        ["AllInOne"] = ["Contracts", "Runtime", "Http", "Hosting", "OperatorConsole", "Client", .. Services],
        ["SandboxGateway"] = ["Contracts", "Runtime", "Http", "Hosting", "CustomerService"],
        ["Verification"] = ["Contracts", "Runtime"],
        // The simulation runs all four services in one thread, on the one database that runs on its caller's thread.
        ["Simulation"] = ["Contracts", "Runtime", "Http", "Storage.Sqlite", "Verification", .. Services],
        ["Cli"] = ["Contracts", "Runtime", "Http", "Agents", "Client", "Hosting", "Verification", "LocalServers"],
    };

    [Fact]
    public void Projects_refer_only_to_what_the_architecture_allows() =>
        Assert.Empty(Violations(SourceTree.References()));

    [Fact]
    public void A_service_that_refers_to_an_adapter_is_found() =>
        Assert.Equal(
            ["StockService may not see Storage.Sqlite"],
            Violations(new Dictionary<string, IReadOnlyList<string>> { ["StockService"] = ["Runtime", "Storage.Sqlite"] }));

    [Fact]
    public void A_service_names_its_host_in_Program_only() =>
        Assert.Empty(
            from service in Services
            from file in SourceTree.Read($"src/{service}", "*.cs")
            where !file.Path.EndsWith("/Program.cs", StringComparison.Ordinal)
                && file.Text.Contains("Orderwright.Hosting", StringComparison.Ordinal)
            select $"{file.Path} names Orderwright.Hosting");

    [Fact]
    public void A_service_does_not_know_another_service() =>
        Assert.Empty(
            from service in Services
            from file in SourceTree.Read($"src/{service}", "*.cs")
            from other in Services
            where other != service && file.Text.Contains($"Orderwright.{other}", StringComparison.Ordinal)
            select $"{file.Path} names Orderwright.{other}");

    [Fact]
    public void No_service_asks_which_engine_it_runs_on() =>
        Assert.Empty(
            from service in Services
            from file in SourceTree.Read($"src/{service}", "*.cs")
            where file.Text.Contains("Npgsql", StringComparison.Ordinal) || file.Text.Contains(".Engine", StringComparison.Ordinal)
                || file.Text.Contains("Data.Sqlite", StringComparison.Ordinal)
            select $"{file.Path} names an engine");

    static IEnumerable<string> Violations(IReadOnlyDictionary<string, IReadOnlyList<string>> references) =>
        from project in references
        from seen in project.Value
        where !Allowed.TryGetValue(project.Key, out var allowed) || !allowed.Contains(seen)
        select $"{project.Key} may not see {seen}";
}
