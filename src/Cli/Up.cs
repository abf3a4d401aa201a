using System.CommandLine;
using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.LocalServers;

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

    sealed record Settings(string Data, int Port, int Instances, string? Postgres, string? RabbitMq);

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
            data, port, instances, postgres, rabbit,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            new Settings(
                Path.GetFullPath(parsed.GetValue(data)!), parsed.GetValue(port), parsed.GetValue(instances),
                parsed.GetValue(postgres), parsed.GetValue(rabbit)),
            cancel));
        return command;
    }

    static async Task<int> RunAsync(Settings settings, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.Combine(settings.Data, "logs"));
        var runFile = Path.Combine(settings.Data, "run.json");
        StopLeftovers(runFile);
        PrivatePostgres? postgres = null;
        PrivateRabbitMq? rabbit = null;
        try
        {
            // The two servers start concurrently.
            var postgresStart = settings.Postgres is null
                ? PrivatePostgres.StartAsync(Path.Combine(settings.Data, "postgres"), cancel: cancel) : null;
            var rabbitStart = settings.RabbitMq is null
                ? PrivateRabbitMq.StartAsync(Path.Combine(settings.Data, "rabbitmq"), cancel: cancel) : null;
            if (postgresStart is not null) postgres = await postgresStart;
            if (rabbitStart is not null) rabbit = await rabbitStart;

            var databases = new Dictionary<string, string>();
            foreach (var service in Services)
                databases[service.Name] = postgres is null
                    ? $"{settings.Postgres!.TrimEnd('/')}/{service.Database}"
                    : await OwnDatabaseAsync(postgres, service.Database, cancel);

            var broker = settings.RabbitMq ?? rabbit!.Url;
            var children = (
                from instance in Enumerable.Range(0, settings.Instances)
                from service in Services
                select Supervise(settings, service, instance, databases[service.Name], broker)).ToList();
            var running = children.Select(child => child.KeepRunningAsync(cancel)).ToList();
            if (postgres is not null)
                running.Add(KeepRunningAsync("postgres", postgres.WaitForExitAsync, postgres.RestartAsync, cancel));
            if (rabbit is not null)
                running.Add(KeepRunningAsync("rabbitmq", rabbit.WaitForExitAsync, rabbit.RestartAsync, cancel));

            WriteRunFile(runFile, settings, databases, broker, [.. children.Select(child => child.ProcessId)], postgres, rabbit);
            await ReportReadyAsync(settings, postgres, rabbit, cancel);
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
            if (postgres is not null) await postgres.DisposeAsync();
            if (rabbit is not null) await rabbit.DisposeAsync();
        }
    }

    static SupervisedProcess Supervise(Settings settings, Service service, int instance, string database, string broker)
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
            });
    }

    static string Url(Settings settings, Service service, int instance = 0) =>
        $"http://127.0.0.1:{settings.Port + PortsPerInstance * instance + service.PortOffset}";

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

    static string FindProgram(string project)
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
        string server, Func<CancellationToken, Task> ended, Func<CancellationToken, Task> restart, CancellationToken cancel)
    {
        while (true)
        {
            await ended(cancel);
            try
            {
                Console.WriteLine($"{server,-17} | has stopped; restarting it");
                await restart(cancel);
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
        foreach (var url in Services.SelectMany(
            service => Enumerable.Range(0, settings.Instances).Select(instance => Url(settings, service, instance))))
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

    // For verify, for further instances, and for the next run. The file holds passwords, so only its owner may read it.
    static void WriteRunFile(
        string file, Settings settings, IReadOnlyDictionary<string, string> databases, string broker, int[] processIds,
        PrivatePostgres? postgres, PrivateRabbitMq? rabbit)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new FileStream(file, options);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("mode", "distributed");
        json.WriteStartObject("postgres");
        foreach (var (service, connection) in databases) json.WriteString(service, connection);
        json.WriteEndObject();
        json.WriteString("rabbitmq", broker);
        json.WriteStartObject("urls");
        foreach (var service in Services) json.WriteString(service.Name, Url(settings, service));
        json.WriteEndObject();
        json.WriteStartArray("processes");
        foreach (var id in (int[])[.. processIds, .. postgres is null ? [] : new[] { postgres.ProcessId },
            .. rabbit is null ? [] : new[] { rabbit.ProcessId }])
            json.WriteNumberValue(id);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // A killed up leaves child processes behind, which would hold the ports and the data.
    static void StopLeftovers(string runFile)
    {
        if (!File.Exists(runFile)) return;
        using var run = JsonDocument.Parse(File.ReadAllText(runFile));
        foreach (var id in run.RootElement.GetProperty("processes").EnumerateArray().Select(item => item.GetInt32()))
        {
            try
            {
                using var process = Process.GetProcessById(id);
                if (process.ProcessName is "dotnet" or "postgres" or "sh" or "beam.smp") process.Kill(entireProcessTree: true);
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException)
            {
                // The process has ended.
            }
        }
        File.Delete(runFile);
    }
}
