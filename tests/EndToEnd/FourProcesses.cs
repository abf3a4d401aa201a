using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using RabbitMQ.Client;

namespace Orderwright.EndToEnd;

/// <summary>
/// <c>up</c> as a user runs it: four service processes on a private PostgreSQL and RabbitMQ, in a directory that is deleted
/// at the end.
/// </summary>
public sealed class FourProcesses : IAsyncLifetime
{
    // The last line of a start with --demo.
    const string Ready = "The demo shop has ";

    static readonly (string Name, string Project)[] Services =
    [
        ("saga-coordinator", "SagaCoordinator"), ("order-service", "OrderService"),
        ("customer-service", "CustomerService"), ("stock-service", "StockService"),
    ];

    static readonly TimeSpan StartLimit = Waiting.HangLimit;

    static int nextPorts = 10_000 + Environment.ProcessId % 1_000 * 4;

    readonly StringBuilder output = new();
    readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly int port = FreePorts();
    Process process = null!;
    HttpClient[] clients = [];

    /// <summary>Directory of the servers; PostgreSQL's user must be able to enter it.</summary>
    public string Data { get; } = Path.Combine("/tmp", $"orderwright-up-{Environment.ProcessId}");

    /// <summary>The last 8,000 characters that <c>up</c> and its services wrote.</summary>
    public string LastLines
    {
        get
        {
            lock (output) return output.ToString(int.Max(0, output.Length - 8_000), int.Min(output.Length, 8_000));
        }
    }

    public int ProcessId => process.Id;

    public HttpClient Coordinator => ClientAt(0);

    public HttpClient Orders => ClientAt(1);

    public HttpClient Customers => ClientAt(2);

    public HttpClient Stock => ClientAt(3);

    public async ValueTask InitializeAsync()
    {
        if (Machine.LacksServers is not null) return;
        process = Start("up", "--demo", "--data", Data, "--port", port.ToString(CultureInfo.InvariantCulture));
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var ended = process.WaitForExitAsync();
        if (await Task.WhenAny(ready.Task, ended).WaitAsync(StartLimit) == ended)
            throw new InvalidOperationException($"up ended: {output}");
        clients = [Client(0), Client(1), Client(2), Client(3)];
    }

