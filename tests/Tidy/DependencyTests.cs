using System.Text.RegularExpressions;

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
        ["StepService"] = ["Contracts", "Runtime", "Http"],
        ["Storage.Postgres"] = ["Runtime"],
        ["Storage.Sqlite"] = ["Runtime"],
        ["Transport.RabbitMq"] = ["Runtime", "Contracts"],
        ["Telemetry"] = ["Runtime"],
        ["Hosting"] = ["Runtime", "Contracts", "Http", "Telemetry", .. Adapters],
        ["OrderService"] = ["Contracts", "Runtime", "Http", "Hosting"],
        ["CustomerService"] = ["Contracts", "Runtime", "Http", "Hosting"],
        ["StockService"] = ["Contracts", "Runtime", "Http", "Hosting"],
        ["Client"] = ["Contracts"],
        ["Agents"] = ["Contracts", "Runtime", "Http", "Client"],
        ["OperatorConsole"] = ["Contracts", "Runtime", "Http", "Agents", "Client"],
        ["SagaCoordinator"] = ["Contracts", "Sagas", "Runtime", "Http", "StepService", "Hosting", "OperatorConsole"],
        ["AllInOne"] = ["Contracts", "Runtime", "Http", "Hosting", "OperatorConsole", "Client", .. Services],
        ["SandboxGateway"] = ["Contracts", "Runtime", "Http", "Hosting", "CustomerService"],
        ["Verification"] = ["Contracts", "Runtime"],
        // The simulation runs all four services in one thread, on the one database that runs on its caller's thread.
        ["Simulation"] = ["Contracts", "Runtime", "Http", "StepService", "Storage.Sqlite", "Verification", .. Services],
        // The import checks orders with the rules of order-service before an order is sent, process check reads a process as the
        // coordinator does, and participant test calls a participant as the coordinator does.
        ["Cli"] =
        [
            "Contracts", "Runtime", "Http", "Agents", "Client", "Hosting", "Verification", "LocalServers", "OrderService",
            "StepService", "SagaCoordinator",
        ],
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

    // Folders of a service, and the other folders that each may use. Root files compose all of them.
    static readonly Dictionary<string, Dictionary<string, string[]>> Folders = new()
    {
        ["CustomerService"] = new()
        {
            ["Customers"] = [],
            ["Payments"] = [],
            ["Commands"] = ["Payments"],
            ["Calling"] = ["Payments"],
            ["Providers"] = ["Payments"],
            ["Reconciliation"] = ["Payments"],
            ["Healing"] = ["Payments", "Customers"],
        },
        ["SagaCoordinator"] = new()
        {
            ["Process"] = [],
            ["Overview"] = ["Process"],
            ["Operators"] = ["Process", "Overview"],
            ["Notices"] = ["Process", "Overview"],
            ["Healing"] = ["Process"],
        },
        ["OrderService"] = new()
        {
            ["Events"] = [],
            ["Decisions"] = [],
            ["Fulfilments"] = ["Events"],
            ["Webhooks"] = ["Events"],
            ["Healing"] = ["Events", "Fulfilments"],
        },
    };

    [Fact]
    public void Folders_of_a_service_depend_in_one_direction() =>
        Assert.Empty(Folders.Keys.SelectMany(service => FolderViolations(service, SourceTree.Read($"src/{service}", "*.cs"))));

    [Fact]
    public void A_folder_that_uses_another_against_the_direction_is_found() =>
        Assert.Equal(
            [
                "src/CustomerService/Payments/A.cs may not use Calling",
                "src/CustomerService/Payments/B.cs may not use Commands",
                "src/CustomerService/New/C.cs is in no known folder",
            ],
            FolderViolations(
                "CustomerService",
                [
                    new("src/CustomerService/Payments/A.cs", "using Orderwright.CustomerService.Calling;"),
                    new("src/CustomerService/Payments/B.cs", "Answer Of(Commands.PaymentResponse payment) => default;"),
                    new("src/CustomerService/New/C.cs", "namespace Orderwright.CustomerService.New;"),
                    new("src/CustomerService/Calling/D.cs", "using Orderwright.CustomerService.Payments;"),
                    new("src/CustomerService/CustomerModule.cs", "using Orderwright.CustomerService.Calling;"),
                ]));

    [Fact]
    public void No_service_asks_which_engine_it_runs_on() =>
        Assert.Empty(
            from service in Services
            from file in SourceTree.Read($"src/{service}", "*.cs")
            where file.Text.Contains("Npgsql", StringComparison.Ordinal)
                || file.Text.Contains(".Engine", StringComparison.Ordinal)
                || file.Text.Contains("Data.Sqlite", StringComparison.Ordinal)
            select $"{file.Path} names an engine");

    // By usings and full names, and by names that start with the folder, which resolve within the service's namespace.
    static IEnumerable<string> FolderViolations(string service, IEnumerable<SourceFile> files)
    {
        var allowed = Folders[service];
        var names = string.Join('|', allowed.Keys);
        var reference = new Regex($@"\bOrderwright\.{service}\.({names})\b|(?<![\w.])({names})\.[A-Z]");
        foreach (var file in files)
        {
            if (file.Path.Split('/') is not ["src", _, var folder, _, ..]) continue;
            if (!allowed.TryGetValue(folder, out var others))
            {
                yield return $"{file.Path} is in no known folder";
                continue;
            }
            foreach (var used in reference.Matches(file.Text)
                .Select(match => match.Groups[1].Value + match.Groups[2].Value).Distinct())
                if (used != folder && !others.Contains(used)) yield return $"{file.Path} may not use {used}";
        }
    }

    static IEnumerable<string> Violations(IReadOnlyDictionary<string, IReadOnlyList<string>> references) =>
        from project in references
        from seen in project.Value
        where !Allowed.TryGetValue(project.Key, out var allowed) || !allowed.Contains(seen)
        select $"{project.Key} may not see {seen}";
}
