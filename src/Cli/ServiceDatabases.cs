using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Cli;

/// <summary>Opens the four services' databases for reading: of <c>dev</c>, of <c>up</c>, or on a given server.</summary>
static class ServiceDatabases
{
    /// <param name="data">Directory with SQLite files or a run.json; its subdirectory <c>up</c> is searched too.</param>
    /// <param name="postgres">Address of a PostgreSQL server, without a database name; replaces <paramref name="data"/>.</param>
    /// <param name="gateway">Data directory of the sandbox gateway, to open its database as well; null for none.</param>
    public static IReadOnlyDictionary<string, IDatabase> Open(string data, string? postgres, string? gateway)
    {
        var addresses = postgres is not null
            ? ServiceNames.All.ToDictionary(service => service, _ => postgres)
            : AddressesIn(data) ?? AddressesIn(Path.Combine(data, "up"))
                ?? throw new ToolException(
                    Exit.Usage,
                    $"{Path.GetFullPath(data)} holds neither the SQLite files of ./orderwright dev nor the run.json of " +
                    "./orderwright up. Pass the directory with --data, or a PostgreSQL server with --postgres.");
        var places = addresses.Select(pair => (Service: pair.Key, Address: pair.Value)).ToList();
        if (gateway is not null)
            places.Add(File.Exists(Path.Combine(gateway, $"{Verifier.Gateway}.db"))
                ? (Verifier.Gateway, $"sqlite:{gateway}")
                : throw new ToolException(
                    Exit.Usage, $"{Path.GetFullPath(gateway)} does not hold the database of ./orderwright gateway."));
        return places.ToDictionary(
            place => place.Service, place => Databases.Open(place.Address, place.Service, new RuntimeOptions()));
    }

    static Dictionary<string, string>? AddressesIn(string directory)
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
