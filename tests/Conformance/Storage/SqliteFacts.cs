using Microsoft.Data.Sqlite;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Conformance.Storage;

/// <summary>
/// Facts about SQLite only: a file must be synced, may be locked by another process, and may fill the disk.
/// </summary>
public sealed class SqliteFacts(SqliteEngine engine) : IClassFixture<SqliteEngine>
{
    readonly SqlCatalog sql = engine.Sql;

    static SqlQuery Pragma(string name) => new(name, $"PRAGMA {name}");

    [Fact]
    public async Task Every_connection_is_synchronous_full_and_keeps_references()
    {
        await using var database = engine.OpenAnother(new() { MaxReaders = 3 });
        await database.WriteAsync(tx => AssertSafeAsync(tx), default);
        // Three concurrent readers are three connections.
        using var all = new CountdownEvent(3);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => database.ReadAsync(
            async read =>
            {
                all.Signal();
                Assert.True(all.Wait(Waiting.HangLimit));
                return await AssertSafeAsync(read);
            },
            default))));
        await using var memory = new SqliteDatabase(":memory:", new());
        Assert.Equal([2], await memory.WriteAsync(
            tx => tx.QueryAsync(Pragma("synchronous"), SqlArgs.None, row => row.Int("synchronous")), default));

        static async Task<bool> AssertSafeAsync(IQueries queries)
        {
            Assert.Equal([2], await queries.QueryAsync(Pragma("synchronous"), SqlArgs.None, row => row.Int("synchronous")));
            Assert.Equal([1], await queries.QueryAsync(Pragma("foreign_keys"), SqlArgs.None, row => row.Int("foreign_keys")));
            Assert.Equal(
                ["wal"], await queries.QueryAsync(Pragma("journal_mode"), SqlArgs.None, row => row.Text("journal_mode")));
            return true;
        }
    }

    [Fact]
    public async Task A_statement_per_row_returns_the_total_of_affected_rows()
    {
        await using var database = await OpenEmptyAsync();
        var keep = new SqlQuery("keep", "INSERT INTO counters (key, value) VALUES (@key, @value) ON CONFLICT DO NOTHING");
        Assert.Equal(3, await database.WriteAsync(tx => tx.ExecuteAsync(keep, Counters("c", "a", "c", "b")), default));
        var raise = new SqlQuery("raise", "UPDATE counters SET value = value + @by WHERE key = @key");
        var raised = await database.WriteAsync(
            tx => tx.ExecuteAsync(raise, Counters("a", "none", "c").And("by", 5)), default);
        Assert.Equal(2, raised);
        Assert.Equal([6, 1, 6], await database.QueryAsync(
            new("values", "SELECT value FROM counters ORDER BY key"), SqlArgs.None, row => row.BigInt("value")));
    }

    [Fact]
    public async Task A_statement_about_one_row_that_fails_for_one_undoes_all()
    {
        await using var database = await OpenEmptyAsync();
        var insert = new SqlQuery("insert", "INSERT INTO counters (key, value) VALUES (@key, @value)");
        await Assert.ThrowsAsync<ConstraintViolatedException>(() => database.WriteAsync(
            tx => tx.ExecuteAsync(insert, Counters("a", "b", "a")), default));
        await database.WriteAsync(tx => tx.ExecuteAsync(insert, Counters("b")), default);
        Assert.Equal(["b"], await database.QueryAsync(
            new("keys", "SELECT key FROM counters"), SqlArgs.None, row => row.Text("key")));
    }

    [Fact]
    public async Task A_statement_about_one_row_that_takes_too_long_is_unavailable()
    {
        await using var database = await OpenEmptyAsync(new() { TransactionTimeout = TimeSpan.FromMilliseconds(200) });
        var replace = new SqlQuery("replace", "INSERT OR REPLACE INTO counters (key, value) VALUES (@key, @value)");
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.WriteAsync(
            tx => tx.ExecuteAsync(replace, Counters([.. Enumerable.Repeat("k", 1_000_000)])), default));
    }

    async Task<IDatabase> OpenEmptyAsync(RuntimeOptions? options = null)
    {
        var database = engine.Open(await engine.NewAddressAsync(), options);
        await database.MigrateAsync(engine.Sql.Migrations, default);
        return database;
    }

    static SqlArgs Counters(params string[] keys) => SqlArgs.Over(keys).Text("key", key => key).BigInt("value", _ => 1);

    [Fact]
    public async Task A_file_locked_by_another_process_is_unavailable_until_released()
    {
        var address = await engine.NewAddressAsync();
        await using var database = engine.Open(address, new() { TransactionTimeout = TimeSpan.FromMilliseconds(200) });
        await database.MigrateAsync(engine.Sql.Migrations, default);
        using (var other = new SqliteConnection($"Data Source={address};Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction();
            await Assert.ThrowsAsync<DatabaseUnavailableException>(() => InsertAsync(database, "busy", 1));
            Assert.Empty(await database.QueryAsync(
                sql["read_counters"], SqlArgs.OfTexts("key", ["busy"]), row => row.Text("key")));
        }
        await Waiting.RetryAsync<int, DatabaseUnavailableException>(() => InsertAsync(database, "busy", 1));
    }

    [Fact]
    public async Task A_full_disk_is_unavailable_and_the_next_transaction_works()
    {
        await using var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync(engine.Sql.Migrations, default);
        await LimitPagesAsync(40);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => InsertAsync(database, "full", 20_000));
        await LimitPagesAsync(1_000_000);
        Assert.Equal(20_000, await InsertAsync(database, "full", 20_000));

        Task LimitPagesAsync(int pages) => database.WriteAsync(
            tx => tx.QueryAsync(new("limit", $"PRAGMA max_page_count = {pages}"), SqlArgs.None, row => row.Int("max_page_count")),
            default);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_named_in_a_sentence()
    {
        var file = Path.Combine(await engine.NewAddressAsync(), "x");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetDirectoryName(file)!)!);
        await File.WriteAllTextAsync(Path.GetDirectoryName(file)!, "a file where a directory should be");
        await using var database = engine.Open(file);
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([], default));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains("Choose a directory", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_is_named_in_a_sentence()
    {
        await using var database = engine.Open("/proc/orderwright/service.db");
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([], default));
        Assert.Contains("/proc/orderwright/service.db", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_and_left_alone()
    {
        var file = await engine.NewAddressAsync();
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, string.Concat(Enumerable.Repeat("somebody's notes\n", 1_000)));
        await using (var database = engine.Open(file))
            await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([], default));
        Assert.StartsWith("somebody's notes", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_makes_no_file()
    {
        var file = await engine.NewAddressAsync();
        await using var database = engine.Open(file);
        await Assert.ThrowsAsync<DatabaseUnfitException>(() =>
            database.QueryAsync(Pragma("user_version"), SqlArgs.None, row => row.Int("user_version")));
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Committed_data_survives_reopening()
    {
        var address = await engine.NewAddressAsync();
        await using (var database = engine.Open(address))
        {
            await database.MigrateAsync(engine.Sql.Migrations, default);
            await InsertAsync(database, "kept", 1);
        }
        // The last connection to close has copied the log into the file.
        Assert.False(File.Exists($"{address}-wal"));
        await using var again = engine.Open(address);
        Assert.Single(await again.QueryAsync(sql["read_counters"], SqlArgs.OfTexts("key", ["kept/0"]), row => row.Text("key")));
    }

    [Fact]
    public async Task A_file_is_usable_after_a_crash()
    {
        var (live, left) = (await engine.NewAddressAsync(), await engine.NewAddressAsync());
        await using var crashing = engine.Open(live);
        await crashing.MigrateAsync(engine.Sql.Migrations, default);
        await InsertAsync(crashing, "crash", 1);
        // State of the file system at this moment: the commit is in the log, the shared memory is lost.
        Directory.CreateDirectory(Path.GetDirectoryName(left)!);
        foreach (var ending in new[] { "", "-wal" }) File.Copy(live + ending, left + ending);
        await using var database = engine.Open(left);
        var key = SqlArgs.OfTexts("key", ["crash/0"]);
        Assert.Single(await database.QueryAsync(sql["read_counters"], key, row => row.Text("key")));
        await InsertAsync(database, "after", 1);
    }

    [Fact]
    public async Task A_writer_that_has_become_read_only_is_unavailable_once_and_then_replaced()
    {
        await using var database = await OpenEmptyAsync();
        // The error of a disk that was remounted read-only, without a disk.
        await database.WriteAsync(tx => tx.ExecuteAsync(new SqlQuery("lock", "PRAGMA query_only = ON"), SqlArgs.None), default);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => InsertAsync(database, "refused", 1));
        Assert.Equal(1, await InsertAsync(database, "accepted", 1));
    }

    [Fact]
    public async Task A_disposed_database_says_so()
    {
        var database = engine.OpenAnother();
        await InsertAsync(database, "disposed", 1);
        await database.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => InsertAsync(database, "later", 1));
        await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            database.QueryAsync(Pragma("user_version"), SqlArgs.None, row => row.Int("user_version")));
    }

    [Fact]
    public async Task A_file_is_written_off_the_callers_thread()
    {
        var caller = Environment.CurrentManagedThreadId;
        var writer = await engine.Database.WriteAsync(_ => Task.FromResult(Thread.CurrentThread), default);
        Assert.NotEqual(caller, writer.ManagedThreadId);
        Assert.False(writer.IsThreadPoolThread);
    }

    [Fact]
    public async Task Memory_does_everything_on_the_callers_thread()
    {
        await using var database = new SqliteDatabase(":memory:", new());
        Assert.True(database.MigrateAsync([.. engine.RuntimeSql.Migrations, .. sql.Migrations], default).IsCompletedSuccessfully);
        Assert.True(InsertAsync(database, "memory", 1).IsCompletedSuccessfully);
        var read = database.ReadAsync(
            queries => queries.QueryAsync(sql["read_counters"], SqlArgs.OfTexts("key", ["memory/0"]), row => row.BigInt("value")),
            default);
        Assert.True(read.IsCompletedSuccessfully);
        Assert.Equal([0L], await read);
    }

    [Fact]
    public async Task Memory_keeps_reads_from_writing_too()
    {
        await using var database = new SqliteDatabase(":memory:", new());
        await database.MigrateAsync(sql.Migrations, default);
        await Assert.ThrowsAnyAsync<SqliteException>(() => database.QueryAsync(
            sql["insert_counters"], SqlArgs.Over([1]).Text("key", _ => "k").BigInt("value", _ => 1), row => row.Int("value")));
        Assert.Equal(1, await InsertAsync(database, "k", 1));
    }

    Task<int> InsertAsync(IDatabase database, string key, int count) => database.WriteAsync(
        tx => tx.ExecuteAsync(
            sql["insert_counters"],
            SqlArgs.Over([.. Enumerable.Range(0, count)]).Text("key", n => $"{key}/{n}").BigInt("value", n => n)),
        default);
}
