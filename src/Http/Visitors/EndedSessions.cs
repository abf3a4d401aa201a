using System.Collections.Frozen;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Http.Visitors;

/// <summary>
/// Sessions that ended before their time, kept in the database so that every instance knows them, and read again after a second.
/// While the database is unavailable, the last reading counts.
/// </summary>
/// <param name="context">Service whose database keeps the sessions.</param>
/// <param name="audit">Audit of that service.</param>
public sealed class EndedSessions(ServiceContext context, Audit audit)
{
    static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    long? readAt;
    Task reading = Task.CompletedTask;
    volatile FrozenDictionary<string, DateTimeOffset> ended = FrozenDictionary<string, DateTimeOffset>.Empty;

    /// <summary>
    /// Clock of the service that keeps the sessions, and of their beginnings: by another clock a session could outlive its end.
    /// </summary>
    public TimeProvider Time => context.Time;

    internal async ValueTask<bool> ContainsAsync(Session session)
    {
        await RefreshAsync();
        return ended.ContainsKey(KeyOf(session.Id))
            || (session.Person is { } person && ended.TryGetValue(KeyOf(person.Name), out var at) && session.Since <= at);
    }

    /// <summary>Ends a session, and forgets it when it would have ended anyway.</summary>
    public Task EndAsync(Guid session, DateTimeOffset until) =>
        EndAsync(work => SaveAsync(work, KeyOf(session), until));

    /// <summary>Ends all sessions of a person that began until now. Audited.</summary>
    public Task EndAsync(string person, TimeSpan lifetime, string actor, string reason, string? traceId) =>
        EndAsync(async work =>
        {
            await SaveAsync(work, KeyOf(person), work.Now + lifetime);
            await audit.AppendAsync(
                work,
                [new(work.NewId(), context.Service, work.Now, actor, "end-sessions", null, person, reason, null, null, traceId)]);
        });

    async Task EndAsync(Func<Work, Task> save)
    {
        await context.Runner.RunOnceAsync(save, CancellationToken.None);
        await ReadAsync();
    }

    async Task SaveAsync(Work work, string key, DateTimeOffset forgetAt)
    {
        await work.ExecuteAsync(context.RuntimeSql["forget_ended_sessions"], SqlArgs.With("now", work.Now));
        await work.ExecuteAsync(
            context.RuntimeSql["end_session"],
            SqlArgs.With("session", key).And("now", work.Now).And("forget_at", forgetAt));
    }

    async ValueTask RefreshAsync()
    {
        Task current;
        lock (gate)
        {
            if (readAt is { } at && context.Time.GetElapsedTime(at) < MaxAge && reading.IsCompleted) return;
            if (reading.IsCompleted)
            {
                readAt = context.Time.GetTimestamp();
                reading = ReadAsync();
            }
            current = reading;
        }
        try
        {
            await current;
        }
        catch (DatabaseUnavailableException)
        {
        }
    }

    async Task ReadAsync() =>
        ended = (await context.Database.QueryAsync(
            context.RuntimeSql["ended_sessions"], SqlArgs.With("now", context.Time.GetUtcNow()),
            row => (Session: row.Text("session"), At: row.Time("ended_at")), CancellationToken.None))
            .ToFrozenDictionary(row => row.Session, row => row.At);

    static string KeyOf(Guid session) => $"session {session:N}";

    static string KeyOf(string person) => $"person {person}";
}
