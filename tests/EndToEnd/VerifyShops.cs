using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.EndToEnd;

/// <summary>
/// The databases of the demo shop after its process has stopped: orders with every outcome, one of them placed under an
/// Idempotency-Key. Tests open copies, and may damage one of the four.
/// </summary>
public abstract class VerifyShop : IAsyncLifetime
{
    readonly Dictionary<string, Guid> orders = [];
    readonly Dictionary<string, string> intact = [];

    public virtual bool IsPostgres => false;

    /// <summary>Id of the order with the given reference.</summary>
    public Guid this[string reference] => orders[reference];

    /// <summary>The reason why the databases cannot be created here; null when they can.</summary>
    protected virtual string? Lacks => null;

    public async ValueTask InitializeAsync()
    {
        if (Lacks is not null) return;
        var (data, arguments) = await MakeAsync();
        await using var host = await HttpHost.StartAsync(data, arguments);
        await host.WaitForAsync("The demo shop has");
        var keyed = await host.Client.PostAsync(
            "/api/v1/orders",
            """{"customerId":"ada","currency":"GBP","reference":"KEYED","lines":[{"sku":"SPN-01","quantity":1}]}""",
            ("Idempotency-Key", "one"), ("Prefer", "wait=20"));
        Assert.Equal(201, keyed.Status);
        foreach (var order in (await host.Client.AskAsync("/api/v1/orders")).Json["items"]!.AsArray().OfType<JsonNode>())
            orders[(string)order["reference"]!] = Guid.Parse((string)order["id"]!);
        // Confirmed orders are at rest a moment later.
        await Waiting.UntilAsync(async () =>
            (await host.Client.AskAsync("/api/v1/sagas?state=running")).Json["items"]!.AsArray().Count == 0);
        Assert.Equal(0, await host.StopAsync());
        foreach (var service in ServiceNames.All) intact[service] = await CopyAsync(service, "intact");
    }

    /// <summary>Opens the four databases, with a copy for the caller of the one to be damaged.</summary>
    public async Task<IReadOnlyDictionary<string, IDatabase>> OpenAsync(string? damaged = null)
    {
        Machine.Require(Lacks);
        var addresses = new Dictionary<string, string>(intact);
        if (damaged is not null)
            addresses[damaged] = await CopyAsync(damaged, Path.GetRandomFileName().Replace(".", "", StringComparison.Ordinal));
        return addresses.ToDictionary(
            pair => pair.Key, pair => Databases.Open(pair.Value, pair.Key, new RuntimeOptions()));
    }

    public abstract ValueTask DisposeAsync();

    /// <summary>Creates the databases: returns the data directory and further arguments of the process.</summary>
    protected abstract Task<(string? Data, string[] Arguments)> MakeAsync();

    /// <summary>Copies a database and returns the copy's address.</summary>
    protected abstract Task<string> CopyAsync(string service, string copy);
}

public sealed class SqliteVerifyShop : VerifyShop
{
    readonly string directory = HttpHost.NewDirectory();

    protected override Task<(string? Data, string[] Arguments)> MakeAsync() =>
        Task.FromResult<(string?, string[])>((directory, []));

    protected override Task<string> CopyAsync(string service, string copy)
    {
        var target = Directory.CreateDirectory(Path.Combine(directory, copy)).FullName;
        foreach (var file in Directory.GetFiles(directory, $"{service}.db*"))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        return Task.FromResult($"sqlite:{target}");
    }

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(directory, recursive: true);
        return default;
    }
}

public sealed class PostgresVerifyShop : VerifyShop
{
    // CreateTempSubdirectory would exclude other users, and a server started by root runs as another user.
    readonly string directory = Directory.CreateDirectory(Path.Combine(
        Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"orderwright-verify-{Environment.ProcessId}"))).FullName;

    PrivatePostgres? server;

    public override bool IsPostgres => true;

    protected override string? Lacks => Machine.LacksPostgres;

    protected override async Task<(string? Data, string[] Arguments)> MakeAsync()
    {
        server = await PrivatePostgres.StartAsync(directory);
        var arguments = new List<string>();
        foreach (var word in ServiceNames.All.Select(Databases.WordOf))
        {
            await AdministerAsync($"CREATE DATABASE orderwright_{word}");
            arguments.AddRange([$"--database-{word}", server.ConnectionString($"orderwright_{word}")]);
        }
        return (null, [.. arguments]);
    }

    protected override async Task<string> CopyAsync(string service, string copy)
    {
        var name = $"{copy}_{Databases.WordOf(service)}";
        await AdministerAsync($"CREATE DATABASE \"{name}\" TEMPLATE orderwright_{Databases.WordOf(service)}");
        return server!.ConnectionString(name);
    }

    public override async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    async Task AdministerAsync(string statement)
    {
        await using var connection = new NpgsqlConnection(server!.ConnectionString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}
