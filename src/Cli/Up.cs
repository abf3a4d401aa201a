using System.CommandLine;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.LocalServers;
using Orderwright.Transport.RabbitMq;

namespace Orderwright.Cli;

/// <summary>
/// <c>up</c>: runs the four services as processes on PostgreSQL and RabbitMQ, starting private servers unless others are given.
/// Dead processes are restarted. Logs go to the terminal, prefixed with their service, and to DIR/logs. Ctrl+C stops all.
/// </summary>
static class Up
{
    // Distance between the ports of two instances of a service.
    const int PortsPerInstance = 10;

    const string JournalDatabase = "orderwright_customer";

    sealed record Settings(string Data, int Port, int Instances, bool Demo, string? Postgres, string? RabbitMq);

    sealed record Service(string Name, string Project, string Database, int PortOffset);

    static readonly Service[] Services =
    [
        new(ServiceNames.Coordinator, "SagaCoordinator", "orderwright_coordinator", 0),
        new(ServiceNames.Order, "OrderService", "orderwright_order", 1),
        new(ServiceNames.Customer, "CustomerService", JournalDatabase, 2),
        new(ServiceNames.Stock, "StockService", "orderwright_stock", 3),
    ];

    public static Command Create()
    {
        var data = new Option<string>("--data")
        {
            Description = "Directory for the private servers, logs and run.json.",
            DefaultValueFactory = _ => "./data/up",
        };
        data.Validators.Add(CommonOptions.RefuseFile);
        var port = new Option<int>("--port")
        {
            Description = "Port of the coordinator; order, customer and stock use +1, +2 and +3.",
            DefaultValueFactory = _ => 4000,
        };
        var instances = new Option<int>("--instances")
        {
            Description = "Instances of every service, 1 to 9; each further instance uses ports 10 higher.",
            DefaultValueFactory = _ => 1,
        };
        instances.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 9) result.AddError("--instances must be from 1 to 9.");
        });
        var demo = new Option<bool>("--demo") { Description = "Fill an empty shop with the demo shop of dev." };
        var postgres = new Option<string?>("--postgres")
        {
            Description = "Running PostgreSQL server, as postgres://user:password@host:port, with a role that can create "
                + "databases. Default: a private server.",
        };
        var rabbit = new Option<string?>("--rabbitmq")
        {
            Description = "Running RabbitMQ broker, as amqp://user:password@host:port. Default: a private server.",
        };
        var command = new Command("up", "Run the four services as processes on PostgreSQL and RabbitMQ.")
        {
            data, port, instances, demo, postgres, rabbit,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            new Settings(
                Path.GetFullPath(parsed.GetValue(data)!), parsed.GetValue(port), parsed.GetValue(instances),
                parsed.GetValue(demo), parsed.GetValue(postgres), parsed.GetValue(rabbit)),
            cancel));
        return command;
    }

    static async Task<int> RunAsync(Settings settings, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.Combine(settings.Data, "logs"));
        var runFile = Path.Combine(settings.Data, "run.json");
        using var held = FileLock.TryTake(Path.Combine(settings.Data, "run.lock"))
            ?? throw new ToolException(Exit.Failed, Occupied(settings.Data, RunFile.Read(runFile)));
        StopLeftovers(runFile);
        await RequirePortsAsync(settings, cancel);
        PrivatePostgres? postgres = null;
        PrivateRabbitMq? rabbit = null;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        List<Task> running = [];
        try
        {
            // The two servers start concurrently.
            var postgresStart = settings.Postgres is null
                ? PrivatePostgres.StartAsync(Path.Combine(settings.Data, "postgres"), cancel: cancel) : null;
            var rabbitStart = settings.RabbitMq is null
                ? PrivateRabbitMq.StartAsync(
                    Path.Combine(settings.Data, "rabbitmq"), definitions: BrokerRights.Definitions, cancel: cancel) : null;
            if (postgresStart is not null) postgres = await postgresStart;
            if (rabbitStart is not null) rabbit = await rabbitStart;

            var databases = new Dictionary<string, string>();
            foreach (var service in Services)
                databases[service.Name] = postgres is null
                    ? Databases.WithName(settings.Postgres!, service.Name)
                    : await OwnDatabaseAsync(postgres, service.Database, cancel);
            var brokers = Services.ToDictionary(
                service => service.Name, service => settings.RabbitMq ?? rabbit!.UrlOf(service.Name));

            List<SupervisedProcess> children = [];
            var writing = new Lock();
            // Written again after each start, so that a killed up leaves the present processes behind in the file.
            void Record()
            {
                lock (writing)
                    new RunFile(
                        "distributed", ProcessIdentity.Of(Environment.ProcessId), databases, brokers,
                        Services.ToDictionary(service => service.Name, service => Url(settings, service)),
                        [
                            .. new[] { postgres?.ProcessId, rabbit?.ProcessId }
                                .Concat(children.Select(child => (int?)child.ProcessId))
                                .Select(id => id is > 0 ? ProcessIdentity.Of(id.Value) : null).OfType<ProcessIdentity>(),
                        ]).Write(runFile);
            }
            Record();
            foreach (var instance in Enumerable.Range(0, settings.Instances))
                foreach (var service in Services)
                    children.Add(
                        Supervise(settings, service, instance, databases[service.Name], brokers[service.Name], Record));
            running.AddRange(children.Select(child => child.KeepRunningAsync(ending.Token)));
            if (postgres is not null)
                running.Add(KeepRunningAsync(
                    "postgres", postgres.WaitForExitAsync, postgres.RestartAsync, Record, ending.Token));
            if (rabbit is not null)
                running.Add(KeepRunningAsync("rabbitmq", rabbit.WaitForExitAsync, rabbit.RestartAsync, Record, ending.Token));

            await ReportReadyAsync(settings, postgres, rabbit, cancel);
            if (settings.Demo) await FillAsync(settings, cancel);
            await Task.WhenAll(running);
            return 0;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is MissingServerException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
        finally
        {
            // However up ends, the services end first: an up that is stopped during its start would leave them behind.
            await ending.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (postgres is not null) await postgres.DisposeAsync();
            if (rabbit is not null) await rabbit.DisposeAsync();
        }
    }

    static string Occupied(string data, RunFile? run) =>
        (run?.Up is { IsRunning: true } up
            ? $"./orderwright up already runs on {data}: process {up.Id}, console at {run.Urls[ServiceNames.Coordinator]}. "
            : $"Another ./orderwright up is starting or stopping on {data}. ")
        + "Stop it, or choose another directory with --data.";

    static SupervisedProcess Supervise(
        Settings settings, Service service, int instance, string database, string broker, Action started)
    {
        var name = instance == 0 ? service.Name : $"{service.Name}-{instance + 1}";
        var log = new StreamWriter(Path.Combine(settings.Data, "logs", name + ".log"), append: true) { AutoFlush = true };
        return new SupervisedProcess(
            name, FindProgram(service.Project), [],
            new Dictionary<string, string>
            {
                ["ORDERWRIGHT_DATABASE"] = database,
                ["ORDERWRIGHT_TRANSPORT"] = broker,
                ["ORDERWRIGHT_LISTEN"] = Url(settings, service, instance),
            },
            line =>
            {
                lock (log) log.WriteLine(line);
                Console.WriteLine($"{name,-17} | {line}");
            })
        {
            Started = started,
        };
    }

    static string Url(Settings settings, Service service, int instance = 0) =>
        $"http://127.0.0.1:{settings.Port + PortsPerInstance * instance + service.PortOffset}";

    static IEnumerable<string> Urls(Settings settings) => Services.SelectMany(
        service => Enumerable.Range(0, settings.Instances).Select(instance => Url(settings, service, instance)));

    // Services that cannot listen would be restarted without end. A process of an earlier run may need a moment to end.
    static async Task RequirePortsAsync(Settings settings, CancellationToken cancel)
    {
        foreach (var url in Urls(settings).Select(url => new Uri(url)))
            for (var tries = 30; UsedPort.IsUsed(url); tries--)
            {
                if (tries == 0)
                    throw new ToolException(
                        Exit.Failed,
                        $"{await UsedPort.DescribeAsync(url, cancel)} Stop it, or choose other ports with --port N.");
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
            }
    }

    // Without the demo the services are still of use, so a failure stops nothing.
    static async Task FillAsync(Settings settings, CancellationToken cancel)
    {
        using var http = ApiClient.NewHttp(TimeSpan.FromSeconds(100));
        var addresses = ServiceAddresses.Of(new Uri(Url(settings, Services[0])), [], new Dictionary<string, Uri>());
        try
        {
            Console.WriteLine(await new DemoShop(new ApiClient(http, addresses, Server.Key)).FillAsync(cancel));
        }
        catch (ApiException error)
        {
            await Console.Error.WriteLineAsync($"The demo shop is incomplete. {Exit.Advice(error.Reply)}");
        }
    }

    // Each service has a role that owns only its database. Passwords are derived from the server's, so a second run computes
    // equal passwords.
    static async Task<string> OwnDatabaseAsync(PrivatePostgres postgres, string database, CancellationToken cancel)
    {
        var password = Convert.ToHexString(HMACSHA256.HashData(
            Encoding.UTF8.GetBytes(postgres.Password), Encoding.UTF8.GetBytes(database)))[..32];
        await postgres.CreateDatabaseAsync(database, database, password, cancel);
        if (database == JournalDatabase) await postgres.AdministerAsync(database, SealSql(), cancel);
        return $"Host=127.0.0.1;Port={postgres.Port};Username={database};Password={password};Database={database}";
    }

    // Takes the journal of money from the service's role; safe to repeat. See deploy/postgres-seal.sql.
    static string SealSql()
    {
        using var reader = new StreamReader(typeof(Up).Assembly.GetManifestResourceStream("postgres-seal.sql")!);
        return reader.ReadToEnd();
    }

    /// <summary>Finds a built program of another project.</summary>
    internal static string FindProgram(string project)
    {
        var file = $"Orderwright.{project}.dll";
        var home = Environment.GetEnvironmentVariable("ORDERWRIGHT_HOME");
        string?[] candidates =
        [
            home is null ? null : Path.Combine(home, "src", project, "bin", "Release", "net10.0", file),
            Path.Combine(AppContext.BaseDirectory, "..", project, file),
            AppContext.BaseDirectory.Replace(
                $"{Path.DirectorySeparatorChar}Cli{Path.DirectorySeparatorChar}",
                $"{Path.DirectorySeparatorChar}{project}{Path.DirectorySeparatorChar}", StringComparison.Ordinal) + file,
        ];
        return candidates.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"{file} was not found. Run ./orderwright build.");
    }

    static async Task KeepRunningAsync(
        string server, Func<CancellationToken, Task> ended, Func<CancellationToken, Task> restart, Action started,
        CancellationToken cancel)
    {
        while (true)
        {
            await ended(cancel);
            try
            {
                Console.WriteLine($"{server,-17} | has stopped; restarting it");
                await restart(cancel);
                started();
            }
            catch (InvalidOperationException error)
            {
                // Child processes of a killed server may hold its files for a moment.
                Console.WriteLine($"{server,-17} | {error.Message}");
                await Task.Delay(1_000, cancel);
            }
        }
    }

    static async Task ReportReadyAsync(
        Settings settings, PrivatePostgres? postgres, PrivateRabbitMq? rabbit, CancellationToken cancel)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        foreach (var url in Urls(settings))
            while (!await IsReadyAsync(http, url, cancel))
                await Task.Delay(100, cancel);
        Console.WriteLine(
            $"Orderwright is ready: {string.Join(", ", Services.Select(s => $"{s.Name} {Url(settings, s)}"))} " +
            $"(PostgreSQL {(postgres is null ? "as given" : $"on port {postgres.Port}")}, " +
            $"RabbitMQ {(rabbit is null ? "as given" : $"on port {rabbit.Port}")}; data in {settings.Data})");
    }

    static async Task<bool> IsReadyAsync(HttpClient http, string url, CancellationToken cancel)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(url + "/health/ready"), cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception error) when (
            error is HttpRequestException or SocketException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    // A killed up leaves child processes behind, which would hold the ports and the data. Only processes that it started, and
    // that still run, are killed: meanwhile the system may have given their ids to others.
    static void StopLeftovers(string runFile)
    {
        foreach (var process in RunFile.Read(runFile)?.Processes ?? []) process.Kill();
        File.Delete(runFile);
    }
}
