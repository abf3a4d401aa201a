using Npgsql;
using Orderwright.LocalServers;

[assembly: AssemblyFixture(typeof(Orderwright.Conformance.Servers))]

namespace Orderwright.Conformance;

/// <summary>
/// Servers for the suites: a server per kind for the whole run, started for the first test in need. With
/// <c>ORDERWRIGHT_TEST_POSTGRES</c>, a connection string of a role that may create databases and end connections, an existing
/// PostgreSQL server is used.
/// </summary>
public sealed class Servers : IAsyncLifetime
{
    // Not CreateTempSubdirectory, which excludes other users: started by root, the server runs as another user.
    readonly string directory = Directory.CreateDirectory(
        Path.Combine(Path.GetTempPath(), $"orderwright-conformance-{Environment.ProcessId}")).FullName;

    readonly string? givenPostgres = Environment.GetEnvironmentVariable("ORDERWRIGHT_TEST_POSTGRES");
    readonly Lazy<Task<PrivatePostgres>> postgres;

    public Servers() =>
        postgres = new(() => StartPostgresAsync("postgres", "autovacuum_naptime=1min"));

    public ValueTask InitializeAsync() => default;

    /// <summary>The obstacle to PostgreSQL on this machine, or null.</summary>
    public string? LacksPostgres => givenPostgres is null ? Machine.LacksPostgres : null;

    /// <summary>Skips the calling test where PostgreSQL is unavailable.</summary>
    public void RequirePostgres() => Machine.Require(LacksPostgres);

    /// <summary>
    /// Connection string of the PostgreSQL server with administrative rights, to the database <c>postgres</c>.
    /// </summary>
    public async Task<NpgsqlConnectionStringBuilder> PostgresAsync()
    {
        RequirePostgres();
        return new(givenPostgres ?? (await postgres.Value).ConnectionString());
    }

    /// <summary>True if the PostgreSQL server was started for this run, and ends with the run.</summary>
    public bool PostgresIsOurs => givenPostgres is null;

    /// <summary>Starts a separate PostgreSQL server with settings in the form of postgresql.conf.</summary>
    public Task<PrivatePostgres> StartPostgresAsync(string name, params string[] settings)
    {
        Machine.Require(Machine.LacksPostgres);
        return PrivatePostgres.StartAsync(Path.Combine(directory, name), settings: settings);
    }

    public async ValueTask DisposeAsync()
    {
        if (postgres is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            await (await postgres.Value).DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
