using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.Storage.Postgres;

namespace Orderwright.Conformance.Storage;

/// <summary>Facts about PostgreSQL only: a server may be misconfigured, refuse connections, or disappear.</summary>
public sealed class PostgresFacts(PostgresEngine engine, Servers servers) : IClassFixture<PostgresEngine>
{
    static readonly SqlQuery Backend = new("backend", "SELECT pg_backend_pid()");
    static readonly SqlQuery Name = new("name", "SELECT current_database()::text");

    static SqlQuery Show(string setting) => new($"show_{setting}", $"SELECT current_setting('{setting}') AS {setting}");

    [Fact]
    public async Task Killed_connections_are_unavailable_once_and_then_replaced()
    {
        // A separate database, so that no other test loses connections.
        await using var database = engine.Open(await engine.NewDatabaseAsync());
        await database.MigrateAsync([], default);
        var name = (await database.QueryAsync(Name, SqlArgs.None, row => row.Text("current_database")))[0];
        // Four idle connections of either kind, all closed at once.
        using var all = new CountdownEvent(8);
        await Task.WhenAll(Enumerable.Range(0, 4).SelectMany(_ => new[]
        {
            Task.Run(() => database.WriteAsync(MeetAsync, default)), Task.Run(() => database.ReadAsync(MeetAsync, default)),
        }));
        await KillAllAsync(name);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.WriteAsync(BackendAsync, default));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() =>
            database.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid")));

        await database.WriteAsync(BackendAsync, default);
        await database.ReadAsync(BackendAsync, default);
        await database.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid"));

        static Task<List<int>> BackendAsync(IQueries queries) =>
            queries.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid"));

