using Npgsql;
using Orderwright.LocalServers;

[assembly: AssemblyFixture(typeof(Orderwright.Conformance.Servers))]

namespace Orderwright.Conformance;

/// <summary>
/// The servers that the suites run against: one of each kind for the whole run, started when the first test asks. Set
/// <c>ORDERWRIGHT_TEST_POSTGRES</c> to a connection string, of a role that may create databases and end connections, to
/// use a PostgreSQL server that is there.
/// </summary>
public sealed class Servers : IAsyncLifetime
{
    // Not CreateTempSubdirectory, which lets nobody else in: started by root, the server runs as another user.
    readonly string directory = Directory.CreateDirectory(
        Path.Combine(Path.GetTempPath(), $"orderwright-conformance-{Environment.ProcessId}")).FullName;

    readonly string? givenPostgres = Environment.GetEnvironmentVariable("ORDERWRIGHT_TEST_POSTGRES");
    readonly Lazy<Task<PrivatePostgres>> postgres;

    public Servers() =>
        postgres = new(() => StartPostgresAsync("postgres"));

    public ValueTask InitializeAsync() => default;

    /// <summary>How to reach the PostgreSQL server, as a role that may do everything; its database is <c>postgres</c>.</summary>
    public async Task<NpgsqlConnectionStringBuilder> PostgresAsync() =>
        new(givenPostgres ?? (await postgres.Value).ConnectionString());

    /// <summary>Whether the PostgreSQL server was started for this run, and ends with it.</summary>
    public bool PostgresIsOurs => givenPostgres is null;

    /// <summary>A PostgreSQL server of the caller's own, with settings as in postgresql.conf.</summary>
    public Task<PrivatePostgres> StartPostgresAsync(string name, params string[] settings) =>
        PrivatePostgres.StartAsync(Path.Combine(directory, name), settings: settings);

    public async ValueTask DisposeAsync()
    {
        if (postgres is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await postgres.Value).DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
