using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Npgsql;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Bench;

/// <summary>The cost of a statement, from a run outside the series.</summary>
/// <param name="Service">Service that owns the database.</param>
/// <param name="Name">Name in the service's <c>Sql/</c> files, or the beginning of the text.</param>
/// <param name="Milliseconds">Execution time per 1,000 orders: elapsed, hence including waits for a core or a lock.</param>
/// <param name="Calls">Calls per 1,000 orders.</param>
/// <param name="Rows">Rows per call.</param>
/// <param name="WalBytes">Log volume per order.</param>
sealed record Statement(
    string Service, string Name, double Milliseconds, double Calls, double Rows, double WalBytes);

/// <summary>The fill of a service's transactions.</summary>
/// <param name="Service">Name of the service.</param>
/// <param name="Items">Average number of messages or requests per transaction.</param>
/// <param name="Transactions">Transactions per 1,000 orders.</param>
/// <param name="Milliseconds">Average duration.</param>
sealed record Batches(string Service, double Items, double Transactions, double Milliseconds);

/// <summary>Time by statement and by batch.</summary>
sealed record Profile(IReadOnlyList<Statement> Statements, IReadOnlyList<Batches> Batches);

/// <summary>
/// Reads <c>pg_stat_statements</c> and the services' metrics around one load. The extension counts only meanwhile, so that
/// measured runs do not pay for it; where the extension is missing, statements are empty.
/// </summary>
sealed partial class Profiler(Stack stack, HttpClient http)
{
    const int Most = 25;

    /// <param name="load">Brings orders to their end and returns their number.</param>
    /// <param name="cancel">Ends the work.</param>
    public async Task<Profile> RunAsync(Func<Task<int>> load, CancellationToken cancel)
    {
        var before = await MetricsAsync(cancel);
        var statements = new List<Statement>();
        int orders;
        await using (var connection = new NpgsqlConnection(stack.Postgres!.ConnectionString() + ";Pooling=false"))
        {
            await connection.OpenAsync(cancel);
            if (stack.CountsStatements) await CountAsync(connection, "top", cancel);
            orders = await load();
            if (stack.CountsStatements)
            {
                await CountAsync(connection, "none", cancel);
                statements.AddRange(await StatementsAsync(connection, orders, cancel));
            }
        }
        var after = await MetricsAsync(cancel);
        return new Profile(statements, [.. ServiceNames.All.Select(service => BatchesOf(service, before, after, orders))]);
    }

    /// <param name="connection">Connection to a server that has loaded the extension.</param>
    /// <param name="track"><c>top</c> or <c>none</c>.</param>
    /// <param name="cancel">Ends the work.</param>
    public static async Task CountAsync(NpgsqlConnection connection, string track, CancellationToken cancel)
    {
        foreach (var sql in (string[])[
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements", $"ALTER SYSTEM SET pg_stat_statements.track = '{track}'",
            "SELECT pg_reload_conf()"])
            await OrderTables.ExecuteAsync(connection, sql, cancel);
    }

    static async Task<List<Statement>> StatementsAsync(NpgsqlConnection connection, int orders, CancellationToken cancel)
    {
        var names = NamesByText();
        var services = ServiceNames.All.ToDictionary(service => Stack.DatabaseOf(service), service => service);
        await using var command = new NpgsqlCommand(
            $"""
            SELECT d.datname, s.query, s.total_exec_time, s.calls, s.rows, s.wal_bytes::float8
            FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
            WHERE d.datname LIKE '{Stack.DatabasePrefix}%' ORDER BY s.total_exec_time DESC LIMIT {Most}
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

    // The database knows only the texts of statements; their names are in the assemblies.
    static Dictionary<string, string> NamesByText()
    {
        var services = ((string[])["OrderService", "CustomerService", "StockService", "SagaCoordinator"]).Select(project =>
            Assembly.LoadFrom(Programs.Find($"src/{project}")));
        var names = new Dictionary<string, string>();
        foreach (var catalog in services.Append(typeof(SqlCatalog).Assembly).Select(part => SqlCatalog.Of(part, "postgres")))
            foreach (var name in catalog.Names)
                names[Normal(catalog[name].Text)] = name;
        return names;
    }

    static string Normal(string sql) => Blanks().Replace(Values().Replace(sql, "?"), " ").Trim();

    async Task<Dictionary<string, double>> MetricsAsync(CancellationToken cancel)
    {
        var values = new Dictionary<string, double>();
        foreach (var url in ServiceNames.All.SelectMany(stack.UrlsOf).Distinct())
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