        async Task<List<int>> MeetAsync(IQueries queries)
        {
            var backend = await BackendAsync(queries);
            all.Signal();
            Assert.True(all.Wait(Waiting.HangLimit));
            return backend;
        }
    }

    [Fact]
    public async Task A_connection_killed_inside_a_transaction_is_unavailable_and_leaves_nothing()
    {
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => engine.Database.WriteAsync(
            async tx =>
            {
                await tx.ExecuteAsync(
                    engine.Sql["insert_counters"],
                    SqlArgs.Over([1]).Text("key", _ => "killed").BigInt("value", _ => 1));
                var backend = (await tx.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid")))[0];
                await engine.AdministerAsync($"SELECT pg_terminate_backend({backend}, 5000)");
                return await tx.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid"));
            },
            default));
        Assert.Empty(await engine.Database.QueryAsync(
            engine.Sql["read_counters"], SqlArgs.OfTexts("key", ["killed"]), row => row.Text("key")));
    }

    [Fact]
    public async Task A_connection_killed_before_the_commit_is_unavailable() =>
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => engine.Database.WriteAsync(
            async tx =>
            {
                var backend = (await tx.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid")))[0];
                await engine.AdministerAsync($"SELECT pg_terminate_backend({backend}, 5000)");
                return true;
            },
            default));

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        await using var database = engine.Open("Host=127.0.0.1;Port=1;Database=x;Username=x;Password=x");
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.MigrateAsync([], default));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() =>
            database.WriteAsync(tx => tx.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid")), default));
        Assert.Equal(1, await database.WriteAsync(_ => Task.FromResult(1), default)); // it asks nothing
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() =>
            database.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid")));
    }

    [Fact]
    public async Task A_deadlock_is_unavailable_for_one_and_a_commit_for_the_other()
    {
        if (Environment.GetEnvironmentVariable("LD_PRELOAD")?.Contains("faketime", StringComparison.Ordinal) == true
            && Environment.GetEnvironmentVariable("FAKETIME_ONLY_CMDS") is null)
            Assert.Skip(
                "libfaketime hides its time from signal handlers, so this server never looks for deadlocks: add --true-servers.");
        var counters = SqlArgs.Over(["dead1", "dead2"]).Text("key", key => key).BigInt("value", _ => 0);
        await engine.Database.WriteAsync(tx => tx.ExecuteAsync(engine.Sql["insert_counters"], counters), default);
        using var both = new Barrier(2);
        var outcomes = await Task.WhenAll(LockAsync("dead1", "dead2"), LockAsync("dead2", "dead1"));
        Assert.Equal(["committed", "unavailable"], outcomes.Order());

        Task<string> LockAsync(string first, string second) => Task.Run(async () =>
        {
            try
            {
                return await engine.Database.WriteAsync(
                    async tx =>
                    {
                        await tx.QueryAsync(engine.Sql["lock_counters"], SqlArgs.OfTexts("key", [first]), row => row.Text("key"));
                        both.SignalAndWait(Waiting.HangLimit);
                        await tx.QueryAsync(
                            engine.Sql["lock_counters"], SqlArgs.OfTexts("key", [second]), row => row.Text("key"));
                        return "committed";
                    },
                    default);
            }
            catch (DatabaseUnavailableException)
            {
                return "unavailable";
            }
        });
    }

    [Fact]
    public async Task A_database_without_synchronous_commit_is_refused_by_the_settings_name()
    {
        var address = await engine.NewDatabaseAsync();
        await using (var database = engine.Open(address)) await database.MigrateAsync([], default);
        var name = new NpgsqlConnectionStringBuilder(address).Database;
        await engine.AdministerAsync($"ALTER DATABASE {name} SET synchronous_commit = off");
        await using var risky = engine.Open(address);
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => risky.MigrateAsync([], default));
        Assert.Contains("synchronous_commit is off", error.Message, StringComparison.Ordinal);
        Assert.Contains("Set synchronous_commit = on", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_fsync_is_refused_by_the_settings_name()
    {
        Assert.SkipUnless(
            servers.PostgresIsOurs,
            "needs a server that it may start with fsync off, and ORDERWRIGHT_TEST_POSTGRES names another one");
        await using var risky = await servers.StartPostgresAsync("fsync-off", "fsync=off");
        await using var database = engine.Open(risky.ConnectionString("shop"));
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([], default));
        Assert.Contains("fsync is off", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_made_with_text_sorted_by_bytes()
    {
        await using var database = engine.Open(await engine.NewDatabaseAsync());
        await database.MigrateAsync([], default);
        Assert.Equal(
            ["UTF8"], await database.QueryAsync(Show("server_encoding"), SqlArgs.None, row => row.Text("server_encoding")));
        Assert.Equal(["C"], await database.QueryAsync(
            new("collation", "SELECT datcollate FROM pg_database WHERE datname = current_database()"), SqlArgs.None,
            row => row.Text("datcollate")));
    }

    [Fact]
    public async Task A_role_without_permission_to_create_its_database_gets_instructions()
    {
        await engine.AdministerAsync("DROP ROLE IF EXISTS conformance_poor; CREATE ROLE conformance_poor LOGIN PASSWORD 'p'");
        var settings = new NpgsqlConnectionStringBuilder(await engine.NewDatabaseAsync())
        {
            Username = "conformance_poor", Password = "p",
        };
        await using var database = engine.Open(settings.ConnectionString);
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([], default));
        Assert.Contains("CREATE DATABASE", error.Message, StringComparison.Ordinal);
        Assert.Contains("conformance_poor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_role_is_named_without_its_password()
    {
        var settings = new NpgsqlConnectionStringBuilder(await engine.NewDatabaseAsync())
        {
            Username = "conformance_stranger", Password = "wr0ng-secret",
        };
        await using var database = engine.Open(settings.ConnectionString);
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => database.MigrateAsync([], default));
        Assert.Contains("refuses the role 'conformance_stranger'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wr0ng-secret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Writers_plan_once_and_only_by_key_readers_for_the_values_at_hand_and_both_limit_themselves()
    {
        await using var database = engine.OpenAnother(new() { TransactionTimeout = TimeSpan.FromSeconds(7) });
        Assert.Equal("force_generic_plan", await WriterShowsAsync("plan_cache_mode"));
        foreach (var other in new[] { "enable_seqscan", "enable_hashjoin", "enable_mergejoin" })
            Assert.Equal("off", await WriterShowsAsync(other));
        Assert.Equal("off", await WriterShowsAsync("jit"));
        Assert.Equal("7s", await WriterShowsAsync("statement_timeout"));
        Assert.Equal("7s", await WriterShowsAsync("idle_in_transaction_session_timeout"));
        Assert.Equal("read committed", await WriterShowsAsync("transaction_isolation"));
        Assert.Equal("on", await WriterShowsAsync("synchronous_commit"));
        Assert.Equal(
            ["repeatable read", "on", "force_custom_plan"],
            await database.ReadAsync(
                async read =>
                {
                    List<string> shown = [];
                    foreach (var setting in new[] { "transaction_isolation", "transaction_read_only", "plan_cache_mode" })
                        shown.AddRange(await read.QueryAsync(Show(setting), SqlArgs.None, row => row.Text(setting)));
                    return shown;
                },
                default));

        async Task<string> WriterShowsAsync(string setting) =>
            (await database.WriteAsync(tx => tx.QueryAsync(Show(setting), SqlArgs.None, row => row.Text(setting)), default))[0];
    }

    [Fact]
    public async Task The_connection_that_came_back_last_is_given_out_first()
    {
        await using var database = engine.OpenAnother();
        using var all = new CountdownEvent(4);
        var backends = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => database.WriteAsync(
            async tx =>
            {
                var backend = await BackendOfAsync(tx);
                all.Signal();
                Assert.True(all.Wait(Waiting.HangLimit));
                return backend;
            },
            default))));
        Assert.Equal(4, backends.Distinct().Count());
        var last = await database.WriteAsync(BackendOfAsync, default);
        Assert.Contains(last, backends);
        for (var i = 0; i < 5; i++) Assert.Equal(last, await database.WriteAsync(BackendOfAsync, default));
        Assert.NotEqual(
            last,
            await database.WriteAsync(
                async tx =>
                {
                    // The first connection is in use: the next one takes over.
                    await BackendOfAsync(tx);
                    return await database.WriteAsync(BackendOfAsync, default);
                },
                default));
    }

    [Fact]
    public async Task A_connection_is_waited_for_no_longer_than_a_transaction_may_take()
    {
        await using var database = engine.OpenAnother(new() { MaxWriters = 1, TransactionTimeout = TimeSpan.FromSeconds(1) });
        var ended = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        var first = database.WriteAsync(
            async tx =>
            {
                await BackendOfAsync(tx);
                begun.SetResult();
                await ended.Task;
                return true;
            },
            default);
        await begun.Task;
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.WriteAsync(BackendOfAsync, default));
        ended.SetResult();
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => first);
        await Waiting.RetryAsync<int, DatabaseUnavailableException>(() => database.WriteAsync(BackendOfAsync, default));
    }

    [Fact]
    public async Task Columns_are_sampled_less_unless_configured()
    {
        await using var database = engine.OpenAnother();
        var change = new SqlQuery("change", "ALTER TABLE counters ALTER COLUMN value SET STATISTICS 500");
        await database.WriteAsync(tx => tx.ExecuteAsync(change, SqlArgs.None), default);
        await database.MigrateAsync([.. engine.RuntimeSql.Migrations, .. engine.Sql.Migrations], default);
        var targets = await database.QueryAsync(
            new(
                "targets",
                """
                SELECT a.attname::text AS name, a.attstattarget::int AS target FROM pg_attribute a
                WHERE a.attrelid = 'counters'::regclass AND a.attnum > 0 ORDER BY a.attnum
                """),
            SqlArgs.None, row => (row.Text("name"), row.Int("target")));
        Assert.Equal([("key", 10), ("value", 500)], targets);
    }

    [Fact]
    public async Task Tables_are_sampled_after_doubling_unless_configured()
    {
        await using var database = engine.OpenAnother();
        var change = new SqlQuery("change", "ALTER TABLE counters SET (autovacuum_analyze_scale_factor = 0.3, fillfactor = 90)");
        await database.WriteAsync(tx => tx.ExecuteAsync(change, SqlArgs.None), default);
        await database.MigrateAsync([.. engine.RuntimeSql.Migrations, .. engine.Sql.Migrations], default);
        var options = await database.QueryAsync(
            new(
                "options",
                """
                SELECT relname::text, array_to_string(reloptions, ' ') AS options FROM pg_class
                WHERE oid IN ('counters'::regclass, 'dead_letters'::regclass) ORDER BY relname
                """),
            SqlArgs.None, row => (row.Text("relname"), row.Text("options")));
        Assert.Equal("counters", options[0].Item1);
        Assert.Contains("autovacuum_analyze_scale_factor=0.3", options[0].Item2, StringComparison.Ordinal);
        Assert.Equal(("dead_letters", "autovacuum_analyze_scale_factor=1"), options[1]);
    }

    [Fact]
    public async Task Statements_are_prepared_at_their_second_use()
    {
        await using var database = engine.OpenAnother(new() { MaxWriters = 1 });
        var query = engine.Sql["lock_counters"];
        for (var i = 0; i < 3; i++)
            await database.WriteAsync(
                tx => tx.QueryAsync(query, SqlArgs.OfTexts("key", ["none"]), row => row.Text("key")), default);
        var prepared = await database.WriteAsync(
            tx => tx.QueryAsync(
                new("prepared", "SELECT statement FROM pg_prepared_statements"),
                SqlArgs.None, row => row.Text("statement")), default);
        Assert.Contains(prepared, statement => statement.Contains("FOR UPDATE", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("postgres://me:p%40ss@db.example:6432/shop", "Host=db.example;Port=6432;Username=me;Password=p@ss;Database=shop")]
    [InlineData("postgresql://db.example/shop?sslmode=require", "Host=db.example;Database=shop;SSL Mode=Require")]
    [InlineData("Host=localhost;Database=shop", "Host=localhost;Database=shop")]
    public void An_address_is_a_url_or_a_connection_string(string address, string expected) =>
        Assert.True(
            new NpgsqlConnectionStringBuilder(expected).EquivalentTo(PostgresAddress.Parse(address)),
            PostgresAddress.Parse(address).ConnectionString);

    [Theory]
    [InlineData("")]
    [InlineData("postgres://me:secret@/")]
    [InlineData("mysql://me:secret@db/shop")]
    [InlineData("Host=localhost;Password=secret")]
    [InlineData("Host=localhost;Database=shop;Colour=secret")]
    public void An_address_that_cannot_be_read_is_refused_without_telling_it(string address)
    {
        var error = Assert.Throws<DatabaseUnfitException>(() => PostgresAddress.Parse(address));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_limit_of_ours_cancels_a_commit_that_waits_for_its_standby()
    {
        await using var primary = await servers.StartPostgresAsync("primary");
        await using var database = engine.Open(
            primary.ConnectionString("shop"), new() { TransactionTimeout = TimeSpan.FromSeconds(1), MaxWriters = 2 });
        await database.MigrateAsync(engine.Sql.Migrations, default);
        await WriteAsync(database, "before");
        // A standby that never comes.
        await primary.AdministerAsync("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        await primary.AdministerAsync("postgres", "SELECT pg_reload_conf()");
        await Waiting.UntilAsync(async () =>
            await primary.AskAsync("postgres", "SHOW synchronous_standby_names") == "nobody");

        var unknown = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => WriteAsync(database, "stalled"));
        Assert.Contains("its outcome is unknown", unknown.Message, StringComparison.Ordinal);
        // Longer than the command's and the statement's limits, and than Npgsql waits after a cancel request.
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.Equal("1", await WaitingCommitsAsync());
        Assert.Equal("0", await primary.AskAsync("shop", "SELECT count(*) FROM counters WHERE key = 'stalled'"));

        // A wait cancelled by an administrator succeeds with a warning, and is unknown as well.
        var cancelled = WriteAsync(database, "cancelled");
        await Waiting.UntilAsync(async () => await WaitingCommitsAsync() == "2");
        await primary.AdministerAsync(
            "postgres", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => cancelled);
        await Waiting.UntilAsync(async () =>
            await primary.AskAsync("shop", "SELECT count(*) FROM counters WHERE key = 'cancelled'") == "1");

        // The row is there, and is not repeated to anybody before a standby has it.
        await database.StateAsync(default);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => ReplayAsync(database));
        await primary.AdministerAsync("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
        await primary.AdministerAsync("postgres", "SELECT pg_reload_conf()");
        Assert.Equal(1, await Waiting.RetryAsync<int, DatabaseUnavailableException>(() => ReplayAsync(database)));

        Task<string> WaitingCommitsAsync() =>
            primary.AskAsync("postgres", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    }

    Task<int> WriteAsync(IDatabase database, string key) => database.WriteAsync(
        tx => tx.ExecuteAsync(
            engine.Sql["insert_counters"], SqlArgs.Over([1]).Text("key", _ => key).BigInt("value", _ => 1)),
        default);

    Task<int> ReplayAsync(IDatabase database) => database.WriteAsync(
        async tx =>
        {
            var rows = await tx.QueryAsync(
                engine.Sql["read_counters"], SqlArgs.OfTexts("key", ["cancelled"]), row => row.Text("key"));
            tx.MakeReadsDurable();
            return rows.Count;
        },
        default);

    [Theory]
    [InlineData("off")]
    [InlineData("local")]
    public async Task A_setting_that_stops_making_commits_durable_is_noticed_while_running(string value)
    {
        var address = await engine.NewDatabaseAsync();
        await using var database = engine.Open(address, new() { MaxReaders = 1 });
        await database.MigrateAsync(engine.Sql.Migrations, default);
        Assert.Null((await database.StateAsync(default)).Unfit);
        var name = new NpgsqlConnectionStringBuilder(address).Database;
        await engine.AdministerAsync($"ALTER DATABASE {name} SET synchronous_commit = {value}");
        await KillAllAsync(name!);
        var state = await Waiting.RetryAsync<DatabaseState, DatabaseUnavailableException>(() => database.StateAsync(default));
        Assert.Contains($"synchronous_commit is {value}", state.Unfit, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => WriteAsync(database, "unsafe"));
        Assert.Contains($"synchronous_commit is {value}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_whose_database_becomes_read_only_is_unready_until_a_probe_succeeds()
    {
        var address = await engine.NewDatabaseAsync();
        await using var database = engine.Open(address);
        var options = new RuntimeOptions { WatchInterval = TimeSpan.FromMilliseconds(100) };
        await using var transport = new InProcessTransport(options, TimeProvider.System);
        await using var service = new RunningService(
            new StockService.StockModule(), database, transport, options, new ConfigurationBuilder().Build(),
            TimeProvider.System, new IdSource(), NullLoggerFactory.Instance);
        await service.StartAsync(default);
        Assert.Null(service.Trouble);
        var name = new NpgsqlConnectionStringBuilder(address).Database!;
        await engine.AdministerAsync($"ALTER DATABASE {name} SET default_transaction_read_only = on");
        await KillAllAsync(name);
        await Waiting.UntilAsync(() => Task.FromResult(
            service.Trouble?.Contains("read-only", StringComparison.Ordinal) == true));
        await engine.AdministerAsync($"ALTER DATABASE {name} RESET default_transaction_read_only");
        await KillAllAsync(name);
        await Waiting.UntilAsync(() => Task.FromResult(service.Trouble is null));
    }

    [Fact]
    public async Task A_service_started_with_a_clock_three_days_ahead_uses_the_databases_clock_and_says_so()
    {
        await using var database = engine.Open(await engine.NewDatabaseAsync());
        var options = new RuntimeOptions { WatchInterval = TimeSpan.FromMilliseconds(100) };
        var time = new AheadTime { Ahead = TimeSpan.FromDays(3) };
        var jump = TimeSpan.FromMinutes(4);
        await using var transport = new InProcessTransport(options, TimeProvider.System);
        await using var service = new RunningService(
            new StockService.StockModule(), database, transport, options, new ConfigurationBuilder().Build(), time,
            new IdSource(), NullLoggerFactory.Instance);
        await service.StartAsync(default);
        // Three days, give or take a jump of the machine's own clock by three minutes.
        Assert.Matches("clock of this machine deviates by 259[0-3][0-9]{2} s", service.Trouble);
        Assert.InRange(service.Context.Time.GetUtcNow(), DateTimeOffset.UtcNow - jump, DateTimeOffset.UtcNow + jump);

        time.Ahead = TimeSpan.Zero;
        await Waiting.UntilAsync(() => Task.FromResult(service.Trouble is null));
        Assert.InRange(service.Context.Time.GetUtcNow(), DateTimeOffset.UtcNow - jump, DateTimeOffset.UtcNow + jump);
    }

    sealed class AheadTime : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }

    static async Task<int> BackendOfAsync(IQueries queries) =>
        (await queries.QueryAsync(Backend, SqlArgs.None, row => row.Int("pg_backend_pid")))[0];

    Task KillAllAsync(string database) => engine.AdministerAsync(
        $"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()");
}
