using Npgsql;
using Orderwright.Conformance.Storage;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Customer;

public sealed class JournalOnPostgresTests(PostgresEngine engine) : JournalSuite(engine), IClassFixture<PostgresEngine>
{
    readonly PostgresEngine postgres = engine;

    [Fact]
    public async Task What_stands_is_not_truncated()
    {
        await using var server = await CustomerServer.StartAsync(postgres);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync("TRUNCATE journal", SqlArgs.None));
        Assert.Contains(Refusal, refused.ToString(), StringComparison.Ordinal);
    }
}

/// <summary>Databases as compose and <c>up</c> make them: a role of the service's own, and a journal that is not its own.</summary>
public sealed class SealedPostgres(Servers servers) : PostgresEngine(servers)
{
    /// <summary>Of the server's administrator, by the service's.</summary>
    public Dictionary<string, string> Administrators { get; } = [];

    public override async Task<string> NewAddressAsync()
    {
        var administrator = await NewDatabaseAsync();
        var settings = new NpgsqlConnectionStringBuilder(administrator);
        var role = settings.Database!;
        await AdministerAsync($"CREATE ROLE {role} LOGIN PASSWORD 'of-the-service'");
        await AdministerAsync($"CREATE DATABASE {role} OWNER {role}");
        using var seal = new StreamReader(typeof(SealedPostgres).Assembly.GetManifestResourceStream("postgres-seal.txt")!);
        await using var connection = new NpgsqlConnection(administrator);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(await seal.ReadToEndAsync(), connection);
        await command.ExecuteNonQueryAsync();
        (settings.Username, settings.Password) = (role, "of-the-service");
        Administrators[settings.ConnectionString] = administrator;
        return settings.ConnectionString;
    }
}

/// <summary>All of it once more where the service is not the journal's owner, and what it cannot do there.</summary>
public sealed class JournalSealedTests(SealedPostgres engine) : JournalSuite(engine), IClassFixture<SealedPostgres>
{
    readonly SealedPostgres postgres = engine;

    protected override string Refusal => "permission denied for table journal";

    [Theory]
    [InlineData("TRUNCATE journal")]
    [InlineData("DROP TABLE journal")]
    [InlineData("DROP SCHEMA public CASCADE")]
    [InlineData("DROP TRIGGER journal_append_only ON journal")]
    [InlineData("DROP FUNCTION refuse_journal_change() CASCADE")]
    [InlineData("ALTER TABLE journal DISABLE TRIGGER USER")]
    [InlineData("ALTER TABLE journal OWNER TO CURRENT_USER")]
    [InlineData("ALTER TABLE journal DROP CONSTRAINT journal_entry")]
    [InlineData("ALTER SCHEMA public OWNER TO CURRENT_USER")]
    [InlineData("CREATE RULE nothing AS ON INSERT TO journal DO INSTEAD NOTHING")]
    [InlineData("SET ROLE orderwright_journal")]
    [InlineData("SET session_replication_role = replica")]
    public async Task Who_has_the_services_password_cannot_get_around_it(string statement)
    {
        await using var server = await CustomerServer.StartAsync(postgres);
        await server.AddCustomerAsync(credit: 2_000);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync(statement, SqlArgs.None));
        Assert.Matches("permission denied|must be owner", refused.ToString());
    }

    [Fact]
    public async Task A_right_that_it_gives_itself_is_none()
    {
        await using var server = await CustomerServer.StartAsync(postgres);
        await server.AddCustomerAsync(credit: 2_000);
        await server.ExecuteAsync("GRANT ALL ON journal TO CURRENT_USER", SqlArgs.None);
        await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync("UPDATE journal SET amount = 1", SqlArgs.None));
    }

    [Fact]
    public async Task A_journal_that_was_there_before_is_sealed_as_well()
    {
        var address = await postgres.NewAddressAsync();
        await using var administrator = new NpgsqlConnection(postgres.Administrators[address]);
        await administrator.OpenAsync();
        await DoAsync("CREATE TABLE journal (amount bigint)", new NpgsqlConnection(address));
        await DoAsync(
            "CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'", new NpgsqlConnection(address));
        await using (var again = new NpgsqlCommand("SELECT seal_journal(), seal_journal()", administrator))
            await again.ExecuteNonQueryAsync();
        await DoAsync("INSERT INTO journal VALUES (1)", new NpgsqlConnection(address));
        await Assert.ThrowsAsync<PostgresException>(() => DoAsync("DELETE FROM journal", new NpgsqlConnection(address)));

        static async Task DoAsync(string statement, NpgsqlConnection connection)
        {
            await using var _ = connection;
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
