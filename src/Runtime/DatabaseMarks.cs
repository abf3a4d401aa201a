using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Notices a database that was restored to an earlier moment, at the start and while the service runs. The service raises a mark
/// as its database changes, and its neighbours keep the highest mark they have seen. A database below the mark that a neighbour
/// has seen, or that this process has seen itself, is behind: the fence is closed (docs/adr/0033).
/// </summary>
/// <remarks>
/// The mark is raised only after a neighbour has confirmed the current one. A restored database could otherwise overtake the mark
/// that its neighbours have seen before they tell. Commits since the last raise, within the interval, leave no trace in the mark.
/// </remarks>
sealed class DatabaseMarks(string service, ServiceContext context, Fence fence) : IBatchHandler
{
    readonly BatchRunner runner = context.Runner;
    readonly SqlCatalog sql = context.RuntimeSql;
    readonly IReadOnlyList<string> neighbours = MessageCatalog.NeighboursOf(service);

    // The highest own mark that this process has read, and that a neighbour has confirmed to this process.
    long read;
    long confirmed = -1;

    // Changes of the database by others than this exchange, which would otherwise never come to rest.
    long ownCommits;
    long? changesAtRaise;

    long Changes => runner.Commits - Interlocked.Read(ref ownCommits);

    public IReadOnlyList<Type> Takes { get; } = [typeof(DatabaseMark)];

    public TimedJob Job => new("exchange-marks", context.Options.MarkInterval, RunAsync);

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        // The exchange is the last handler of a batch.
        var isAlone = work.Outgoing.Count == 0 && work.Followers.Count == 0;
        var marks = await LoadAsync(work);
        var own = marks.GetValueOrDefault(service);
        var known = batch.GroupBy(message => message.Source)
            .Select(group => (
                Service: group.Key, Mark: group.Max(message => ((DatabaseMark)message.Body).Mark),
                Seen: group.Max(message => ((DatabaseMark)message.Body).Seen),
                Asks: group.Any(message => ((DatabaseMark)message.Body).Asks)))
            .ToList();
        var highest = known.Max(neighbour => neighbour.Seen);
        if (highest > own)
        {
            // The mark is raised at once, so that a database accepted as it is does not close the fence again.
            await fence.CloseAsync(
                work,
                $"{known.First(neighbour => neighbour.Seen == highest).Service} has seen a later state of this database (mark "
                + $"{highest}, here {own}): it was restored to an earlier moment. Run ./orderwright heal.");
            await SaveAsync(work, [(service, highest)]);
        }
        await SaveAsync(
            work,
            [
                .. known.Where(neighbour => neighbour.Mark > marks.GetValueOrDefault(neighbour.Service))
                    .Select(neighbour => (neighbour.Service, neighbour.Mark)),
            ]);
        foreach (var (neighbour, mark, _, asks) in known)
            if (asks)
                work.Send(Guid.Empty, new DatabaseMark(neighbour, own, Math.Max(mark, marks.GetValueOrDefault(neighbour))));
        work.AfterCommit(() =>
        {
            read = Math.Max(read, Math.Max(own, highest));
            confirmed = Math.Max(confirmed, highest);
            if (isAlone) Interlocked.Increment(ref ownCommits);
        });
    }

    async Task<int> RunAsync(Work work, int most)
    {
        var marks = await LoadAsync(work);
        var own = marks.GetValueOrDefault(service);
        if (own < read)
        {
            await fence.CloseAsync(
                work,
                $"The database has gone back to an earlier moment while {service} was running (mark {read}, now {own}). Run "
                + "./orderwright heal.");
            await SaveAsync(work, [(service, read)]);
            return 0;
        }
        var changes = Changes;
        // Nothing changed, and the neighbours know the mark.
        if (changes == changesAtRaise && confirmed >= own) return 0;
        var next = changesAtRaise is not null && confirmed >= own ? own + 1 : own;
        if (next > own) await SaveAsync(work, [(service, next)]);
        foreach (var neighbour in neighbours)
            work.Send(Guid.Empty, new DatabaseMark(neighbour, next, marks.GetValueOrDefault(neighbour), Asks: true));
        work.AfterCommit(() =>
        {
            (read, changesAtRaise) = (Math.Max(read, next), changes);
            Interlocked.Increment(ref ownCommits);
        });
        return 0;
    }

    async Task<Dictionary<string, long>> LoadAsync(Work work) =>
        (await work.QueryAsync(
            sql["load_marks"], SqlArgs.None, row => KeyValuePair.Create(row.Text("service"), row.BigInt("mark"))))
        .ToDictionary();

    async Task SaveAsync(Work work, IReadOnlyList<(string Service, long Mark)> marks)
    {
        if (marks.Count > 0)
            await work.ExecuteAsync(
                sql["save_marks"],
                SqlArgs.Over(marks).Text("service", mark => mark.Service).BigInt("mark", mark => mark.Mark));
    }
}
