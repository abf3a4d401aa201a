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
/// The four in-memory databases, created once and emptied between runs: creating a schema takes longer than most runs. Not
/// thread-safe.
/// </summary>
public sealed class Arena : IDisposable
{
    static readonly SqlQuery Tables = new(
        "tables", "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_migrations'");

    // Triggers that forbid deletion in production would also forbid emptying the tables between runs.
    static readonly SqlQuery Guards = new(
        "guards", "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE DELETE%'");

    readonly Dictionary<string, SqliteDatabase> databases = [];
    readonly List<(IDatabase Database, SqlQuery Query)> deletes = [];

    // Each arena stays on its own thread, so SQLite need not guard its connections nor count memory across them.
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
        // Wall-clock time must never end a transaction of a simulated world.
        var options = new RuntimeOptions { TransactionTimeout = TimeSpan.FromMinutes(10) };
        foreach (IServiceModule module in (IServiceModule[])
            [new OrderModule(), new CustomerModule(), new StockModule(), new SagaModule()])
        {
            var database = new SqliteDatabase(":memory:", options);
            arena.databases.Add(module.Name, database);
            Complete(database.MigrateAsync(
                [
                    .. SqlCatalog.Of(typeof(RunningService).Assembly, database.Engine).Migrations,
                    .. SqlCatalog.Of(module.GetType().Assembly, database.Engine).Migrations,
                ],
                CancellationToken.None));
            foreach (var guard in Result(database.QueryAsync(Guards, SqlArgs.None, row => row.Text("name"))))
                Complete(database.WriteAsync(
                    transaction => transaction.ExecuteAsync(new SqlQuery("drop_guard", $"DROP TRIGGER {guard}"), SqlArgs.None),
                    CancellationToken.None));
            foreach (var table in Result(database.QueryAsync(Tables, SqlArgs.None, row => row.Text("name"))))
                arena.deletes.Add((database, new SqlQuery($"empty_{table}", $"DELETE FROM {table}")));
        }
        return arena;
    }

    /// <summary>Empties every table.</summary>
    public void Empty()
    {
        foreach (var service in deletes.GroupBy(delete => delete.Database))
            Complete(service.Key.WriteAsync(
                async transaction =>
                {
                    foreach (var (_, query) in service) await transaction.ExecuteAsync(query, SqlArgs.None);
                    return true;
                },
                CancellationToken.None));
    }

    public List<T> Read<T>(string service, SqlQuery query, Func<IRow, T> map) =>
        Result(ReadAsync(service, query, SqlArgs.None, map));

    /// <summary>
    /// Reads in a transaction that writes nothing. The single connection would lose its prepared statements if a separate
    /// read transaction opened.
    /// </summary>
    public Task<List<T>> ReadAsync<T>(string service, SqlQuery query, SqlArgs args, Func<IRow, T> map) =>
        databases[service].WriteAsync(transaction => transaction.QueryAsync(query, args, map), CancellationToken.None);

    public void Dispose()
    {
        foreach (var database in databases.Values) Complete(database.DisposeAsync().AsTask());
    }

    // An in-memory database completes every call synchronously.
    static void Complete(Task done)
    {
        if (!done.IsCompleted) throw new InvalidOperationException("An in-memory database did not complete at once.");
        if (done.Exception is { } error) throw new InvalidOperationException("An in-memory database failed.", error);
    }

    static T Result<T>(Task<T> done)
    {
        Complete((Task)done);
        return done.Result;
    }
}
