using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// PostgreSQL database of a service. Statements are prepared at their second use, so a transaction costs a round trip per
/// statement and another for COMMIT: Npgsql sends BEGIN along with the first statement, and pooled connections are not reset,
/// because sessions hold no state. Statement-mode poolers are therefore not supported. With several hosts, new connections go
/// to the host that accepts writes, and after a failover to the promoted one.
/// </summary>
public sealed class PostgresDatabase : IDatabase
{
    // Compiling plans takes longer than any of our statements.
    const string EverySession = "-c jit=off";

    // The warning about a cancelled wait for a standby must arrive, whatever the operator's options.
    const string LastWord = "-c client_min_messages=warning";

    static readonly SqlQuery ServerState = new(
        "server_state",
        """
        SELECT clock_timestamp() AS now, current_setting('synchronous_commit') AS synchronous_commit,
            current_setting('fsync') AS fsync, current_setting('synchronous_standby_names') AS standbys
        """);

    // Writes find each row of the set by key. A plan that scans the table, chosen while the table was small, would stay at up
    // to 70 times the cost per row. With all other plans disabled, each statement is planned once and not per batch.
    const string Writing =
        "-c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off";

    // Reads depend on their filters: each is planned for the actual values.
    const string Reading = "-c plan_cache_mode=force_custom_plan -c default_transaction_read_only=on";

    readonly string connectionString;
    readonly RuntimeOptions options;
    readonly WarmConnections writers;
    readonly WarmConnections readers;
    volatile bool hasStandby;

    /// <param name="address">Npgsql connection string, or URL <c>postgres://user:password@host:5432/name</c>.</param>
    /// <param name="service">Application name shown by the server.</param>
    /// <param name="options">Limits: connections, and duration of a transaction.</param>
    public PostgresDatabase(string address, string service, RuntimeOptions options)
    {
        this.options = options;
        var timeout = (long)options.TransactionTimeout.TotalMilliseconds;
        connectionString = PostgresAddress.Parse(address).ConnectionString;
        // If this process or the network vanishes, the server releases our locks.
        writers = Pool(
            service, options.MaxWriters,
            $"{Writing} -c statement_timeout={timeout} -c idle_in_transaction_session_timeout={timeout}",
            TargetSessionAttributes.ReadWrite, PostgresFitness.CheckAsync);
        // Reads follow our own writes, so they go to the primary as well; these sessions are read-only by their own option.
        readers = Pool($"{service}/reads", options.MaxReaders, Reading, TargetSessionAttributes.Primary);
    }

    public string Engine => "postgres";

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        options.Migrate
            ? PostgresMigrations.ApplyAsync(connectionString, migrations, grantTo: null, cancel)
            : PostgresMigrations.RequireAsync(connectionString, migrations, cancel);

    public async Task<DatabaseState> StateAsync(CancellationToken cancel)
    {
        var (state, standbys) = (await QueryAsync(
            ServerState, SqlArgs.None,
            row => (
                new DatabaseState(
                    row.Time("now"),
                    PostgresFitness.Why("synchronous_commit", row.Text("synchronous_commit"))
                        ?? PostgresFitness.Why("fsync", row.Text("fsync"))),
                row.Text("standbys")),
            cancel))[0];
        hasStandby = standbys.Length > 0;
        return state;
    }

