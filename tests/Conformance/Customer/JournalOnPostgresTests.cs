using Npgsql;
using Orderwright.Conformance.Storage;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Customer;

public sealed class JournalOnPostgresTests(PostgresEngine engine) : JournalSuite(engine), IClassFixture<PostgresEngine>
{
    readonly PostgresEngine postgres = engine;

    [Fact]
    public async Task The_journal_cannot_be_truncated()
    {
        await using var server = await CustomerServer.StartAsync(postgres);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync("TRUNCATE journal", SqlArgs.None));
        Assert.Contains(Refusal, refused.ToString(), StringComparison.Ordinal);
    }
}

/// <summary>Databases as created by compose and <c>up</c>: a role for the service, and a journal with another owner.</summary>
public sealed class SealedPostgres(Servers servers) : PostgresEngine(servers)
{
    /// <summary>Connection string of the administrator, from the service's.</summary>
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

/// <summary>The journal suite with a sealed journal, and the statements refused there.</summary>
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
    public async Task The_services_own_role_cannot_circumvent_the_seal(string statement)
    {
        await using var server = await CustomerServer.StartAsync(postgres);
        await server.AddCustomerAsync(credit: 2_000);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync(statement, SqlArgs.None));
        Assert.Matches("permission denied|must be owner", refused.ToString());
    }

    [Fact]
    public async Task A_right_granted_by_the_service_to_itself_has_no_effect()
    {
        await using var server = await CustomerServer.StartAsync(postgres);
        await server.AddCustomerAsync(credit: 2_000);
        await server.ExecuteAsync("GRANT ALL ON journal TO CURRENT_USER", SqlArgs.None);
        await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync("UPDATE journal SET amount = 1", SqlArgs.None));
    }

    [Fact]
    public async Task An_existing_journal_is_sealed_as_well()
    {
        var address = await postgres.NewAddressAsync();
        await using var administrator = new NpgsqlConnection(postgres.Administrators[address]);
        await administrator.OpenAsync();
        await DoAsync("CREATE TABLE journal (amount bigint)", new NpgsqlConnection(address));
        await DoAsync(
            "CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
            new NpgsqlConnection(address));
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
