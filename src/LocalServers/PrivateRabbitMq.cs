using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Orderwright.LocalServers;

/// <summary>Writes RabbitMQ definitions, given the password of each user.</summary>
public delegate string BrokerDefinitions(Func<string, string> passwordOf);

/// <summary>
/// A private RabbitMQ node started from the installed program, with a data directory, free loopback ports, a user other
/// than guest and its own port mapper. Disposal stops the node and keeps the data.
/// </summary>
public sealed class PrivateRabbitMq : IAsyncDisposable
{
    const string User = "orderwright";
    const int SignalKill = 9;
    const int SignalContinue = 18;
    const int SignalStop = 19;
    readonly string directory;
    readonly string password;
    readonly IReadOnlyList<string> settings;
    readonly Dictionary<string, string> environment;
    Process process = null!;

    PrivateRabbitMq(string directory, int port, string password, IReadOnlyList<string> settings)
    {
        this.directory = directory;
        this.password = password;
        this.settings = settings;
        Port = port;
        environment = new Dictionary<string, string>
        {
            ["RABBITMQ_NODENAME"] = $"orderwright-{port}@localhost",
            ["RABBITMQ_DIST_PORT"] = Text(ServerProcess.FreePort()),
            ["ERL_EPMD_PORT"] = Text(ServerProcess.FreePort()),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(directory, "rabbitmq.conf"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(directory, "enabled_plugins"),
            ["RABBITMQ_MNESIA_BASE"] = DataDirectory,
            ["RABBITMQ_LOG_BASE"] = Path.Combine(directory, "log"),
            ["RABBITMQ_PID_FILE"] = Path.Combine(directory, "pid"),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
            ["HOME"] = directory,
        };
    }

    public int Port { get; }

    public int ProcessId => process.Id;

    /// <summary>URL of the administrator.</summary>
    public string Url => UrlOf(User, password, []);

    /// <summary>URL of the administrator that names this node and other members of the cluster.</summary>
    public string UrlWith(IEnumerable<PrivateRabbitMq> members) => UrlOf(User, password, members);

    /// <summary>URL of a user in the node's definitions, with this node and other members of the cluster.</summary>
    public string UrlOf(string user, params IEnumerable<PrivateRabbitMq> members) => UrlOf(user, PasswordOf(user), members);

    /// <summary>Storage of queues and messages; <see cref="WipeAsync"/> deletes the directory.</summary>
    public string DataDirectory => Path.Combine(directory, "mnesia");

    // Debian's /usr/sbin/rabbitmq-server switches to the user rabbitmq, who may not write here; start the wrapped program
    // instead.
    public static string? FindProgram() =>
        new[] { "/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/homebrew/sbin/rabbitmq-server" }
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
                .Select(folder => Path.Combine(folder, "rabbitmq-server")))
            .FirstOrDefault(File.Exists);

    /// <param name="directory">Data, logs and configuration; created or reused from an earlier run.</param>
    /// <param name="port">Default: any free port.</param>
    /// <param name="definitions">Users, rights and objects beside the administrator, loaded at every start.</param>
    /// <param name="settings">Additional lines of rabbitmq.conf.</param>
    /// <param name="cancel">Stops waiting for the node.</param>
    public static Task<PrivateRabbitMq> StartAsync(
        string directory, int? port = null, BrokerDefinitions? definitions = null, IEnumerable<string>? settings = null,
        CancellationToken cancel = default) =>
        StartAsync(directory, port, definitions, first: null, [.. settings ?? []], cancel);

    /// <summary>Starts another node on an empty directory, in a cluster with this node.</summary>
    public async Task<PrivateRabbitMq> StartMemberAsync(string memberDirectory, CancellationToken cancel = default)
    {
        var member = await StartAsync(memberDirectory, port: null, definitions: null, first: this, settings, cancel);
        await member.ControlAsync(["stop_app"], cancel);
        await member.ControlAsync(["join_cluster", environment["RABBITMQ_NODENAME"]], cancel);
        await member.ControlAsync(["start_app"], cancel);
        await member.ControlAsync(["await_startup"], cancel);
        return member;
    }

    static async Task<PrivateRabbitMq> StartAsync(
        string directory, int? port, BrokerDefinitions? definitions, PrivateRabbitMq? first, IReadOnlyList<string> settings,
        CancellationToken cancel)
    {
        _ = FindProgram() ?? throw new MissingServerException(
            "RabbitMQ is not installed here. On Debian: apt-get install rabbitmq-server. Or name a broker: --rabbitmq URL.");
        directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(Path.Combine(directory, "log"));
        var passwordFile = Path.Combine(directory, "password");
        if (!File.Exists(passwordFile))
            await File.WriteAllTextAsync(passwordFile, Convert.ToHexString(RandomNumberGenerator.GetBytes(16)), cancel);
        var node = new PrivateRabbitMq(
            directory, port ?? ServerProcess.FreePort(), first?.password ?? await File.ReadAllTextAsync(passwordFile, cancel),
            settings);
        // The nodes of a cluster share the port mapper, and the cookie in the home directory.
        if (first is not null)
            foreach (var shared in new[] { "ERL_EPMD_PORT", "HOME" }) node.environment[shared] = first.environment[shared];
        await File.WriteAllTextAsync(
            node.environment["RABBITMQ_CONFIG_FILE"],
            $"""
            listeners.tcp.local = 127.0.0.1:{node.Port}
            load_definitions = {node.DefinitionsFile}
            log.file.level = warning
            {string.Join('\n', settings)}

            """, cancel);
        await node.WriteDefinitionsAsync(definitions, cancel);
        await File.WriteAllTextAsync(node.environment["RABBITMQ_ENABLED_PLUGINS_FILE"], "[].\n", cancel);
        await node.RestartAsync(cancel);
        return node;
    }