    public async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.TransactionTimeout);
        WarmConnections.Lease? lease = null;
        NpgsqlTransaction? transaction = null;
        var committing = Task.CompletedTask;
        try
        {
            var session = new PostgresSession(BeginAsync, limit.Token) { HasStandby = hasStandby };
            var result = await work(session);
            limit.Token.ThrowIfCancellationRequested();
            lease?.ClearWarning();
            committing = session.CommitAsync();
            await EndAsync(committing);
            if (lease is { HasWarned: true })
                throw new DatabaseUnavailableException(
                    "PostgreSQL warned at a commit: its wait for a standby was cancelled, and its outcome is unknown.");
            return result;
        }
        catch (OperationCanceledException error) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new DatabaseUnavailableException(
                $"A transaction did not end within {options.TransactionTimeout}.", error);
        }
        finally
        {
            if (lease is { } taken && !committing.IsCompleted)
                taken.Abandon(committing);
            else
            {
                if (transaction is not null) await transaction.DisposeAsync();
                if (lease is { } ended) await (ended.HasWarned ? ended.DropAsync() : ended.DisposeAsync());
            }
        }

        // Begins with the first statement: a transaction without statements takes no connection and costs no round trip.
        async ValueTask<NpgsqlConnection> BeginAsync()
        {
            var taken = await writers.TakeAsync(limit.Token);
            lease = taken;
            transaction = await taken.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, limit.Token);
            return taken.Connection;
        }
    }

    public async Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel)
    {
        await using var lease = await readers.TakeAsync(cancel);
        await using var transaction = await lease.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
        return await read(PostgresSession.Over(lease.Connection, cancel));
    }

    public async Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
    {
        await using var lease = await readers.TakeAsync(cancel);
        return await PostgresSession.Over(lease.Connection, cancel).QueryAsync(query, args, map, cancel);
    }

    public async IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await using var lease = await readers.TakeAsync(cancel);
        await foreach (var item in PostgresSession.Over(lease.Connection, cancel).StreamAsync(query, args, map, cancel))
            yield return item;
    }

    public async ValueTask DisposeAsync()
    {
        await writers.DisposeAsync();
        await readers.DisposeAsync();
    }

    async Task EndAsync(Task committing)
    {
        try
        {
            await committing.WaitAsync(options.TransactionTimeout);
        }
        catch (TimeoutException error)
        {
            throw new DatabaseUnavailableException(
                $"A commit was not confirmed within {options.TransactionTimeout}; its outcome is unknown.", error);
        }
    }

    WarmConnections Pool(
        string applicationName, int connections, string sessionOptions, TargetSessionAttributes target,
        Func<NpgsqlConnection, CancellationToken, Task>? check = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        settings.ApplicationName = applicationName;
        // Abandoned commits may hold as many connections again.
        settings.MaxPoolSize = 2 * connections;
        settings.MaxAutoPrepare = 100;
        settings.AutoPrepareMinUsages = 2;
        settings.NoResetOnClose = true;
        // A vanished server ends an abandoned commit after two minutes.
        settings.TcpKeepAlive = true;
        settings.TcpKeepAliveTime = 30;
        settings.TcpKeepAliveInterval = 10;
        // Of several hosts, the next waits for the time-out of a silent one.
        settings.Timeout = (int)Math.Clamp(
            options.TransactionTimeout.TotalSeconds, 1, PostgresAddress.HasSeveralHosts(settings) ? 3 : 10);
        var patience = TimeSpan.FromSeconds(settings.Timeout);
        settings.CommandTimeout = (int)Math.Max(1, Math.Ceiling(options.TransactionTimeout.TotalSeconds));
        // The last option wins, so the operator's own options take precedence.
        settings.Options = $"{EverySession} {sessionOptions} {settings.Options} {LastWord}";
        return new WarmConnections(SourceOf(settings, target), connections, patience, check);
    }

    static NpgsqlDataSource SourceOf(NpgsqlConnectionStringBuilder settings, TargetSessionAttributes target)
    {
        if (!PostgresAddress.HasSeveralHosts(settings)) return BuilderOf(settings).Build();
        // Set by the source instead.
        settings.Remove("Target Session Attributes");
        // For this long a host counts as what it was last: a promoted standby is found a second later.
        settings.HostRecheckSeconds = 1;
        return BuilderOf(settings).BuildMultiHost().WithTargetSession(target);
    }

    // The name is a tag of the pool's metrics; the default is the connection string.
    static NpgsqlDataSourceBuilder BuilderOf(NpgsqlConnectionStringBuilder settings) =>
        new(settings.ConnectionString) { Name = settings.ApplicationName };
}
