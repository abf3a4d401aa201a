using System.Net;
using System.Net.Sockets;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.Hosting.Keys;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Transport.RabbitMq;
using Orderwright.Verification;

namespace Orderwright.Chaos;

/// <summary>An instance of a service: its supervised process, its address, and its network if separate.</summary>
sealed record Instance(string Service, int Number, SupervisedProcess Process, Uri Url, Link? Link)
{
    public string Name => $"{Service}-{Number}";
}

/// <summary>
/// A private production setup on this machine: PostgreSQL, RabbitMQ, a payment gateway with its own record, and two
/// supervised instances of every service. Second instances run in their own network namespaces where the machine permits.
/// With replicated <see cref="Servers"/>, callers reach the instances of a service through a load balancer.
/// </summary>
sealed class Cluster : IAsyncDisposable
{
    public const string GatewaySecret = "shared between the gateway and us";
    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    static readonly (string Service, string Project)[] Services =
    [
        (ServiceNames.Coordinator, "SagaCoordinator"), (ServiceNames.Order, "OrderService"),
        (ServiceNames.Customer, "CustomerService"), (ServiceNames.Stock, "StockService"),
    ];

    readonly CancellationTokenSource stopping = new();
    readonly List<Task> watches = [];
    readonly List<BoundedLog> logs = [];
    readonly string data;
    readonly Links? links;
    readonly List<Instance> instances = [];
    readonly Dictionary<string, (Uri Url, Relay Relay)> balancers = [];

    Cluster(string data, string key, Links? links, string? withoutLinks)
    {
        (this.data, Key, this.links, WithoutLinks) = (data, key, links, withoutLinks);
        Http = NewClient();
    }

    /// <summary>API key for all services, with every scope and all channels.</summary>
    public string Key { get; }

    public HttpClient Http { get; }

    /// <summary>The reason why network namespaces are unavailable; null when they are available.</summary>
    public string? WithoutLinks { get; }

    public Servers Servers { get; private set; } = null!;

    public PrivatePostgres Postgres => Servers.Primary;

    public PrivateRabbitMq Broker => Servers.Brokers[0];

    public SupervisedProcess Gateway { get; private set; } = null!;

    public Uri GatewayUrl { get; private set; } = null!;

    public IReadOnlyList<Instance> Instances => instances;

    /// <summary>Addresses at which callers reach a service: the load balancer, or each instance.</summary>
    public IReadOnlyList<Uri> UrlsOf(string service) =>
        balancers.TryGetValue(service, out var balancer)
            ? [balancer.Url]
            : [.. instances.Where(instance => instance.Service == service).Select(instance => instance.Url)];

    /// <summary>Npgsql connection string of a service's database.</summary>
    public string DatabaseOf(string service) => Servers.DatabaseOf(service);

    /// <summary>File of the gateway's own record.</summary>
    public string GatewayDatabase => Path.Combine(GatewayData, $"{Verifier.Gateway}.db");

    /// <summary>Replaces the database of a service, whose instances are held, by an empty one.</summary>
    public async Task EmptyAsync(string service, CancellationToken cancel)
    {
        var name = Servers.DatabaseNameOf(service);
        await Postgres.AskAsync("postgres", $"DROP DATABASE {name} WITH (FORCE)", cancel);
        await Postgres.CreateDatabaseAsync(name, name, Postgres.Password, cancel);
    }