    /// <summary>Starts the node on its data, or on an empty directory after a wipe.</summary>
    public async Task RestartAsync(CancellationToken cancel = default)
    {
        var log = Path.Combine(directory, "log", "server.log");
        process = ServerProcess.Start(FindProgram()!, [], log, environment);
        await ServerProcess.WaitUntilAsync(
            "RabbitMQ", process, log, () => ServerProcess.AnswersAsync(Port), TimeSpan.FromMinutes(5), cancel);
    }

    /// <summary>Shuts the node down gracefully; clients lose their connections.</summary>
    public async Task StopAsync()
    {
        ServerProcess.Signal(process, 15);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await process.WaitForExitAsync(limit.Token);
            while (await ServerProcess.AnswersAsync(Port)) await Task.Delay(50, limit.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
        }
    }

    /// <summary>Kills the start script and the Erlang machine (SIGKILL); completes when the port is free.</summary>
    public async Task KillAsync()
    {
        ServerProcess.SignalGroup(process, SignalKill);
        await process.WaitForExitAsync();
        while (await ServerProcess.AnswersAsync(Port)) await Task.Delay(50);
    }

    /// <summary>Freezes the node until <see cref="Resume"/>: to the other nodes, a partition.</summary>
    public void Suspend() => ServerProcess.SignalGroup(process, SignalStop);

    /// <summary>Lets a frozen node run on.</summary>
    public void Resume() => ServerProcess.SignalGroup(process, SignalContinue);

    /// <summary>True if this node leads the quorum queue, according to this node.</summary>
    public async Task<bool> LeadsAsync(string queue, CancellationToken cancel = default)
    {
        var queues = (await ControlAsync(["list_queues", "-q", "name", "leader"], cancel)).Split('\n');
        return queues.Contains($"{queue}\t{environment["RABBITMQ_NODENAME"]}");
    }

    /// <summary>Kills the node and deletes its exchanges, queues, messages and users. Restart afterwards.</summary>
    public async Task WipeAsync()
    {
        await KillAsync();
        Directory.Delete(DataDirectory, recursive: true);
    }

    /// <summary>Completes when the node has ended for any reason.</summary>
    public Task WaitForExitAsync(CancellationToken cancel) => process.WaitForExitAsync(cancel);

    /// <summary>Runs <c>rabbitmqctl</c> against this node.</summary>
    public Task<string> ControlAsync(IEnumerable<string> arguments, CancellationToken cancel = default) =>
        RunToolAsync("rabbitmqctl", arguments, cancel);

    /// <summary>Completes when each quorum queue has a majority of running members without this node.</summary>
    public Task AwaitSpareMembersAsync(CancellationToken cancel = default) =>
        RunToolAsync("rabbitmq-upgrade", ["await_online_quorum_plus_one"], cancel);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        process.Dispose();
        // The node's private port mapper outlives the node.
        await ServerProcess.RunAsync("epmd", ["-kill"], environment).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    Task<string> RunToolAsync(string tool, IEnumerable<string> arguments, CancellationToken cancel) =>
        ServerProcess.RunAsync(Path.Combine(Path.GetDirectoryName(FindProgram())!, tool), arguments, environment, cancel);

    string DefinitionsFile => Path.Combine(directory, "definitions.json");

    string UrlOf(string user, string its, IEnumerable<PrivateRabbitMq> members)
    {
        var nodes = members.Prepend(this).Distinct().Select(node => $"127.0.0.1:{node.Port}");
        return $"amqp://{user}:{its}@{string.Join(',', nodes)}/";
    }

    // Derived from the administrator's, so that a second run computes equal passwords.
    string PasswordOf(string user) => Convert.ToHexString(HMACSHA256.HashData(
        Encoding.UTF8.GetBytes(password), Encoding.UTF8.GetBytes(user)))[..32];

    // The users belong to the definitions, because a wiped node starts with its definitions only.
    async Task WriteDefinitionsAsync(BrokerDefinitions? definitions, CancellationToken cancel)
    {
        var all = JsonNode.Parse(definitions?.Invoke(PasswordOf) ?? """{"vhosts":[{"name":"/"}],"users":[],"permissions":[]}""")!;
        all["users"]!.AsArray().Add(
            new JsonObject { ["name"] = User, ["password"] = password, ["tags"] = new JsonArray("administrator") });
        all["permissions"]!.AsArray().Add(
            new JsonObject { ["user"] = User, ["vhost"] = "/", ["configure"] = ".*", ["write"] = ".*", ["read"] = ".*" });
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var file = new FileStream(DefinitionsFile, options);
        await file.WriteAsync(Encoding.UTF8.GetBytes(all.ToJsonString()), cancel);
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
