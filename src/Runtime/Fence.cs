using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>Kinds of work, by the state of the <see cref="Fence"/> that lets them pass.</summary>
public enum Passage
{
    /// <summary>Requests of clients and operators pass an open fence only.</summary>
    Requests,

    /// <summary>Messages, jobs and webhooks pass once the work is resumed after the first repairs.</summary>
    Work,

    /// <summary>Repairs always pass.</summary>
    Repairs,
}

/// <summary>
/// Keeps a service from acting on a database that is behind the other services, as after a restore to an earlier moment
/// (docs/adr/0033). While the fence is closed, no message is handled, no job runs, and no request is accepted; repairs and reads
/// go on. After the first repairs the work is resumed, and requests still wait until the services agree. The state is a row of
/// the database, shared by all instances.
/// </summary>
public sealed class Fence(IDatabase database, SqlCatalog runtimeSql, TimeProvider time)
{
    /// <summary>Code in front of <see cref="Trouble"/>, and of the problem of a refused request.</summary>
    public const string Code = "database_behind";

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    sealed record Closing(DateTimeOffset At, string Reason, bool IsResumed);

    volatile Closing? closed;

    /// <summary>True while the service refuses requests.</summary>
    public bool IsClosed => closed is not null;

    /// <summary>True while the service accepts nothing but repairs.</summary>
    public bool HoldsWork => closed is { IsResumed: false };

    /// <summary>Sentence that begins with the code; null while the fence is open.</summary>
    public string? Trouble => closed is { } now ? $"{Code}: {now.Reason}" : null;

    /// <summary>Time of the closing, by the clock of the service; null while the fence is open.</summary>
    public DateTimeOffset? ClosedAt => closed?.At;

    /// <summary>Reads the state, which another instance or a restore may have changed.</summary>
    public async Task ReadAsync(CancellationToken cancel) =>
        closed = (await database.QueryAsync(
            runtimeSql["load_fence"], SqlArgs.None,
            row => new Closing(row.Time("closed_at"), row.Text("reason"), row.Bool("resumed")), cancel))
            .SingleOrDefault();

    /// <summary>Closes the fence in the transaction of the caller.</summary>
    public async Task CloseAsync(Work work, string reason)
    {
        await work.ExecuteAsync(runtimeSql["close_fence"], SqlArgs.With("now", work.Now).And("reason", reason));
        work.AfterCommit(() => closed = new(work.Now, reason, IsResumed: false));
    }

    /// <summary>Lets messages and jobs pass, in the transaction of the caller.</summary>
    public async Task ResumeAsync(Work work)
    {
        await work.ExecuteAsync(runtimeSql["resume_behind_fence"], SqlArgs.None);
        work.AfterCommit(() => closed = closed is { } now ? now with { IsResumed = true } : null);
    }

    /// <summary>Opens the fence in the transaction of the caller.</summary>
    public async Task OpenAsync(Work work)
    {
        await work.ExecuteAsync(runtimeSql["open_fence"], SqlArgs.None);
        work.AfterCommit(() => closed = null);
    }

    /// <summary>Waits until messages may pass.</summary>
    public async Task PassAsync(CancellationToken cancel)
    {
        while (HoldsWork) await Task.Delay(Pause, time, cancel);
    }

    /// <summary>Throws while the fence is closed for the kind of work.</summary>
    public void Ensure(Passage passage)
    {
        if (closed is { } now && (passage == Passage.Requests || (passage == Passage.Work && !now.IsResumed)))
            throw new DatabaseBehindException(now.Reason);
    }
}
