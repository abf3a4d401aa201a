using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// A service's PostgreSQL database. Statements prepare themselves at their second use, so a transaction costs one round
/// trip per statement and one for COMMIT: Npgsql sends BEGIN along with the first statement, and pooled connections are
/// not reset, as nothing here leaves state in a session. Hence no statement-mode pooler in between.
/// </summary>
public sealed class PostgresDatabase : IDatabase
{
    // Compiling plans takes longer than any of our statements.
    const string EverySession = "-c jit=off";

    // What is written is found by its key, row after row of the set: a plan that scans a table, chosen while it was small,
    // would stay at up to 70 times the cost a row (DESIGN.md, section 9). With no other plan left there is nothing to choose,
    // so each statement is planned once and not for every batch.
    const string Writing =
        "-c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off";

    // Reads are as their filters are: each is planned for the values at hand.
    const string Reading = "-c plan_cache_mode=force_custom_plan -c default_transaction_read_only=on";

    readonly string connectionString;
    readonly RuntimeOptions options;
    readonly WarmConnections writers;
    readonly WarmConnections readers;

    /// <param name="address">An Npgsql connection string, or a URL <c>postgres://user:password@host:5432/name</c>.</param>
    /// <param name="service">Shown by the server as the application's name.</param>
    /// <param name="options">Limits: connections, and how long a transaction may take.</param>
    public PostgresDatabase(string address, string service, RuntimeOptions options)
    {
        this.options = options;
        var timeout = (long)options.TransactionTimeout.TotalMilliseconds;
        connectionString = PostgresAddress.Parse(address).ConnectionString;
        // Should this process vanish, or the network between: the server lets go of our locks by itself.
        writers = Pool(
            service, options.MaxWriters,
            $"{Writing} -c statement_timeout={timeout} -c idle_in_transaction_session_timeout={timeout}");
        readers = Pool($"{service}/reads", options.MaxReaders, Reading);
    }

    public string Engine => "postgres";

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        PostgresMigrations.ApplyAsync(connectionString, migrations, cancel);

    public async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.TransactionTimeout);
        NpgsqlConnection? connection = null;
        NpgsqlTransaction? transaction = null;
        try
        {
            var session = new PostgresSession(BeginAsync, limit.Token);
            var result = await work(session);
            limit.Token.ThrowIfCancellationRequested();
            await session.CommitAsync();
            return result;
        }
        catch (OperationCanceledException error) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new DatabaseUnavailableException(
                $"A transaction did not end within {options.TransactionTimeout}.", error);
        }
        finally
        {
            if (transaction is not null) await transaction.DisposeAsync();
            if (connection is not null) await writers.ReturnAsync(connection);
        }

        // By the first statement: work that asks nothing takes no connection and costs no round trip.
        async ValueTask<NpgsqlConnection> BeginAsync()
        {
            connection = await writers.TakeAsync(limit.Token);
            transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, limit.Token);
            return connection;
        }
    }

    public async Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel)
    {
        var connection = await readers.TakeAsync(cancel);
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
            return await read(PostgresSession.Over(connection, cancel));
        }
        finally
        {
            await readers.ReturnAsync(connection);
        }
    }

    public async Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
    {
        var connection = await readers.TakeAsync(cancel);
        try
        {
            return await PostgresSession.Over(connection, cancel).QueryAsync(query, args, map, cancel);
        }
        finally
        {
            await readers.ReturnAsync(connection);
        }
    }

    public async IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var connection = await readers.TakeAsync(cancel);
        try
        {
            await foreach (var item in PostgresSession.Over(connection, cancel).StreamAsync(query, args, map, cancel))
                yield return item;
        }
        finally
        {
            await readers.ReturnAsync(connection);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await writers.DisposeAsync();
        await readers.DisposeAsync();
    }

    WarmConnections Pool(string applicationName, int connections, string sessionOptions)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        settings.ApplicationName = applicationName;
        settings.MaxPoolSize = connections;
        settings.MaxAutoPrepare = 100;
        settings.AutoPrepareMinUsages = 2;
        settings.NoResetOnClose = true;
        settings.TcpKeepAlive = true;
        settings.Timeout = (int)Math.Clamp(options.TransactionTimeout.TotalSeconds, 1, 10);
        var patience = TimeSpan.FromSeconds(settings.Timeout);
        settings.CommandTimeout = (int)Math.Max(1, Math.Ceiling(options.TransactionTimeout.TotalSeconds));
        // The last one wins: what the operator wrote stands.
        settings.Options = $"{EverySession} {sessionOptions} {settings.Options}".Trim();
        return new WarmConnections(new NpgsqlDataSourceBuilder(settings.ConnectionString).Build(), connections, patience);
    }
}
