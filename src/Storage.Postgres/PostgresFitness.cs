using Npgsql;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>Settings of a server, role or database under which confirmed commits could be lost.</summary>
static class PostgresFitness
{
    /// <summary>Sentence about a value that must not be used; null for any other.</summary>
    public static string? Why(string setting, string? value)
    {
        var means = (setting, value) switch
        {
            ("synchronous_commit", "off") => "a crash of the server would lose orders that were already confirmed",
            ("synchronous_commit", "local") => "a failover would lose orders that were already confirmed",
            ("fsync", "off") => "a power cut could destroy the database",
            _ => null,
        };
        return means is null
            ? null
            : $"PostgreSQL's setting {setting} is {value} for this role and database: {means}. Set {setting} = on " +
              "(postgresql.conf, ALTER ROLE, ALTER DATABASE or the Options of the connection string).";
    }

    /// <summary>Checks the settings of a new session, which may have changed since the start of the process.</summary>
    public static async Task CheckAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SHOW synchronous_commit", connection);
        if (Why("synchronous_commit", (string?)await command.ExecuteScalarAsync(cancel)) is { } why)
            throw new DatabaseUnavailableException(why);
    }
}
