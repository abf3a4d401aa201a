using Orderwright.Contracts;
using Orderwright.CustomerService;
using Orderwright.OrderService;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator;
using Orderwright.Storage.Sqlite;
using Orderwright.StockService;

namespace Orderwright.Simulation;

/// <summary>
/// The four databases in memory, made once and swept between runs: to make a schema takes longer than most runs. For one
/// thread.
/// </summary>
public sealed class Arena : IDisposable
{
    static readonly SqlQuery Tables = new(
        "tables", "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_migrations'");

    // What may never be deleted is, between runs.
    static readonly SqlQuery Guards = new(
        "guards", "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE DELETE%'");

    readonly Dictionary<string, SqliteDatabase> databases = [];
    readonly List<(IDatabase Database, SqlQuery Query)> sweeps = [];

    // A thread of its own for each arena: SQLite need not guard its connections, nor count its memory for all of them.
    static Arena()
    {
        SQLitePCL.Batteries_V2.Init();
        SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MULTITHREAD);
        SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    Arena()
    {
    }

    public IReadOnlyDictionary<string, SqliteDatabase> Databases => databases;

    public static Arena Open()
    {
        var arena = new Arena();
        // The machine's own time limit must never end a transaction of a simulated world.
        var options = new RuntimeOptions { TransactionTimeout = TimeSpan.FromMinutes(10) };
        foreach (IServiceModule module in (IServiceModule[])
            [new OrderModule(), new CustomerModule(), new StockModule(), new SagaModule()])
        {
            var database = new SqliteDatabase(":memory:", options);
            arena.databases.Add(module.Name, database);
            Now(database.MigrateAsync(
                [
                    .. SqlCatalog.Of(typeof(RunningService).Assembly, database.Engine).Migrations,
                    .. SqlCatalog.Of(module.GetType().Assembly, database.Engine).Migrations,
                ],
                CancellationToken.None));
            foreach (var guard in Now(database.QueryAsync(Guards, SqlArgs.None, row => row.Text(0))))
                Now(database.WriteAsync(
                    transaction => transaction.ExecuteAsync(new SqlQuery("drop_guard", $"DROP TRIGGER {guard}"), SqlArgs.None),
                    CancellationToken.None));
            foreach (var table in Now(database.QueryAsync(Tables, SqlArgs.None, row => row.Text(0))))
                arena.sweeps.Add((database, new SqlQuery($"sweep_{table}", $"DELETE FROM {table}")));
        }
        return arena;
    }

    /// <summary>Leaves nothing of the run before.</summary>
    public void Sweep()
    {
        foreach (var service in sweeps.GroupBy(sweep => sweep.Database))
            Now(service.Key.WriteAsync(
                async transaction =>
                {
                    foreach (var (_, query) in service) await transaction.ExecuteAsync(query, SqlArgs.None);
                    return true;
                },
                CancellationToken.None));
    }

    public List<T> Read<T>(string service, SqlQuery query, Func<IRow, T> map) =>
        Now(ReadAsync(service, query, SqlArgs.None, map));

    /// <summary>
    /// Reads as a transaction that writes nothing: with one connection for everything, a read of its own would make SQLite
    /// forget all that it has prepared.
    /// </summary>
    public Task<List<T>> ReadAsync<T>(string service, SqlQuery query, SqlArgs args, Func<IRow, T> map) =>
        databases[service].WriteAsync(transaction => transaction.QueryAsync(query, args, map), CancellationToken.None);

    public void Dispose()
    {
        foreach (var database in databases.Values) Now(database.DisposeAsync().AsTask());
    }

    // A database in memory has done everything when it returns: there is nothing to wait for.
    static void Now(Task done)
    {
        if (!done.IsCompleted) throw new InvalidOperationException("A database in memory waits for something.");
        if (done.Exception is { } error) throw new InvalidOperationException("A database in memory failed.", error);
    }

    static T Now<T>(Task<T> done)
    {
        Now((Task)done);
        return done.Result;
    }
}
