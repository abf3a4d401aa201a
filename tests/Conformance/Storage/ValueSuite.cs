using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Storage;

/// <summary>Round trip of every type, as a value and as a column of a set, on every engine.</summary>
/// <param name="engine">Engine.</param>
/// <param name="insert">Way of inserting a set: a statement over the set, or a statement per row.</param>
public abstract class ValueSuite(StorageEngine engine, string insert = "insert_samples")
{
    readonly IDatabase database = engine.Database;
    readonly SqlCatalog sql = engine.Sql;

    // Every test has its own rows.
    readonly string batch = Guid.NewGuid().ToString();

    [Fact]
    public async Task Every_type_round_trips_as_a_value()
    {
        var sample = Sample.Full(7);
        await SaveOneAsync(sample);
        Assert.Equal([sample], await ListAsync());
    }

    [Fact]
    public async Task Null_of_every_type_round_trips_as_a_value()
    {
        var sample = Sample.New();
        await SaveOneAsync(sample);
        Assert.Equal([sample], await ListAsync());
    }

    [Fact]
    public async Task Every_type_round_trips_as_a_column_with_nulls_in_between()
    {
        Sample[] samples = [Sample.Full(1), Sample.New(), Sample.Full(2), Sample.New("only text"), Sample.Full(3)];
        Assert.Equal(5, await SaveManyAsync(samples));
        Assert.Equal(samples.OrderBy(sample => sample.Id), await ListAsync());
    }

