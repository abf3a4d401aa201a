using Npgsql;
using Orderwright.LocalServers;

[assembly: AssemblyFixture(typeof(Orderwright.Conformance.Servers))]

namespace Orderwright.Conformance;

/// <summary>
/// The servers under the suites: a single one of each kind for the whole run, started by the first test that needs it. To use
/// an existing PostgreSQL server, set <c>ORDERWRIGHT_TEST_POSTGRES</c> to the connection string of a role that may create
/// databases and end connections.
/// </summary>
public sealed class Servers : IAsyncLifetime
{
    // CreateTempSubdirectory would exclude other users, and started by root the server runs as one.
    readonly string directory = Directory.CreateDirectory(
        Path.Combine(Path.GetTempPath(), $"orderwright-conformance-{Environment.ProcessId}")).FullName;

    readonly string? givenPostgres = Environment.GetEnvironmentVariable("ORDERWRIGHT_TEST_POSTGRES");
    readonly Lazy<Task<PrivatePostgres>> postgres;

    public Servers() =>
        postgres = new(() => StartPostgresAsync("postgres"));

    public ValueTask InitializeAsync() => default;

    /// <summary>The reason why PostgreSQL is unavailable; null when it is available.</summary>
    public string? LacksPostgres => givenPostgres is null ? Machine.LacksPostgres : null;

    /// <summary>Skips the calling test where PostgreSQL is unavailable.</summary>
    public void RequirePostgres() => Machine.Require(LacksPostgres);

    /// <summary>Connection settings of the PostgreSQL server for a superuser and the database <c>postgres</c>.</summary>
    public async Task<NpgsqlConnectionStringBuilder> PostgresAsync()
    {
        RequirePostgres();
        return new(givenPostgres ?? (await postgres.Value).ConnectionString());
    }

    /// <summary>True when the PostgreSQL server was started for this run and ends with it.</summary>
    public bool PostgresIsOurs => givenPostgres is null;

    /// <summary>Starts a PostgreSQL server for the caller alone, with settings as in postgresql.conf.</summary>
    public Task<PrivatePostgres> StartPostgresAsync(string name, params string[] settings)
    {
        Machine.Require(Machine.LacksPostgres);
        return PrivatePostgres.StartAsync(Path.Combine(directory, name), settings: settings);
    }

    public async ValueTask DisposeAsync()
    {
        if (postgres is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await postgres.Value).DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