    /// <summary>Starts all processes and completes once all are ready.</summary>
    /// <param name="data">A directory that PostgreSQL's user can enter.</param>
    /// <param name="gatewayBehaviour">Arguments of the gateway.</param>
    /// <param name="copies">Instances of every service.</param>
    /// <param name="settings">Additional settings of the services.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <param name="replicated">True for replicated servers and load balancers.</param>
    public static async Task<Cluster> StartAsync(
        string data, IReadOnlyList<string> gatewayBehaviour, int copies, IReadOnlyDictionary<string, string> settings,
        CancellationToken cancel, bool replicated = false)
    {
        Directory.CreateDirectory(data);
        var keys = Path.Combine(data, "keys.json");
        File.Delete(keys);
        var key = KeyFile.Add(
            keys, "trial", [.. Scopes.All], DateTimeOffset.UtcNow, channels: [ChannelSet.Any]);
        string? withoutLinks = "each service has a single instance";
        var links = copies > 1 ? Links.TryCreate(out withoutLinks) : null;
        var cluster = new Cluster(data, key, links, withoutLinks);
        try
        {
            cluster.Servers = await Servers.StartAsync(data, replicated, cancel);
            cluster.StartGateway(gatewayBehaviour);
            foreach (var number in Enumerable.Range(1, copies))
                foreach (var (service, project) in Services)
                    await cluster.AddAsync(service, project, number, keys, settings, cancel);
            if (replicated) cluster.Balance();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(StartLimit);
            while (!await cluster.IsReadyAsync()) await Task.Delay(200, limit.Token);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client that keeps connections only briefly, since instances die and restart behind it.</summary>
    public HttpClient NewClient()
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
        })
        {
            Timeout = TimeSpan.FromSeconds(15),
        };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        return client;
    }

    /// <summary>True when every instance is ready.</summary>
    public async Task<bool> IsReadyAsync() => (await Task.WhenAll(instances.Select(IsReadyAsync))).All(ready => ready);

    /// <summary>The databases of all services and of the gateway, for reading.</summary>
    public Dictionary<string, IDatabase> OpenDatabases()
    {
        var opened = ServiceNames.All.ToDictionary(
            service => service, service => Databases.Open(DatabaseOf(service), service, new RuntimeOptions()));
        opened[Verifier.Gateway] = Databases.Open($"sqlite:{GatewayData}", Verifier.Gateway, new RuntimeOptions());
        return opened;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in instances) instance.Process.Resume();
        Gateway?.Resume();
        await stopping.CancelAsync();
        await Task.WhenAll(watches);
        foreach (var (_, relay) in balancers.Values) await relay.DisposeAsync();
        if (links is not null) await links.DisposeAsync();
        if (Servers is not null) await Servers.DisposeAsync();
        foreach (var log in logs) log.Dispose();
        Http.Dispose();
        stopping.Dispose();
    }

    string GatewayData => Path.Combine(data, "gateway");

    void StartGateway(IReadOnlyList<string> behaviour)
    {
        GatewayUrl = new Uri($"http://127.0.0.1:{ServerProcess.FreePort()}");
        Gateway = Watch(
            "gateway", "SandboxGateway",
            [
                "--data", GatewayData, "--port", $"{GatewayUrl.Port}", "--gateway-secret", GatewaySecret,
                // The addresses under which instances in namespaces reach the servers.
                "--hosts", string.Join(',', Enumerable.Range(0, 16).Select(i => Link.Of(Links.NetOf(i), Server.Gateway))),
                .. behaviour,
            ],
            new Dictionary<string, string>());
    }

    async Task AddAsync(
        string service, string project, int number, string keys, IReadOnlyDictionary<string, string> settings,
        CancellationToken cancel)
    {
        var link = number > 1 && links is not null
            ? await links.AddAsync(
                instances.Count,
                new Dictionary<Server, IReadOnlyList<int>>(Servers.Ports) { [Server.Gateway] = [GatewayUrl.Port] }, cancel)
            : null;
        var url = new Uri($"http://{link?.Address ?? IPAddress.Loopback}:{ServerProcess.FreePort()}");
        string At(Server server, string address) =>
            link is null ? address : address.Replace("127.0.0.1", link.AddressOf(server).ToString(), StringComparison.Ordinal);
        var environment = new Dictionary<string, string>(settings)
        {
            ["ORDERWRIGHT_DATABASE"] = At(Server.Database, Servers.DatabaseUrlOf(service)),
            ["ORDERWRIGHT_TRANSPORT"] = At(Server.Broker, Servers.TransportUrlOf(service)),
            ["ORDERWRIGHT_LISTEN"] = url.GetLeftPart(UriPartial.Authority),
            ["ORDERWRIGHT_KEYS"] = keys,
            ["ORDERWRIGHT_FAULT_ALLOWED"] = "true",
        };
        if (service == ServiceNames.Customer)
        {
            environment["ORDERWRIGHT_GATEWAY_URL"] = At(Server.Gateway, new Uri(GatewayUrl, "v1").AbsoluteUri);
            environment["ORDERWRIGHT_GATEWAY_SECRET"] = GatewaySecret;
            environment["ORDERWRIGHT_SANDBOX"] = "true";
            environment["ORDERWRIGHT_SANDBOX_SECRET"] = GatewaySecret;
        }
        var process = Watch($"{service}-{number}", project, [], environment, link?.Wrapper ?? []);
        instances.Add(new Instance(service, number, process, url, link));
    }

    void Balance()
    {
        foreach (var of in instances.GroupBy(instance => instance.Service))
        {
            var url = new Uri($"http://127.0.0.1:{ServerProcess.FreePort()}");
            balancers[of.Key] = (url, new Relay(
                IPEndPoint.Parse(url.Authority), [.. of.Select(instance => IPEndPoint.Parse(instance.Url.Authority))]));
        }
    }

    SupervisedProcess Watch(
        string name, string project, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment,
        params IReadOnlyList<string> wrapper)
    {
        var log = new BoundedLog(Path.Combine(data, $"{name}.log"));
        logs.Add(log);
        var process = new SupervisedProcess(name, ProgramOf(project), arguments, environment, log.Write, wrapper);
        watches.Add(process.KeepRunningAsync(stopping.Token));
        return process;
    }

    async Task<bool> IsReadyAsync(Instance instance)
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri(instance.Url, "/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or TaskCanceledException)
        {
            return false;
        }
    }

    public static string ProgramOf(string project) => Path.Combine(
        AppContext.BaseDirectory.Replace("/tests/Chaos/", $"/src/{project}/", StringComparison.Ordinal),
        $"Orderwright.{project}.dll");
}

/// <summary>The latest output of a process, in two alternating files.</summary>
sealed class BoundedLog(string file) : IDisposable
{
    const int MostBytes = 8_000_000;

    readonly Lock gate = new();
    StreamWriter writer = new(file) { AutoFlush = true };

    public void Write(string line)
    {
        lock (gate)
        {
            if (writer.BaseStream.Length > MostBytes)
            {
                writer.Dispose();
                File.Move(file, file + ".1", overwrite: true);
                writer = new StreamWriter(file) { AutoFlush = true };
            }
            writer.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {line}");
        }
    }

    public void Dispose() => writer.Dispose();
}