    public async ValueTask DisposeAsync()
    {
        if (Machine.LacksServers is not null) return;
        // SIGTERM rather than SIGINT, which a process started in the background by a script ignores.
        using (var end = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await end.WaitForExitAsync();
        using var limit = new CancellationTokenSource(StartLimit);
        await process.WaitForExitAsync(limit.Token);
        process.Dispose();
        foreach (var client in clients) client.Dispose();
        Directory.Delete(Data, recursive: true);
    }

    /// <summary>Runs the tool against this <c>up</c> and returns its exit code and output.</summary>
    public Task<(int ExitCode, string Output)> ToolAsync(params string[] arguments) =>
        SetBackClock.VerifyAsync(() => RunAsync(arguments), result => result.Output);

    async Task<(int ExitCode, string Output)> RunAsync(string[] arguments)
    {
        Machine.Require(Machine.LacksServers);
        using var tool = Start(arguments);
        using var limit = new CancellationTokenSource(StartLimit);
        var text = await Task.WhenAll(
            tool.StandardOutput.ReadToEndAsync(limit.Token), tool.StandardError.ReadToEndAsync(limit.Token));
        await tool.WaitForExitAsync(limit.Token);
        return (tool.ExitCode, string.Concat(text));
    }

    /// <summary>Kills a service (SIGKILL), which <c>up</c> restarts.</summary>
    public Task KillAsync(string project) => SignalAsync("-KILL", project);

    /// <summary>Suspends a service (SIGSTOP) until resumed.</summary>
    public Task SuspendAsync(string project) => SignalAsync("-STOP", project);

    public Task ResumeAsync(string project) => SignalAsync("-CONT", project);

    Task SignalAsync(string signal, string project) =>
        RunAsync("pkill", signal, "-P", process.Id.ToString(CultureInfo.InvariantCulture), "-f", $"Orderwright.{project}.dll");

    /// <summary>Kills the broker (SIGKILL), which <c>up</c> restarts.</summary>
    public Task KillBrokerAsync() => RunAsync("pkill", "-KILL", "-f", $"home {Data}/rabbitmq");

    /// <summary>Suspends the broker (SIGSTOP) until resumed.</summary>
    public Task SuspendBrokerAsync() => RunAsync("pkill", "-STOP", "-f", $"home {Data}/rabbitmq");

    public Task ResumeBrokerAsync() => RunAsync("pkill", "-CONT", "-f", $"home {Data}/rabbitmq");

    /// <summary>Publishes a body to a service, connected as the user of another.</summary>
    public async Task PublishAsync(string user, string destination, params IEnumerable<string> bodies)
    {
        Machine.Require(Machine.LacksServers);
        var run = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "run.json")))!;
        await using var connection = await new ConnectionFactory { Uri = new((string)run["rabbitmq"]![user]!) }
            .CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new(
            publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        foreach (var body in bodies)
            await channel.BasicPublishAsync(
                "orderwright", $"{destination}.any", mandatory: true,
                new BasicProperties { ContentType = "application/cloudevents-batch+json", UserId = user },
                Encoding.UTF8.GetBytes(body));
    }

    /// <summary>Event with an envelope as a service writes it.</summary>
    public static JsonObject Event(string source, string type, string orderId, string? step, JsonObject data) => new()
    {
        ["specversion"] = "1.0", ["id"] = Guid.CreateVersion7().ToString(), ["source"] = $"/orderwright/{source}",
        ["type"] = type, ["subject"] = orderId, ["time"] = "2026-01-31T09:30:00.123Z", ["step"] = step, ["attempt"] = 1,
        ["data"] = data,
    };

    /// <summary>Kills PostgreSQL (SIGKILL), which <c>up</c> restarts and which recovers.</summary>
    public async Task KillDatabaseAsync() => await RunAsync(
        "kill", "-KILL", (await File.ReadAllLinesAsync(Path.Combine(Data, "postgres", "cluster", "postmaster.pid")))[0]);

    /// <summary>Kills the broker (SIGKILL) and deletes its data; <c>up</c> restarts it empty.</summary>
    public async Task WipeBrokerAsync()
    {
        // The directory is renamed first, so that no process writes into the part being deleted.
        var gone = Path.Combine(Data, "gone");
        Directory.Move(Path.Combine(Data, "rabbitmq", "mnesia"), gone);
        await KillBrokerAsync();
        Directory.Delete(gone, recursive: true);
    }

    /// <summary>Starts another instance of every service on the same databases and broker; completes once ready.</summary>
    public async Task<FurtherInstances> StartFurtherInstancesAsync()
    {
        Machine.Require(Machine.LacksServers);
        var run = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "run.json")))!;
        var first = FreePorts();
        var instances = new FurtherInstances(
            [.. Services.Select((service, offset) => StartService(
                service.Project, (string)run["postgres"]![service.Name]!, (string)run["rabbitmq"]![service.Name]!,
                first + offset))],
            [.. Services.Select((_, offset) => Client(first - port + offset))]);
        foreach (var client in instances.Clients)
        {
            using var limit = new CancellationTokenSource(StartLimit);
            while (!await IsReadyAsync(client)) await Task.Delay(100, limit.Token);
        }
        return instances;
    }

    static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            return (await client.AskAsync("/health/ready")).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    static Process StartService(string project, string database, string broker, int port)
    {
        var start = new ProcessStartInfo("dotnet", [HttpHost.ProgramOf(project)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ORDERWRIGHT_DATABASE"] = database;
        start.Environment["ORDERWRIGHT_TRANSPORT"] = broker;
        start.Environment["ORDERWRIGHT_LISTEN"] = $"http://127.0.0.1:{port}";
        var service = Process.Start(start)!;
        service.BeginOutputReadLine(); // Output is read and dropped, since a full pipe would block the service.
        service.BeginErrorReadLine();
        return service;
    }

    Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [HttpHost.ProgramOf("Cli"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys
            .Where(name => name.StartsWith("ORDERWRIGHT_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["ORDERWRIGHT_URL"] = $"http://127.0.0.1:{port}";
        return Process.Start(start)!;
    }

    HttpClient ClientAt(int offset)
    {
        Machine.Require(Machine.LacksServers);
        return clients[offset];
    }

    HttpClient Client(int offset) => new()
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port + offset}"),
        Timeout = TimeSpan.FromMinutes(2),
    };

    static async Task RunAsync(string program, params string[] arguments)
    {
        using var run = Process.Start(program, arguments);
        await run.WaitForExitAsync();
        Assert.Equal(0, run.ExitCode);
    }

    /// <summary>
    /// The first of four consecutive free ports: the services' ports follow the coordinator's. No two callers get the same.
    /// Servers take theirs from 15,000 up, and outgoing connections from the system's range.
    /// </summary>
    public static int FreePorts()
    {
        while (true)
        {
            var first = Interlocked.Add(ref nextPorts, 4);
            try
            {
                for (var offset = 0; offset < 4; offset++)
                {
                    using var listener = new TcpListener(IPAddress.Loopback, first + offset);
                    listener.Start();
                }
                return first;
            }
            catch (SocketException)
            {
                // A port is in use; try the next four.
            }
        }
    }

    void Take(string? line)
    {
        if (line is null) return;
        lock (output) output.AppendLine(line);
        if (line.StartsWith(Ready, StringComparison.Ordinal)) ready.TrySetResult();
    }
}

/// <summary>The fixture of the suites that share an <c>up</c>.</summary>
[CollectionDefinition("up")]
public sealed class UpCollection : ICollectionFixture<FourProcesses>;

/// <summary>Another instance of every service, killed on disposal.</summary>
/// <param name="Processes">Coordinator, order-service, customer-service, stock-service.</param>
/// <param name="Clients">Clients of the same.</param>
public sealed record FurtherInstances(IReadOnlyList<Process> Processes, IReadOnlyList<HttpClient> Clients) : IDisposable
{
    public HttpClient Orders => Clients[1];

    public void Dispose()
    {
        foreach (var process in Processes)
        {
            process.Kill();
            process.Dispose();
        }
        foreach (var client in Clients) client.Dispose();
    }
}
