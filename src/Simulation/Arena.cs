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

    static readonly SqlQuery OrderColumns = new(
        "order_columns",
        """
        SELECT t.name AS name, c.name AS id
        FROM sqlite_schema t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' AND c.name = CASE t.name WHEN 'orders' THEN 'id' ELSE 'order_id' END
        """);

    static readonly SqlQuery CloseFence = Statement("INSERT INTO fence (id, closed_at, reason) VALUES (1, 0, 'Restored.')");

    readonly Dictionary<string, SqliteDatabase> databases = [];
    readonly List<(IDatabase Database, SqlQuery Query)> deletes = [];
    readonly Dictionary<string, Copy> copies = [];

    /// <summary>Statements that copy the rows of a service, and bring the copies back.</summary>
    sealed record Copy(IReadOnlyList<SqlQuery> Keep, SqlQuery Changed, IReadOnlyList<SqlQuery> BringBack);

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
        var options = new RuntimeOptions { TransactionTimeout = Timeout.InfiniteTimeSpan };
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
            var tables = Result(database.QueryAsync(Tables, SqlArgs.None, row => row.Text("name")));
            foreach (var table in tables) arena.deletes.Add((database, Statement($"DELETE FROM {table}")));
            arena.copies.Add(module.Name, CopyOf(database, tables));
        }
        return arena;
    }

    /// <summary>Empties every table.</summary>
    public void Empty()
    {
        foreach (var service in deletes.GroupBy(delete => delete.Database, delete => delete.Query))
            Execute(service.Key, service);
    }

    /// <summary>Copies every row of a service, over the copy before.</summary>
    public void Keep(string service) => Execute(service, copies[service].Keep);

    /// <summary>Replaces every row of a service by the copy; returns the orders with other rows than before.</summary>
    /// <param name="service">The service.</param>
    /// <param name="closesFence">True for a restore, after which the service accepts nothing but repairs.</param>
    public IReadOnlySet<Guid> BringBack(string service, bool closesFence = false)
    {
        var changed = Read(service, copies[service].Changed, row => row.Uuid("id")).ToHashSet();
        Execute(service, copies[service].BringBack);
        if (closesFence) Execute(service, [CloseFence]);
        return changed;
    }

    public List<T> Read<T>(string service, SqlQuery query, Func<IRow, T> map) =>
        Result(ReadAsync(service, query, SqlArgs.None, map));

    public Task<List<T>> ReadAsync<T>(string service, SqlQuery query, SqlArgs args, Func<IRow, T> map) =>
        databases[service].QueryAsync(query, args, map, CancellationToken.None);

    public void Dispose()
    {
        foreach (var database in databases.Values) Complete(database.DisposeAsync().AsTask());
    }

    static Copy CopyOf(SqliteDatabase database, IReadOnlyList<string> tables)
    {
        Execute(database, tables.Select(table => Statement($"CREATE TABLE kept_{table} AS SELECT * FROM {table} WHERE false")));
        // A table in both directions: rows that are new or changed, and rows that were deleted or changed.
        var differences = Result(database.QueryAsync(
                OrderColumns, SqlArgs.None, row => (Name: row.Text("name"), Id: row.Text("id"))))
            .Where(table => tables.Contains(table.Name))
            .SelectMany(table => new[]
            {
                Difference(table.Id, table.Name, $"kept_{table.Name}"), Difference(table.Id, $"kept_{table.Name}", table.Name),
            });
        return new(
            [.. tables.SelectMany(table => Copied(table, $"kept_{table}"))],
            Statement($"SELECT DISTINCT id FROM ({string.Join(" UNION ALL ", differences)}) WHERE id IS NOT NULL ORDER BY id"),
            [.. tables.SelectMany(table => Copied($"kept_{table}", table))]);

        static string Difference(string id, string one, string other) =>
            $"SELECT {id} AS id FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other})";

        static SqlQuery[] Copied(string from, string to) =>
            [Statement($"DELETE FROM {to}"), Statement($"INSERT INTO {to} SELECT * FROM {from}")];
    }

    static SqlQuery Statement(string sql) => new(sql, sql);

    void Execute(string service, IEnumerable<SqlQuery> statements) => Execute(databases[service], statements);

    static void Execute(IDatabase database, IEnumerable<SqlQuery> statements) => Complete(database.WriteAsync(
        async transaction =>
        {
            foreach (var statement in statements) await transaction.ExecuteAsync(statement, SqlArgs.None);
            return true;
        },
        CancellationToken.None));

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
