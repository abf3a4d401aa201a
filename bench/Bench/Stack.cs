using Npgsql;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Transport.RabbitMq;
using Orderwright.Verification;

namespace Orderwright.Bench;

/// <summary>The setup of a stack to measure.</summary>
/// <param name="Name">Name in reports and directories.</param>
/// <param name="Embedded">True for a single process on SQLite; otherwise four processes on PostgreSQL and RabbitMQ.</param>
/// <param name="Instances">Instances of each service.</param>
/// <param name="Settings">Additional settings, without the prefix <c>ORDERWRIGHT_</c>.</param>
/// <param name="Profiled">True when PostgreSQL can count the cost of statements; counting is off until requested.</param>
/// <param name="Peer">
/// The same process on another library, by the name that <c>bench/Peers</c> knows; null for Orderwright.
/// </param>
sealed record StackKind(
    string Name, bool Embedded = false, int Instances = 1, IReadOnlyDictionary<string, string>? Settings = null,
    bool Profiled = false, string? Peer = null);

/// <summary>
/// A complete deployment of Orderwright or of a peer for the measurement alone, with its own servers, databases and processes
/// in its own directory. Stacks share nothing, so that CPU time and memory are attributed unambiguously.
/// </summary>
sealed class Stack : IAsyncDisposable
{
    /// <summary>Prefix of the databases' names.</summary>
    public const string DatabasePrefix = "orderwright";

    static readonly (string Name, string Project)[] Services =
    [
        (ServiceNames.Coordinator, "src/SagaCoordinator"), (ServiceNames.Order, "src/OrderService"),
        (ServiceNames.Customer, "src/CustomerService"), (ServiceNames.Stock, "src/StockService"),
    ];

    readonly string directory;
    readonly List<ServiceProcess> services = [];
    PrivateRabbitMq? rabbit;

    Stack(StackKind kind, string directory)
    {
        Kind = kind;
        this.directory = directory;
    }

    public StackKind Kind { get; }

    public PrivatePostgres? Postgres { get; private set; }

    /// <summary>True when PostgreSQL has loaded its statement statistics.</summary>
    public bool CountsStatements { get; private set; }

    /// <summary>Orders acknowledged with 2xx or copied into the tables, all to be found later.</summary>
    public long Acknowledged { get; set; }

    public IReadOnlyList<Uri> UrlsOf(string service) =>
        [.. services.Where(process => Kind.Embedded || process.Name == service).Select(process => process.Url)];

    /// <summary>Process trees by name.</summary>
    public IReadOnlyList<(string Name, int Id)> Processes =>
    [
        .. services.Select(service => (service.Name, service.Id)),
        .. Postgres is null ? [] : new[] { ("postgres", Postgres.ProcessId) },
        .. rabbit is null ? [] : new[] { ("rabbitmq", rabbit.ProcessId) },
    ];

