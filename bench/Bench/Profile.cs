using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Orderwright.Contracts;

namespace Orderwright.Bench;

/// <summary>What one statement costs, in a run of its own beside those that count.</summary>
/// <param name="Service">Whose database.</param>
/// <param name="Name">As in the service's <c>Sql/</c> files, or how it begins.</param>
/// <param name="Milliseconds">Of execution for 1,000 orders: elapsed, so that waiting for a core or a lock is in it.</param>
/// <param name="Calls">For 1,000 orders.</param>
/// <param name="Rows">Of one call.</param>
/// <param name="WalBytes">For one order.</param>
sealed record Statement(
    string Service, string Name, double Milliseconds, double Calls, double Rows, double WalBytes);

/// <summary>How a service's transactions were filled.</summary>
/// <param name="Service">Whose.</param>
/// <param name="Items">Messages or requests in one, on average.</param>
/// <param name="Transactions">For 1,000 orders.</param>
/// <param name="Milliseconds">One took, on average.</param>
sealed record Batches(string Service, double Items, double Transactions, double Milliseconds);

/// <summary>Where the time goes, by statement and by batch.</summary>
sealed record Profile(IReadOnlyList<Statement> Statements, IReadOnlyList<Batches> Batches);

/// <summary>
/// Reads <c>pg_stat_statements</c> and the services' metrics around one load. The extension counts only then, so that the
/// runs that are measured do not pay for it; where it is not installed, there are no statements.
/// </summary>
sealed partial class Profiler(House house, HttpClient http)
{
    const int Most = 25;

    /// <param name="load">Brings orders to their end and says how many.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task<Profile> RunAsync(Func<Task<int>> load, CancellationToken cancel)
    {
        var before = await MetricsAsync(cancel);
        var statements = new List<Statement>();
        int orders;
        await using (var connection = new NpgsqlConnection(house.Postgres!.ConnectionString() + ";Pooling=false"))
        {
            await connection.OpenAsync(cancel);
            if (house.CountsStatements) await CountAsync(connection, "top", cancel);
            orders = await load();
            if (house.CountsStatements)
            {
                await CountAsync(connection, "none", cancel);
                statements.AddRange(await StatementsAsync(connection, orders, cancel));
            }
        }
        var after = await MetricsAsync(cancel);
        return new Profile(statements, [.. ServiceNames.All.Select(service => BatchesOf(service, before, after, orders))]);
    }

    /// <param name="connection">To a server that has the extension loaded.</param>
    /// <param name="what"><c>top</c> or <c>none</c>.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task CountAsync(NpgsqlConnection connection, string what, CancellationToken cancel)
    {
        foreach (var sql in (string[])[
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements", $"ALTER SYSTEM SET pg_stat_statements.track = '{what}'",
            "SELECT pg_reload_conf()"])
            await OrderTables.ExecuteAsync(connection, sql, cancel);
    }

    static async Task<List<Statement>> StatementsAsync(NpgsqlConnection connection, int orders, CancellationToken cancel)
    {
        var names = NamesByText();
        var services = ServiceNames.All.ToDictionary(service => House.DatabaseOf(service), service => service);
        await using var command = new NpgsqlCommand(
            $"""
            SELECT d.datname, s.query, s.total_exec_time, s.calls, s.rows, s.wal_bytes::float8
            FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
            WHERE d.datname LIKE '{House.DatabasePrefix}%' ORDER BY s.total_exec_time DESC LIMIT {Most}
            """, connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<Statement>();
        while (await rows.ReadAsync(cancel))
        {
            var text = Normal(rows.GetString(1));
            found.Add(new Statement(
                services[rows.GetString(0)], names.GetValueOrDefault(text) ?? text[..Math.Min(text.Length, 60)],
                rows.GetDouble(2) / orders * 1_000, rows.GetInt64(3) * 1_000d / orders,
                (double)rows.GetInt64(4) / rows.GetInt64(3), rows.GetDouble(5) / orders));
        }
        return found;
    }

    // The product's own files, whose statements have names; the database knows texts only.
    static Dictionary<string, string> NamesByText()
    {
        var names = new Dictionary<string, string>();
        foreach (var file in Directory.EnumerateFiles(
            Path.Combine(Programs.Home, "src"), "*.postgres.sql", SearchOption.AllDirectories))
            foreach (var block in Regex.Split(File.ReadAllText(file), "^-- name: *", RegexOptions.Multiline)[1..])
            {
                var lines = block.Split('\n');
                var text = string.Join(
                    '\n', lines[1..].Where(line => !line.TrimStart().StartsWith("--", StringComparison.Ordinal)));
                names[Normal(text.Trim().TrimEnd(';'))] = lines[0].Trim();
            }
        return names;
    }

    static string Normal(string sql) => Blanks().Replace(Values().Replace(sql, "?"), " ").Trim();

    async Task<Dictionary<string, double>> MetricsAsync(CancellationToken cancel)
    {
        var values = new Dictionary<string, double>();
        foreach (var url in ServiceNames.All.SelectMany(house.UrlsOf).Distinct())
            foreach (var line in (await http.GetStringAsync(new Uri(url, "/metrics"), cancel)).Split('\n'))
                if (line.LastIndexOf(' ') is > 0 and var at && !line.StartsWith('#'))
                    values[line[..at]] = values.GetValueOrDefault(line[..at])
                        + double.Parse(line[(at + 1)..], CultureInfo.InvariantCulture);
        return values;
    }

    static Batches BatchesOf(
        string service, Dictionary<string, double> before, Dictionary<string, double> after, int orders)
    {
        double Grown(string name)
        {
            var key = $"orderwright_batch_{name}{{service=\"{service}\"}}";
            return after.GetValueOrDefault(key) - before.GetValueOrDefault(key);
        }
        var transactions = Grown("size_count");
        return new Batches(
            service, Grown("size_sum") / transactions, transactions / orders * 1_000,
            Grown("duration_seconds_sum") / transactions * 1_000);
    }

    [GeneratedRegex(@"@\w+|\$\d+|'[^']*'|\b\d+\b|\b(true|false|null)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Values();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
