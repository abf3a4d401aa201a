using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Cli;

/// <summary>Database opened for reading, and its place for people.</summary>
sealed record OpenedDatabase(string Service, IDatabase Database, string Place);

/// <summary>Opens the four services' databases for reading: of <c>dev</c>, of <c>up</c>, or on a given server.</summary>
static class ServiceDatabases
{
    /// <param name="data">Directory with SQLite files or a run.json; its subdirectory <c>up</c> is searched too.</param>
    /// <param name="postgres">Address of a PostgreSQL server, without a database name; replaces <paramref name="data"/>.</param>
    /// <param name="gateway">Data directory of the sandbox gateway, to open its database as well; null for none.</param>
    public static IReadOnlyList<OpenedDatabase> Open(string data, string? postgres, string? gateway)
    {
        var places = Addresses(data, postgres).Select(pair => (Service: pair.Key, Address: pair.Value)).ToList();
        if (gateway is not null)
            places.Add(File.Exists(Path.Combine(gateway, $"{Verifier.Gateway}.db"))
                ? (Verifier.Gateway, $"sqlite:{gateway}")
                : throw new ToolException(
                    Exit.Usage, $"{Path.GetFullPath(gateway)} does not hold the database of ./orderwright gateway."));
        return
        [
            .. places.Select(place => new OpenedDatabase(
                place.Service, Databases.Open(place.Address, place.Service, new RuntimeOptions()),
                Databases.Place(place.Address, place.Service))),
        ];
    }

    /// <summary>Addresses of the databases, by service; see <see cref="Open"/>.</summary>
    public static IReadOnlyDictionary<string, string> Addresses(string data, string? postgres) => postgres is not null
        ? ServiceNames.All.ToDictionary(service => service, _ => postgres)
        : AddressesIn(data) ?? throw new ToolException(
            Exit.Usage,
            $"{Path.GetFullPath(data)} holds neither the SQLite files of ./orderwright dev nor the run.json of " +
            "./orderwright up. Pass the directory with --data, or a PostgreSQL server with --postgres.");

    /// <summary>Addresses found in a data directory or its subdirectory <c>up</c>; null for none.</summary>
    public static IReadOnlyDictionary<string, string>? AddressesIn(string data) =>
        Read(data) ?? Read(Path.Combine(data, "up"));

    /// <summary>
    /// The reason why the server at <c>ORDERWRIGHT_URL</c> reads other databases than these; null when it reads these. Databases
    /// are told apart by the time of their creation, and a copy by the newest order, which it lacks.
    /// </summary>
    /// <param name="verifier">Reader of the databases.</param>
    /// <param name="read">Identity of the databases, from <see cref="Verifier.IdentifyAsync"/>.</param>
    /// <param name="cancel">Cancels the calls.</param>
    /// <exception cref="ApiException">The server does not reply.</exception>
    public static async Task<string?> DifferenceFromServerAsync(
        Verifier verifier, IReadOnlyList<DatabaseRead> read, CancellationToken cancel)
    {
        var client = await Server.ConnectAsync(cancel);
        var theirs = new Dictionary<string, DateTimeOffset>();
        foreach (var process in client.Addresses.Processes)
        {
            var health = (await client.GetHealthAsync(process, cancel)).RequireReply();
            if (health.Body.Part("databases") is not { } databases)
                return "does not tell which databases it reads: an older version, or ORDERWRIGHT_KEY lacks the scope operator";
            foreach (var database in databases.EnumerateObject())
                if (database.Value.ValueKind == JsonValueKind.String)
                    theirs[database.Name] = database.Value.GetDateTimeOffset();
        }
        foreach (var (service, since) in read)
            if (service != Verifier.Gateway && theirs.TryGetValue(service, out var other) && other != since)
                return $"reads a database of {service} created {other:yyyy-MM-dd HH:mm:ss.fff} UTC; "
                    + $"this one was created {since:yyyy-MM-dd HH:mm:ss.fff} UTC";
        // Read second: the order was committed before the server named it.
        var newest = await client.GetAsync(ServiceNames.Order, "/orders?limit=1", cancel);
        foreach (var order in newest.IsSuccess ? newest.Items : [])
            if (Guid.TryParse(order.Text("id"), out var id) && !await verifier.HasOrderAsync(id, cancel))
                return $"has an order {id}, which is missing here: this is a copy, or was restored from one";
        return null;
    }

    static Dictionary<string, string>? Read(string directory)
    {
        var run = Path.Combine(directory, "run.json");
        if (File.Exists(run))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(run));
            return document.RootElement.GetProperty("postgres").EnumerateObject()
                .ToDictionary(service => service.Name, service => service.Value.GetString()!);
        }
        return ServiceNames.All.All(service => File.Exists(Path.Combine(directory, $"{service}.db")))
            ? ServiceNames.All.ToDictionary(service => service, _ => $"sqlite:{directory}")
            : null;
    }
}