    /// <summary>Starts the servers, then all services concurrently; returns once all are ready.</summary>
    public static async Task<Stack> StartAsync(StackKind kind, string directory, CancellationToken cancel)
    {
        var stack = new Stack(kind, directory);
        try
        {
            Directory.CreateDirectory(Path.Combine(directory, "logs"));
            if (!kind.Embedded) await stack.StartServersAsync(cancel);
            await stack.StartServicesAsync(cancel);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    public Task StartServicesAsync(CancellationToken cancel) => Kind.Embedded
        ? StartAsync("src/AllInOne", "orderwright", ServiceNames.Order, cancel)
        : Task.WhenAll(Enumerable.Repeat(Services, Kind.Instances).SelectMany(services => services)
            .Select(service => StartServiceAsync(service.Name, cancel)));

    /// <summary>Kills a service of a stack with one instance of each, and starts the service again.</summary>
    public async Task CrashAsync(string service, CancellationToken cancel)
    {
        var crashed = services.Single(process => process.Name == service);
        await crashed.KillAsync();
        services.Remove(crashed);
        await StartServiceAsync(service, cancel);
    }

    public async Task StopServicesAsync()
    {
        await Task.WhenAll(services.Select(service => service.DisposeAsync().AsTask()));
        services.Clear();
    }

    /// <summary>Waits until no order is in flight: an order is captured after the client has seen it confirmed.</summary>
    public Task SettleAsync(CancellationToken cancel) => WithVerifierAsync(
        DatabasePrefix,
        async verifier =>
        {
            await SettleAsync(verifier, cancel);
            return true;
        });

    /// <summary>Waits until no order is in flight and recomputes every invariant; throws on a violation.</summary>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="prefix">Prefix of the databases: the stack's own, or copies.</param>
    public Task<VerificationReport> VerifyAsync(CancellationToken cancel, string prefix = DatabasePrefix) =>
        WithVerifierAsync(
            prefix,
            async verifier =>
            {
                await SettleAsync(verifier, cancel);
                var report = await verifier.RunAsync(cancel);
                if (prefix == DatabasePrefix && report.Orders < Acknowledged)
                    throw new InvalidOperationException(
                        $"{Kind.Name} has {report.Orders} orders of {Acknowledged} that were acknowledged: no result.");
                if (report.Holds) return report;
                var findings = report.Checks.SelectMany(check => check.Findings).Take(10)
                    .Select(finding => $"\n  {finding.Invariant} {finding.Subject} {finding.What}");
                throw new InvalidOperationException($"{Kind.Name} does not verify: no result.{string.Concat(findings)}");
            });

    async Task SettleAsync(Verifier verifier, CancellationToken cancel)
    {
        if (!await verifier.SettleAsync(TimeSpan.FromMinutes(1), _ => { }, cancel))
            throw new InvalidOperationException($"{Kind.Name} has orders in flight after a minute: no result.");
    }

    async Task<T> WithVerifierAsync<T>(string prefix, Func<Verifier, Task<T>> use)
    {
        // Sorting the rows of a million orders may take longer than a service's statement ever should.
        var limits = new RuntimeOptions { TransactionTimeout = TimeSpan.FromMinutes(10) };
        var databases = ServiceNames.All.ToDictionary(
            service => service, service => Databases.Open(AddressOf(service, prefix), service, limits));
        try
        {
            return await use(new Verifier(databases, TimeProvider.System));
        }
        finally
        {
            foreach (var database in databases.Values) await database.DisposeAsync();
        }
    }

    public static string DatabaseOf(string service, string prefix = DatabasePrefix) =>
        $"{prefix}_{Databases.WordOf(service)}";

    /// <summary>Version of PostgreSQL, and its settings for durability and memory.</summary>
    public async Task<IReadOnlyDictionary<string, string>> DescribePostgresAsync(CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(Postgres!.ConnectionString());
        await connection.OpenAsync(cancel);
        await using var show = new NpgsqlCommand(
            """
            SELECT name, current_setting(name) FROM pg_settings
            WHERE source = 'command line' OR name IN ('server_version', 'synchronous_commit', 'fsync', 'full_page_writes')
            ORDER BY name
            """, connection);
        await using var rows = await show.ExecuteReaderAsync(cancel);
        var settings = new Dictionary<string, string>();
        while (await rows.ReadAsync(cancel)) settings[rows.GetString(0)] = rows.GetString(1);
        return settings;
    }

    /// <summary>Copies a service's database, which must have no connections.</summary>
    public async Task CopyDatabaseAsync(string service, string prefix, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(Postgres!.ConnectionString());
        await connection.OpenAsync(cancel);
        await using var copy = new NpgsqlCommand(
            $"CREATE DATABASE {DatabaseOf(service, prefix)} TEMPLATE {DatabaseOf(service)}", connection);
        await copy.ExecuteNonQueryAsync(cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await StopServicesAsync();
        await Task.WhenAll(
            Postgres?.DisposeAsync().AsTask() ?? Task.CompletedTask, rabbit?.DisposeAsync().AsTask() ?? Task.CompletedTask);
    }

    async Task StartServersAsync(CancellationToken cancel)
    {
        await Task.WhenAll(StartPostgresAsync(), StartRabbitAsync());

        async Task StartPostgresAsync()
        {
            var extension = Path.Combine(PrivatePostgres.FindBinaries() ?? "", "..", "lib", "pg_stat_statements.so");
            CountsStatements = Kind.Profiled && File.Exists(extension);
            Postgres = await PrivatePostgres.StartAsync(
                Path.Combine(directory, "postgres"),
                settings: CountsStatements ? ["shared_preload_libraries=pg_stat_statements"] : [], cancel: cancel);
            if (CountsStatements)
            {
                await using var connection = new NpgsqlConnection(Postgres.ConnectionString());
                await connection.OpenAsync(cancel);
                await Profiler.CountAsync(connection, "none", cancel);
            }
            foreach (var service in ServiceNames.All)
                await Postgres.CreateDatabaseAsync(DatabaseOf(service), DatabaseOf(service), Postgres.Password, cancel);
        }

        async Task StartRabbitAsync() =>
            rabbit = await PrivateRabbitMq.StartAsync(
                Path.Combine(directory, "rabbitmq"), definitions: BrokerRights.Definitions, cancel: cancel);
    }

    string AddressOf(string service, string prefix = DatabasePrefix) => Kind.Embedded
        ? $"sqlite:{Path.Combine(directory, "data")}"
        : $"Host=127.0.0.1;Port={Postgres!.Port};Username={DatabaseOf(service)};Password={Postgres.Password};" +
            $"Database={DatabaseOf(service, prefix)}";

    Task StartServiceAsync(string service, CancellationToken cancel) => StartAsync(
        Kind.Peer is null ? Services.First(known => known.Name == service).Project : PeerPrograms.Project, service, service,
        cancel);

    async Task StartAsync(string project, string name, string service, CancellationToken cancel)
    {
        var settings = new Dictionary<string, string>(Kind.Settings ?? new Dictionary<string, string>())
        {
            ["DATABASE"] = AddressOf(service),
        };
        if (rabbit is not null) settings["TRANSPORT"] = Kind.Peer is null ? rabbit.UrlOf(service) : rabbit.Url;
        if (Kind.Peer is not null) (settings["PEER"], settings["SERVICE"]) = (Kind.Peer, service);
        if (Kind.Embedded) (settings["DEMO"], settings["OPEN"]) = ("false", "false");
        var started = await ServiceProcess.StartAsync(project, name, settings, Path.Combine(directory, "logs"), cancel);
        lock (services) services.Add(started);
    }
}
