using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Http;
using Orderwright.Http.Visitors;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Storage;

/// <summary>Sessions of visitors at two instances that share a database and a session key, on every engine.</summary>
public abstract class SessionSuite(StorageEngine engine)
{
    static readonly RuntimeOptions Options = new();
    static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    readonly ManualTime time = new();
    readonly Sealer sealer = Sealer.OfThisProcess();
    readonly string ann = $"login:ann-{Guid.NewGuid()}";

    [Fact]
    public async Task A_copy_of_the_cookie_is_void_at_every_instance_after_signing_out()
    {
        var (one, other) = (Instance(), Instance());
        var cookie = SignIn(one, ann);
        Assert.Equal(ann, (await other.FindAsync(With(cookie)))?.Caller.Name);
        await one.SignOutAsync(With(cookie));
        Assert.Null(await one.FindAsync(With(cookie)));
        // The other instance reads again after a second.
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await other.FindAsync(With(cookie)));
    }

    [Fact]
    public async Task Ending_the_sessions_of_a_person_ends_the_present_ones_only()
    {
        var sessions = Instance();
        var (present, another) = (SignIn(sessions, ann), SignIn(sessions, $"{ann}-2"));
        await sessions.EndAsync(ann, "operator", "left the company", null);
        Assert.Null(await sessions.FindAsync(With(present)));
        Assert.NotNull(await sessions.FindAsync(With(another)));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await sessions.FindAsync(With(SignIn(sessions, ann))));

        var record = Assert.Single(
            await new Audit("conformance", engine.Database, engine.RuntimeSql).ListAsync(
                new(Action: "end-sessions"), 100, default),
            record => record.Subject == ann);
        Assert.Equal(("operator", "left the company"), (record.Actor, record.Reason));
    }

    [Fact]
    public async Task A_session_ends_after_its_time_and_is_then_forgotten()
    {
        var sessions = Instance();
        var cookie = SignIn(sessions, ann);
        await sessions.SignOutAsync(With(cookie));
        time.Advance(Lifetime);
        Assert.Null(await sessions.FindAsync(With(cookie)));
        var later = SignIn(sessions, ann);
        time.Advance(Lifetime - TimeSpan.FromSeconds(1));
        Assert.NotNull(await sessions.FindAsync(With(later)));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await sessions.FindAsync(With(later)));
    }

    [Fact]
    public async Task A_proof_opens_for_a_minute_and_a_cookie_is_no_proof()
    {
        var sessions = Instance();
        var cookie = SignIn(sessions, ann);
        var proof = (await sessions.FindAsync(With(cookie)))!.Value.Proof;
        var tokens = new PersonTokens(sealer, time);
        Assert.Equal(ann, tokens.Read(proof)?.Name);
        Assert.Null(tokens.Read(PersonTokens.Mark + cookie));
        Assert.Null(new PersonTokens(Sealer.OfThisProcess(), time).Read(proof));
        Assert.Null(tokens.Read(proof[..^4] + "AAAA"));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(tokens.Read(proof));
    }

    VisitorSessions Instance()
    {
        var runner = new BatchRunner(
            "conformance", engine.Database, new InProcessTransport(Options, time), Options, time, new IdSource(),
            new Metrics("conformance"), NullLogger<BatchRunner>.Instance);
        var context = new ServiceContext(
            "conformance", engine.Database, engine.Sql, engine.RuntimeSql, runner, Options,
            new ConfigurationBuilder().Build(), time, new IdSource(), NullLoggerFactory.Instance);
        return new(
            sealer, _ => null, takesKeys: true, [],
            new EndedSessions(context, new Audit("conformance", engine.Database, engine.RuntimeSql)), Lifetime);
    }

    protected static string SignIn(VisitorSessions sessions, string name)
    {
        var http = new DefaultHttpContext();
        Assert.True(sessions.TrySignIn(http, new Person(name, [Scopes.Orders], ["main"])));
        return http.Response.Headers.SetCookie.ToString().Split('=', 2)[1].Split(';')[0];
    }

    protected static DefaultHttpContext With(string cookie)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.Cookie = $"orderwright_session={cookie}";
        return http;
    }

    // Only Advance moves the clock.
    sealed class ManualTime : TimeProvider
    {
        long ticks = System.GetUtcNow().UtcTicks;

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
    }
}

public sealed class PostgresSessions(PostgresEngine engine) : SessionSuite(engine), IClassFixture<PostgresEngine>
{
    readonly PostgresEngine postgres = engine;

    [Fact]
    public async Task A_session_ends_at_once_in_a_process_whose_clock_is_a_day_ahead_of_the_databases()
    {
        await using var database = postgres.Open(await postgres.NewDatabaseAsync());
        var time = new DayAhead();
        await using var transport = new InProcessTransport(new RuntimeOptions(), time);
        await using var service = new RunningService(
            new StockService.StockModule(), database, transport, new RuntimeOptions(), new ConfigurationBuilder().Build(), time,
            new IdSource(), NullLoggerFactory.Instance);
        await service.StartAsync(default);
        var sessions = new VisitorSessions(
            Sealer.OfThisProcess(), _ => null, takesKeys: true, [], new EndedSessions(service.Context, service.Audit),
            TimeSpan.FromHours(1));
        var cookie = SignIn(sessions, "login:ann");
        Assert.NotNull(await sessions.FindAsync(With(cookie)));
        await sessions.EndAsync("login:ann", "operator", "left the company", null);
        Assert.Null(await sessions.FindAsync(With(cookie)));
    }

    sealed class DayAhead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(1);
    }
}

public sealed class SqliteSessions(SqliteEngine engine) : SessionSuite(engine), IClassFixture<SqliteEngine>;
