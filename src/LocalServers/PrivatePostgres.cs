using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Orderwright.LocalServers;

/// <summary>
/// A private PostgreSQL server started from the installed binaries, with a data directory, a free loopback port and a
/// password. Durable (<c>fsync</c> and <c>synchronous_commit</c> on). Disposal stops the server and keeps the data.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    const string User = "orderwright";
    readonly string binaries;
    readonly string logFile;
    IReadOnlyList<string> ownSettings = [];
    Process process;

    PrivatePostgres(string directory, string binaries, int port, string password, string logFile)
    {
        Home = directory;
        this.binaries = binaries;
        this.logFile = logFile;
        Port = port;
        Password = password;
        process = null!;
    }

    public int Port { get; }

    public string Password { get; }

    /// <summary>Directory of the data, the log and the password.</summary>
    public string Home { get; }

    public int ProcessId => process.Id;

    /// <summary>Npgsql connection string of a database, as its owner.</summary>
    public string ConnectionString(string database = "postgres") =>
        $"Host=127.0.0.1;Port={Port};Username={User};Password={Password};Database={database}";

    /// <summary>URL of a database as its owner, with this server and its standbys.</summary>
    public string UrlWith(string database, params IEnumerable<PrivatePostgres> standbys) =>
        $"postgres://{User}:{Password}@{string.Join(',', standbys.Prepend(this).Select(server => $"127.0.0.1:{server.Port}"))}"
        + $"/{database}?target_session_attrs=read-write";

    /// <summary>Directory of <c>postgres</c> and <c>initdb</c>, or null when PostgreSQL is not installed.</summary>
    public static string? FindBinaries() =>
        new[] { "/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/pgsql" }
            .Where(Directory.Exists)
            .SelectMany(Directory.GetDirectories)
            .Select(folder => Path.Combine(folder, "bin"))
            .Where(folder => File.Exists(Path.Combine(folder, "initdb")))
            .OrderByDescending(folder => folder, StringComparer.Ordinal)
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
                .Where(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres"))))
            .FirstOrDefault();

    /// <summary>
    /// Starts a server on <paramref name="directory"/>, which is created or reused from an earlier run. Settings are
    /// <c>name=value</c> pairs for postgresql.conf.
    /// </summary>
    public static async Task<PrivatePostgres> StartAsync(
        string directory, int? port = null, IEnumerable<string>? settings = null, CancellationToken cancel = default)
    {
        var binaries = FindBinaries() ?? throw new MissingServerException(
            "PostgreSQL is not installed here. On Debian: apt-get install postgresql. Or name a server: --postgres URL.");
        directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(directory);
        var passwordFile = Path.Combine(directory, "password");
        if (!File.Exists(passwordFile))
            await File.WriteAllTextAsync(passwordFile, Convert.ToHexString(RandomNumberGenerator.GetBytes(16)), cancel);
        var server = new PrivatePostgres(
            directory, binaries, port ?? ServerProcess.FreePort(), await File.ReadAllTextAsync(passwordFile, cancel),
            Path.Combine(directory, "postgres.log"));
        await server.OwnAsync(cancel);
        await server.CreateClusterAsync(cancel);
        server.ownSettings = [.. settings ?? []];
        await server.RestartAsync(cancel);
        return server;
    }

    /// <summary>
    /// Starts a standby on an empty directory, as a copy of this server that follows by streaming under the name
    /// <c>standby</c>.
    /// </summary>
    /// <param name="standbyDirectory">Directory of the copy.</param>
    /// <param name="port">Default: any free port.</param>
    /// <param name="cancel">Ends the start.</param>
    public async Task<PrivatePostgres> StartStandbyAsync(
        string standbyDirectory, int? port = null, CancellationToken cancel = default)
    {
        standbyDirectory = Path.GetFullPath(standbyDirectory);
        Directory.CreateDirectory(standbyDirectory);
        await File.WriteAllTextAsync(Path.Combine(standbyDirectory, "password"), Password, cancel);
        var standby = new PrivatePostgres(
            standbyDirectory, binaries, port ?? ServerProcess.FreePort(), Password,
            Path.Combine(standbyDirectory, "postgres.log"));
        await standby.OwnAsync(cancel);
        var source = $"host=127.0.0.1 port={Port} user={User} password={Password} application_name=standby";
        var (program, arguments) = AsServerUser(
            Path.Combine(binaries, "pg_basebackup"),
            ["-D", standby.Cluster, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync"]);
        await ServerProcess.RunAsync(program, arguments, cancel: cancel);
        standby.ownSettings = ownSettings;
        await standby.RestartAsync(cancel);
        return standby;
    }

    /// <summary>Ends the recovery of a standby; completes when the server accepts writes.</summary>
    public async Task PromoteAsync(CancellationToken cancel = default)
    {
        while (!await IsReadyAsync(cancel)) await Task.Delay(100, cancel);
        await PsqlAsync("SELECT pg_promote(true, 60)", cancel);
        while ((await PsqlAsync("SELECT pg_is_in_recovery()", cancel)).Trim() != "f") await Task.Delay(100, cancel);
    }

    /// <summary>Sends a signal to a process of this server, such as the receiver of a standby.</summary>
    public static Task SignalAsync(int processId, string signal) => ServerProcess.RunAsync(
        "kill", [$"-{signal}", processId.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>Runs a query in a database as the server's owner; returns the output of psql, trimmed.</summary>
    public async Task<string> AskAsync(string database, string sql, CancellationToken cancel = default) =>
        (await PsqlAsync(sql, cancel, database)).Trim();

    /// <summary>Creates a login role and a database owned by the role, unless they exist.</summary>
    public async Task CreateDatabaseAsync(string database, string role, string password, CancellationToken cancel = default)
    {
        await PsqlAsync(
            $"""
            DO $$ BEGIN
              IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE "{role}" LOGIN PASSWORD '{password}';
              END IF;
            END $$
            """, cancel);
        if ((await PsqlAsync($"SELECT 1 FROM pg_database WHERE datname = '{database}'", cancel)).Trim() != "1")
            await PsqlAsync($"CREATE DATABASE \"{database}\" OWNER \"{role}\"", cancel);
    }

    /// <summary>Kills the postmaster and its children (SIGKILL): to clients, a power cut.</summary>
    public async Task KillAsync()
    {
        await ServerProcess.RunAsync("pkill", ["-KILL", "-P", ProcessId.ToString(CultureInfo.InvariantCulture)])
            .ContinueWith(_ => { }, TaskScheduler.Default);
        ServerProcess.Signal(process, 9);
        await process.WaitForExitAsync();
    }

    /// <summary>Restarts on the same data and port, with the same settings.</summary>
    public async Task RestartAsync(CancellationToken cancel = default)
    {
        File.Delete(Path.Combine(Cluster, "postmaster.pid"));
        // Few buffers: each connection is a process that has to touch every buffer itself (docs/adr/0025).
        string[] all =
        [
            $"port={Port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
            "shared_buffers=64MB", "max_wal_size=4GB", "checkpoint_timeout=15min", "wal_compression=lz4",
            "autovacuum_naptime=5s", "jit=off", .. ownSettings,
        ];
        var (program, arguments) = AsServerUser(
            Path.Combine(binaries, "postgres"), ["-D", Cluster, .. all.SelectMany(setting => new[] { "-c", setting })]);
        process = ServerProcess.Start(program, arguments, logFile);
        await ServerProcess.WaitUntilAsync(
            "PostgreSQL", process, logFile, async () => await ServerProcess.AnswersAsync(Port) && await IsReadyAsync(cancel),
            TimeSpan.FromSeconds(60), cancel);
    }

    /// <summary>Deletes the data of a server that has ended.</summary>
    public void DeleteData() => Directory.Delete(Cluster, recursive: true);

    /// <summary>Completes when the server process has ended for any reason.</summary>
    public Task WaitForExitAsync(CancellationToken cancel) => process.WaitForExitAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        ServerProcess.Signal(process, 2); // SIGINT: fast shutdown, which disconnects clients and checkpoints.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
        }
        process.Dispose();
    }

    // PostgreSQL refuses to run as root; there the server runs as the user postgres, created by the package.
    async Task OwnAsync(CancellationToken cancel)
    {
        if (ServerProcess.IsRoot)
            await ServerProcess.RunAsync("chown", ["-R", "postgres", Home], cancel: cancel);
    }

    async Task CreateClusterAsync(CancellationToken cancel)
    {
        if (File.Exists(Path.Combine(Cluster, "PG_VERSION"))) return;
        var (program, arguments) = AsServerUser(
            Path.Combine(binaries, "initdb"),
            ["-D", Cluster, "-U", User, "--pwfile", Path.Combine(Home, "password"), "-A", "scram-sha-256", "-E", "UTF8",
                "--locale=C", "--no-sync"]);
        await ServerProcess.RunAsync(program, arguments, cancel: cancel);
    }

    string Cluster => Path.Combine(Home, "cluster");

    async Task<bool> IsReadyAsync(CancellationToken cancel)
    {
        try
        {
            return (await PsqlAsync("SELECT 1", cancel)).Trim() == "1";
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Runs statements in a database as the server's owner.</summary>
    public Task AdministerAsync(string database, string sql, CancellationToken cancel = default) =>
        PsqlAsync(sql, cancel, database);

    Task<string> PsqlAsync(string sql, CancellationToken cancel, string database = "postgres") =>
        ServerProcess.RunAsync(
            Path.Combine(binaries, "psql"),
            ["-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", User, "-d", database, "-qtAX",
                "-v", "ON_ERROR_STOP=1", "-c", sql],
            new Dictionary<string, string> { ["PGPASSWORD"] = Password }, cancel);

    static (string Program, string[] Arguments) AsServerUser(string program, string[] arguments) =>
        ServerProcess.IsRoot
            ? ("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", program, .. arguments])
            : (program, arguments);
}