    [Fact]
    public async Task A_column_of_nothing_but_nulls_round_trips()
    {
        Sample[] samples = [Sample.New(), Sample.New()];
        await SaveManyAsync(samples);
        Assert.Equal(samples.OrderBy(sample => sample.Id), await ListAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("O'Brien; DROP TABLE samples; --")]
    [InlineData("\"double\" 'single' `back` \\ back\\\\slash")]
    [InlineData("line\nbreak\r\ntab\tbell\u0007 delete\u007f one\u0001")]
    [InlineData("Grüße, 注文, заказ, παραγγελία, طلب, 🛒🧾, e\u0301, \u2028\u2029, \ufeff")]
    [InlineData("@rows @batch $1 :name ?1 {0} %s NULL null true 007 1e5")]
    [InlineData("[1,2,{\"a\":null}]")]
    public async Task Text_is_stored_unchanged(string text)
    {
        await SaveOneAsync(Sample.New(text));
        await SaveManyAsync([Sample.New(text), Sample.New(text)]);
        Assert.Equal([text, text, text], (await ListAsync()).Select(sample => sample.Text));
    }

    [Fact]
    public async Task Long_text_is_kept()
    {
        var text = string.Concat(Enumerable.Repeat("zażółć ", 30_000));
        await SaveManyAsync([Sample.New(text)]);
        Assert.Equal(text, (await ListAsync())[0].Text);
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(9_007_199_254_740_993)] // one more than a double can hold
    [InlineData(long.MaxValue)]
    public async Task Numbers_keep_every_digit(long number)
    {
        await SaveOneAsync(Sample.New() with { Big = number });
        await SaveManyAsync([Sample.New() with { Big = number }]);
        Assert.Equal([number, number], (await ListAsync()).Select(sample => sample.Big));
    }

    [Theory]
    [InlineData("1969-12-31T23:59:59.999Z")]
    [InlineData("1970-01-01T00:00:00.000Z")]
    [InlineData("0001-01-01T00:00:00.000Z")]
    [InlineData("9999-12-31T23:59:59.999Z")]
    [InlineData("2026-03-29T02:30:00.001+01:00")]
    public async Task Times_keep_their_millisecond(string text)
    {
        var time = DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        await SaveOneAsync(Sample.New() with { Time = time });
        await SaveManyAsync([Sample.New() with { Time = time }]);
        foreach (var kept in await ListAsync())
        {
            Assert.Equal(time, kept.Time);
            Assert.Equal(TimeSpan.Zero, kept.Time!.Value.Offset);
        }
    }

    [Fact]
    public async Task Times_are_cut_to_the_millisecond()
    {
        var time = Sample.Noon.AddTicks(9_999);
        await SaveOneAsync(Sample.New() with { Time = time });
        await SaveManyAsync([Sample.New() with { Time = time }]);
        Assert.All(await ListAsync(), kept => Assert.Equal(Sample.Noon, kept.Time));
    }

    [Fact]
    public async Task Empty_bytes_are_not_null()
    {
        await SaveOneAsync(Sample.New() with { Bytes = [] });
        await SaveManyAsync([Sample.New() with { Bytes = [] }, Sample.New() with { Bytes = [0] }]);
        Assert.Equal([0, 0, 1], (await ListAsync()).Select(sample => sample.Bytes!.Length).Order());
    }

    [Fact]
    public async Task Uuids_sort_by_their_time()
    {
        var start = Sample.Noon;
        Sample[] samples = [.. Enumerable.Range(0, 50)
            .Select(n => Sample.New() with { Id = Guid.CreateVersion7(start.AddMilliseconds(n * 97)) })];
        await SaveManyAsync([.. samples.OrderBy(sample => sample.Id.GetHashCode())]);
        Assert.Equal(samples.Select(sample => sample.Id), (await ListAsync()).Select(sample => sample.Id));
    }

    [Fact]
    public async Task An_empty_set_touches_and_finds_nothing()
    {
        Assert.Equal(0, await SaveManyAsync([]));
        Assert.Empty(await database.QueryAsync(sql["find_samples"], SqlArgs.OfUuids("id", []), Sample.Of));
    }

    [Fact]
    public async Task A_set_of_five_thousand_rows_round_trips()
    {
        Sample[] samples = [.. Enumerable.Range(0, 5_000).Select(Sample.Full)];
        Assert.Equal(5_000, await SaveManyAsync(samples));
        var found = await database.QueryAsync(
            sql["find_samples"], SqlArgs.OfUuids("id", [.. samples.Select(sample => sample.Id)]), Sample.Of);
        Assert.Equal(samples.OrderBy(sample => sample.Id), found);
    }

    [Fact]
    public async Task Counts_and_sums_read_as_whole_numbers()
    {
        await SaveManyAsync([.. Enumerable.Range(1, 10).Select(Sample.Full)]);
        var totals = await database.QueryAsync(
            sql["count_samples"], SqlArgs.With("batch", batch), row => (row.Int("count"), row.BigInt("sum")));
        Assert.Equal([(10, 55L)], totals);
    }

    [Fact]
    public async Task A_statement_may_ignore_arguments()
    {
        await SaveOneAsync(Sample.Full());
        var args = Sample.Many(batch, [Sample.Full(), Sample.Full()]).And("more", 1).And("none", (string?)null);
        Assert.Single(await database.QueryAsync(sql["list_samples"], args, Sample.Of));
    }

    [Fact]
    public async Task A_statement_may_not_name_missing_arguments() =>
        await Assert.ThrowsAnyAsync<Exception>(() => database.QueryAsync(sql["list_samples"], SqlArgs.None, Sample.Of));

    [Fact]
    public async Task A_statement_returns_the_number_of_affected_rows()
    {
        await SaveManyAsync([Sample.New(), Sample.New(), Sample.New()]);
        Assert.Equal(3, await database.WriteAsync(
            tx => tx.ExecuteAsync(sql["delete_samples"], SqlArgs.With("batch", batch)), default));
        Assert.Equal(0, await database.WriteAsync(
            tx => tx.ExecuteAsync(sql["delete_samples"], SqlArgs.With("batch", batch)), default));
    }

    [Fact]
    public async Task A_large_result_streams_and_may_be_left_early()
    {
        await SaveManyAsync([.. Enumerable.Range(0, 5_000).Select(Sample.Full)]);
        var args = SqlArgs.With("batch", batch);
        var all = await database.StreamAsync(sql["list_samples"], args, row => row.Uuid("id")).ToListAsync();
        Assert.Equal(5_000, all.Distinct().Count());
        var some = await database.ReadAsync(
            async read =>
            {
                var three = await read.StreamAsync(sql["list_samples"], args, row => row.Uuid("id")).Take(3).ToListAsync();
                var total = await read.QueryAsync(sql["count_samples"], args, row => row.BigInt("count"));
                return (three, total[0]);
            },
            default);
        Assert.Equal(all.Take(3), some.three);
        Assert.Equal(5_000, some.Item2);
    }

    Task<int> SaveOneAsync(Sample sample) =>
        database.WriteAsync(tx => tx.ExecuteAsync(sql["insert_sample"], Sample.One(batch, sample)), default);

    Task<int> SaveManyAsync(IReadOnlyList<Sample> samples) =>
        database.WriteAsync(tx => tx.ExecuteAsync(sql[insert], Sample.Many(batch, samples)), default);

    Task<List<Sample>> ListAsync() =>
        database.QueryAsync(sql["list_samples"], SqlArgs.With("batch", batch), Sample.Of);
}

public sealed class PostgresValues(PostgresEngine engine) : ValueSuite(engine), IClassFixture<PostgresEngine>;

public sealed class PostgresRowValues(PostgresEngine engine)
    : ValueSuite(engine, "insert_each_sample"), IClassFixture<PostgresEngine>;

public sealed class SqliteValues(SqliteEngine engine) : ValueSuite(engine), IClassFixture<SqliteEngine>;

public sealed class SqliteRowValues(SqliteEngine engine)
    : ValueSuite(engine, "insert_each_sample"), IClassFixture<SqliteEngine>;
