using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Storage;

/// <summary>Atomicity, ordering and consistent snapshots, on every engine.</summary>
public abstract class TransactionSuite(StorageEngine engine)
{
    readonly IDatabase database = engine.Database;
    readonly SqlCatalog sql = engine.Sql;

    // Every test has its own keys.
    readonly string test = Guid.NewGuid().ToString();

    /// <summary>Engine's names for the constraints of <c>entries</c>.</summary>
    protected abstract string UniqueEntryLabel { get; }

    [Fact]
    public async Task A_transaction_that_throws_leaves_nothing()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => database.WriteAsync<int>(
            async tx =>
            {
                await InsertAsync(tx, ("a", 1), ("b", 2));
                throw new InvalidOperationException("on purpose");
            },
            default));
        Assert.Equal("on purpose", error.Message);
        Assert.Empty(await ReadAsync(database, "a", "b"));
    }

    [Fact]
    public async Task A_transaction_that_is_cancelled_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => database.WriteAsync(
            async tx =>
            {
                await InsertAsync(tx, ("a", 1));
                await cancel.CancelAsync();
                return true;
            },
            cancel.Token));
        Assert.Empty(await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task Deferred_writes_are_visible_to_the_next_statement_and_after_the_commit()
    {
        var seen = await database.WriteAsync(
            async tx =>
            {
                tx.Defer(sql["insert_counters"], Counters([("a", 1), ("b", 2)]), mustTouch: 2);
                var seen = await ReadAsync(tx, "a", "b");
                tx.Defer(sql["save_counters"], Counters([("a", 3)]));
                tx.Defer(sql["save_counters"], Counters([("b", 4)]));
                return seen;
            },
            default);
        Assert.Equal([1L, 2L], seen);
        Assert.Equal([3L, 4L], await ReadAsync(database, "a", "b"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deferred_write_with_a_wrong_row_count_rolls_back(bool asksOnceMore)
    {
        await InsertAsync(("a", 1));
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => database.WriteAsync(
            async tx =>
            {
                tx.Defer(sql["save_counters"], Counters([("a", 2)]));
                tx.Defer(sql["save_counters"], Counters([("a", 3), ("missing", 3)]), mustTouch: 2);
                if (asksOnceMore) await ReadAsync(tx, "a");
                return true;
            },
            default));
        Assert.Equal("save_counters had to write 2 rows and wrote 1.", error.Message);
        Assert.Equal([1L], await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task A_deferred_write_that_violates_a_constraint_rolls_back()
    {
        await InsertAsync(("a", 1));
        await Assert.ThrowsAsync<ConstraintViolatedException>(() => database.WriteAsync(
            tx =>
            {
                tx.Defer(sql["save_counters"], Counters([("a", 2)]));
                tx.Defer(sql["insert_counters"], Counters([("b", 1), ("a", 9)]));
                return Task.FromResult(true);
            },
            default));
        Assert.Equal([1L], await ReadAsync(database, "a", "b"));
        await InsertAsync(("b", 1));
    }

    [Fact]
    public async Task A_commit_is_seen_by_everyone()
    {
        await using var another = engine.OpenAnother();
        await InsertAsync(("a", 1));
        Assert.Equal([1L], await ReadAsync(another, "a"));
        await SaveAsync(another, ("a", 2));
        Assert.Equal([2L], await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task Uncommitted_writes_are_visible_inside_the_transaction_only()
    {
        await using var another = engine.OpenAnother();
        await database.WriteAsync(
            async tx =>
            {
                await InsertAsync(tx, ("a", 1));
                Assert.Equal([1L], (await QueryAsync(tx, "read_counters", "a")).Select(counter => counter.Value));
                Assert.Empty(await ReadAsync(another, "a"));
                return true;
            },
            default);
        Assert.Equal([1L], await ReadAsync(another, "a"));
    }

    [Fact]
    public async Task Concurrent_writers_lose_no_update()
    {
        await using var another = engine.OpenAnother();
        await InsertAsync(("a", 0), ("b", 0));
        // Half of the transactions list the keys in reverse: rows are locked in key order all the same.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
                await IncrementAsync(n % 2 == 0 ? database : another, n % 4 < 2 ? ["a", "b"] : ["b", "a"]);
        })));
        Assert.Equal([200L, 200L], await ReadAsync(database, "a", "b"));
    }

    [Fact]
    public async Task Two_inserts_of_the_same_key_leave_one_row()
    {
        await using var another = engine.OpenAnother();
        var touched = await Task.WhenAll(new[] { database, another, database, another }.Select(instance => Task.Run(() =>
            instance.WriteAsync(tx => tx.ExecuteAsync(sql["ensure_counters"], Counters(("a", 1), ("b", 1))), default))));
        Assert.Equal(2, touched.Sum());
        Assert.Equal([1L, 1L], await ReadAsync(database, "a", "b"));
    }

    [Fact]
    public async Task Writing_rows_tells_which_were_written()
    {
        Guid[] ids = [.. Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).Order()];
        var (kept, raised) = await database.WriteAsync(
            async tx =>
            {
                Assert.Equal([ids[0]], await WriteRowsAsync(tx, "keep_samples", (ids[0], 1)));
                var kept = await WriteRowsAsync(tx, "keep_samples", (ids[0], 5), (ids[2], 5), (ids[1], 1), (ids[1], 1));
                return (kept, await WriteRowsAsync(tx, "raise_samples", (ids[2], 2), (ids[0], 2), (Guid.CreateVersion7(), 2)));
            },
            default);
        Assert.Equal([ids[1], ids[2]], kept.Order());
        Assert.Equal([ids[0]], raised);
        var stored = await database.QueryAsync(sql["list_samples"], SqlArgs.With("batch", test), row => row.BigInt("big"));
        Assert.Equal([2L, 1L, 5L], stored);
    }

    [Fact]
    public async Task A_read_sees_one_moment()
    {
        await using var another = engine.OpenAnother();
        await InsertAsync(("a", 1));
        await database.ReadAsync(
            async read =>
            {
                var before = await QueryAsync(read, "read_counters", "a");
                await SaveAsync(another, ("a", 2));
                Assert.Equal(before, await QueryAsync(read, "read_counters", "a"));
                return true;
            },
            default);
        Assert.Equal([2L], await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task A_read_cannot_write()
    {
        await InsertAsync(("a", 1));
        await Assert.ThrowsAnyAsync<Exception>(() => database.ReadAsync(
            read => read.QueryAsync(sql["save_counters"], Counters(("a", 2)), row => row.Int("value")), default));
        await Assert.ThrowsAnyAsync<Exception>(() =>
            database.QueryAsync(sql["save_counters"], Counters(("a", 2)), row => row.Int("value")));
        Assert.Equal([1L], await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task Many_reads_at_once_are_all_served()
    {
        await InsertAsync(("a", 1));
        var all = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => Task.Run(() => n % 2 == 0
            ? ReadAsync(database, "a")
            : database.ReadAsync(
                async read => (await QueryAsync(read, "read_counters", "a")).ConvertAll(counter => counter.Value), default))));
        Assert.All(all, values => Assert.Equal([1L], values));
    }

    [Fact]
    public async Task A_transaction_that_takes_too_long_is_rolled_back_as_unavailable()
    {
        await using var impatient = engine.OpenAnother(new() { TransactionTimeout = TimeSpan.FromMilliseconds(300) });
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => impatient.WriteAsync<bool>(
            async tx =>
            {
                while (true) await tx.ExecuteAsync(sql["ensure_counters"], Counters(("a", 1)));
            },
            default));
        Assert.Empty(await ReadAsync(database, "a"));
        await Waiting.RetryAsync<int, DatabaseUnavailableException>(() =>
            impatient.WriteAsync(tx => tx.ExecuteAsync(sql["insert_counters"], Counters(("a", 1))), default));
        Assert.Equal([1L], await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task A_wait_for_another_writer_ends_as_unavailable()
    {
        await InsertAsync(("a", 1));
        await using var impatient = engine.OpenAnother(new() { TransactionTimeout = TimeSpan.FromMilliseconds(300) });
        await database.WriteAsync(
            async tx =>
            {
                await QueryAsync(tx, "lock_counters", "a");
                await Assert.ThrowsAsync<DatabaseUnavailableException>(() => IncrementAsync(impatient, ["a"]));
                return true;
            },
            default);
        // On a busy machine a transaction may need longer than the limit.
        await Waiting.RetryAsync<int, DatabaseUnavailableException>(() => impatient.WriteAsync(
            async tx => (await QueryAsync(tx, "lock_counters", "a")).Count, default));
        Assert.Equal([1L], await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task A_violated_check_is_reported_by_name()
    {
        await InsertAsync(("a", 1));
        var error = await Assert.ThrowsAsync<ConstraintViolatedException>(() => SaveAsync(database, ("a", -1)));
        Assert.Equal("counters_not_negative", error.Constraint);
        Assert.Equal([1L], await ReadAsync(database, "a"));
    }

    [Fact]
    public async Task A_violated_key_is_reported_by_name()
    {
        await InsertAsync(("a", 1));
        await EnterAsync("a", "x");
        var error = await Assert.ThrowsAsync<ConstraintViolatedException>(() => EnterAsync("a", "x"));
        Assert.Equal(UniqueEntryLabel, error.Constraint);
    }

    [Fact]
    public async Task A_forbidden_null_is_reported_with_the_column()
    {
        await InsertAsync(("a", 1));
        var error = await Assert.ThrowsAsync<ConstraintViolatedException>(() => EnterAsync("a", null));
        Assert.Equal("entries.label", error.Constraint);
    }

    [Fact]
    public async Task A_reference_to_nothing_is_refused() =>
        await Assert.ThrowsAsync<ConstraintViolatedException>(() => EnterAsync("nowhere", "x"));

    async Task IncrementAsync(IDatabase instance, string[] keys) => await instance.WriteAsync(
        async tx =>
        {
            var counters = await QueryAsync(tx, "lock_counters", keys);
            return await tx.ExecuteAsync(
                sql["save_counters"],
                SqlArgs.Over(counters).Text("key", counter => counter.Key).BigInt("value", counter => counter.Value + 1));
        },
        default);

    Task<int> InsertAsync(params (string Key, long Value)[] counters) =>
        database.WriteAsync(tx => InsertAsync(tx, counters), default);

    Task<int> InsertAsync(ITransaction tx, params (string Key, long Value)[] counters) =>
        tx.ExecuteAsync(sql["insert_counters"], Counters(counters));

    Task<HashSet<Guid>> WriteRowsAsync(ITransaction tx, string query, params (Guid Id, long Big)[] samples) =>
        tx.WriteRowsAsync(
            sql[query],
            SqlArgs.Over(samples).Uuid("id", sample => sample.Id).BigInt("big", sample => sample.Big).Bool("flag", _ => true)
                .Args.And("batch", test),
            "id");

    Task<int> SaveAsync(IDatabase instance, params (string Key, long Value)[] counters) =>
        instance.WriteAsync(tx => tx.ExecuteAsync(sql["save_counters"], Counters(counters)), default);

    Task<int> EnterAsync(string counter, string? label) => database.WriteAsync(
        tx => tx.ExecuteAsync(
            sql["insert_entry"],
            SqlArgs.With("id", Guid.CreateVersion7()).And("counter", Own(counter)).And("label", label)),
        default);

    async Task<List<long>> ReadAsync(IQueries instance, params string[] keys) => await instance.QueryAsync(
        sql["read_counters"], SqlArgs.OfTexts("key", [.. keys.Select(Own)]), row => row.BigInt("value"));

    Task<List<(string Key, long Value)>> QueryAsync(IQueries queries, string query, params string[] keys) =>
        queries.QueryAsync(
            sql[query], SqlArgs.OfTexts("key", [.. keys.Select(Own)]), row => (row.Text("key"), row.BigInt("value")));

    SqlArgs Counters(params (string Key, long Value)[] counters) => SqlArgs.Over(counters)
        .Text("key", counter => Own(counter.Key)).BigInt("value", counter => counter.Value);

    string Own(string key) => key.StartsWith(test, StringComparison.Ordinal) ? key : $"{test}/{key}";
}

public sealed class PostgresTransactions(PostgresEngine engine) : TransactionSuite(engine), IClassFixture<PostgresEngine>
{
    protected override string UniqueEntryLabel => "entries_label";
}

public sealed class SqliteTransactions(SqliteEngine engine) : TransactionSuite(engine), IClassFixture<SqliteEngine>
{
    protected override string UniqueEntryLabel => "entries.counter, entries.label";
}
