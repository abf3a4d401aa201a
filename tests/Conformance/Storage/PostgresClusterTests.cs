using System.Diagnostics;
using Npgsql;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Storage.Postgres;

namespace Orderwright.Conformance.Storage;

/// <summary>A primary with a standby, and connections with TLS.</summary>
public sealed class PostgresClusterTests(Servers servers, ITestOutputHelper output) : IDisposable
{
    static readonly SqlQuery Insert = new("insert", "INSERT INTO facts DEFAULT VALUES");
    static readonly SqlQuery Count = new("count", "SELECT count(*) AS count FROM facts");
    static readonly Migration Facts = new("facts", 1, "facts", "CREATE TABLE facts (id bigint GENERATED ALWAYS AS IDENTITY);");

    readonly string directory = Directory.CreateDirectory(
        Path.Combine(Path.GetTempPath(), $"orderwright-replicas-{Guid.NewGuid():N}")).FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_service_follows_the_promotion_of_a_standby_without_a_restart()
    {
        servers.RequirePostgres();
        await using var primary = await PrivatePostgres.StartAsync(Path.Combine(directory, "primary"));
        await using var standby = await primary.StartStandbyAsync(Path.Combine(directory, "standby"));
        // The standby is named first, and skipped while another host accepts writes.
        await using var database = new PostgresDatabase(
            standby.UrlWith("facts", primary), "conformance", new RuntimeOptions());
        await database.MigrateAsync([Facts], default);
        await WriteAsync(database);
        Assert.Equal(1, await CountAsync(database));
        while (await standby.AskAsync("postgres", "SELECT pg_last_wal_replay_lsn()") is var replayed
            && replayed != await primary.AskAsync("postgres", "SELECT pg_current_wal_lsn()"))
            await Task.Delay(50);

        await primary.KillAsync();
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => WriteAsync(database));
        await standby.PromoteAsync();
        var promoted = Stopwatch.StartNew();
        await Waiting.RetryAsync<int, DatabaseUnavailableException>(() => WriteAsync(database));
        var written = promoted.Elapsed;
        Assert.Equal(2, await Waiting.RetryAsync<long, DatabaseUnavailableException>(() => CountAsync(database)));
        output.WriteLine(
            $"first write {written.TotalSeconds:0.00} s after the promotion, first read {promoted.Elapsed.TotalSeconds:0.00} s");
        Assert.True(written < TimeSpan.FromSeconds(15), $"{written}");
    }

    [Fact]
    public async Task Without_a_host_that_accepts_writes_a_database_is_unavailable()
    {
        servers.RequirePostgres();
        await using var primary = await PrivatePostgres.StartAsync(Path.Combine(directory, "primary"));
        await primary.AdministerAsync("postgres", "CREATE DATABASE facts");
        await using var standby = await primary.StartStandbyAsync(Path.Combine(directory, "standby"));
        await using var database = new PostgresDatabase(
            primary.UrlWith("facts", standby), "conformance", new RuntimeOptions());
        await primary.KillAsync();
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.MigrateAsync([Facts], default));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => WriteAsync(database));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => CountAsync(database));
    }

    [Fact]
    public async Task A_server_is_verified_by_the_authority_of_a_file()
    {
        servers.RequirePostgres();
        var certificates = TestCertificates.Write(Path.Combine(directory, "tls"));
        await using var server = await PrivatePostgres.StartAsync(
            Path.Combine(directory, "tls"), settings:
            ["ssl=on", $"ssl_cert_file={certificates.Server}", $"ssl_key_file={certificates.ServerKey}"]);
        var address = server.UrlWith("facts").Split('?')[0];
        await using (var database = new PostgresDatabase(
            $"{address}?sslmode=verify-full&sslrootcert={certificates.Authority}", "conformance", new RuntimeOptions()))
        {
            await database.MigrateAsync([Facts], default);
            await WriteAsync(database);
            var encrypted = new SqlQuery("ssl", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
            Assert.True((await database.QueryAsync(encrypted, SqlArgs.None, row => row.Bool("ssl")))[0]);
        }
        await RefusedAsync($"{address}?sslmode=verify-full&sslrootcert={certificates.OtherAuthority}");
        // The certificate names 127.0.0.1 only.
        await RefusedAsync(
            $"{address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}?sslmode=verify-full&sslrootcert="
            + certificates.Authority);

        static async Task RefusedAsync(string address)
        {
            await using var database = new PostgresDatabase(address, "conformance", new RuntimeOptions());
            await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.MigrateAsync([Facts], default));
            await Assert.ThrowsAsync<DatabaseUnavailableException>(() => CountAsync(database));
        }
    }

    [Theory]
    [InlineData(
        "postgres://me:p%2Css@db1,db2:6432,[::1]:5433/shop?target_session_attrs=read-write",
        "Host=db1,db2:6432,[::1]:5433;Username=me;Password=p,ss;Database=shop;Target Session Attributes=read-write")]
    [InlineData("postgres://db1,db2/shop", "Host=db1,db2;Database=shop;Target Session Attributes=read-write")]
    [InlineData(
        "postgres://db1,db2/shop?target_session_attrs=primary", "Host=db1,db2;Database=shop;Target Session Attributes=primary")]
    [InlineData("postgres://[::1]:5433/shop", "Host=::1;Port=5433;Database=shop")]
    public void An_address_may_name_several_hosts(string address, string expected) =>
        Assert.True(
            new NpgsqlConnectionStringBuilder(expected).EquivalentTo(PostgresAddress.Parse(address)),
            PostgresAddress.Parse(address).ConnectionString);

    [Theory]
    [InlineData("postgres://db1,/shop", "is no host")]
    [InlineData("postgres://db1:99999,db2/shop", "no valid port")]
    [InlineData("postgres://db1:port/shop", "is no host")]
    [InlineData("postgres://db1,db2/shop?target_session_attrs=any", "accepts writes")]
    [InlineData("postgres://db1,db2/shop?target_session_attrs=sometimes", "")]
    [InlineData("Host=db1,db2;Database=shop;Target Session Attributes=standby", "accepts writes")]
    public void A_wrong_address_of_several_hosts_is_refused(string address, string why) =>
        Assert.Contains(
            why, Assert.Throws<DatabaseUnfitException>(() => PostgresAddress.Parse(address)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("postgres://me:s@db1,db2", "postgres://me:s@db1,db2/shop")]
    [InlineData("postgres://me:s@db1,db2/", "postgres://me:s@db1,db2/shop")]
    [InlineData("postgres://db1,db2/?sslmode=require", "postgres://db1,db2/shop?sslmode=require")]
    [InlineData("postgres://db1/other?sslmode=require", "postgres://db1/other?sslmode=require")]
    [InlineData("Host=db1", "Host=db1;Database=shop")]
    [InlineData("Host=db1;Database=other", "Host=db1;Database=other")]
    public void A_database_name_is_added_to_an_address_without_one(string address, string expected) =>
        Assert.Equal(expected, PostgresAddress.WithDatabase(address, "shop"));

    [Fact]
    public void Servers_are_described_with_their_ports() =>
        Assert.Equal(
            ["db1:5432, db2:6432, [::1]:5433", "db:5432"],
            new[] { "postgres://db1,db2:6432,[::1]:5433/x", "postgres://db/x" }
                .Select(address => PostgresAddress.Server(PostgresAddress.Parse(address))));

    static Task<int> WriteAsync(PostgresDatabase database) =>
        database.WriteAsync(tx => tx.ExecuteAsync(Insert, SqlArgs.None), default);

    static async Task<long> CountAsync(PostgresDatabase database) =>
        (await database.QueryAsync(Count, SqlArgs.None, row => row.BigInt("count")))[0];
}
