namespace Orderwright.Tidy;

/// <summary>Who may see whom (DESIGN.md section 5): the house keeps its shape because this fails when it does not.</summary>
public class DependencyTests
{
    static readonly string[] Services = ["OrderService", "CustomerService", "StockService", "SagaCoordinator"];
    static readonly string[] Adapters = ["Storage.Postgres", "Storage.Sqlite", "Transport.RabbitMq"];

    // The references of each project of src, all of them. A new line here is a decision about the architecture.
    static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Contracts"] = [],
        ["Sagas"] = [],
        ["LocalServers"] = [],
        ["Runtime"] = ["Contracts"],
        ["Storage.Postgres"] = ["Runtime"],
        ["Storage.Sqlite"] = ["Runtime"],
        ["Transport.RabbitMq"] = ["Runtime", "Contracts"],
        ["Hosting"] = ["Runtime", "Contracts", .. Adapters],
        ["OrderService"] = ["Contracts", "Runtime", "Hosting"],
        ["CustomerService"] = ["Contracts", "Runtime", "Hosting"],
        ["StockService"] = ["Contracts", "Runtime", "Hosting"],
        ["Agents"] = ["Contracts", "Runtime"],
        ["Console"] = ["Contracts", "Runtime", "Agents"],
        ["SagaCoordinator"] = ["Contracts", "Sagas", "Runtime", "Hosting", "Console"],
        ["AllInOne"] = ["Contracts", "Runtime", "Hosting", "Console", .. Services],
        ["Gateway"] = ["Contracts", "Runtime", "Hosting", "CustomerService"],
        ["Verification"] = ["Contracts", "Runtime"],
        // All of it in one thread: it needs the services, and the one database that runs on its caller's thread.
        ["Simulation"] = ["Contracts", "Runtime", "Storage.Sqlite", "Verification", .. Services],
        ["Cli"] = ["Contracts", "Runtime", "Agents", "Hosting", "Verification", "LocalServers"],
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
