using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>How the whole process does: what stands where, how fast it goes, and who is there.</summary>
/// <param name="At">When this was read; it is read at most once a second.</param>
/// <param name="Definition">The process on which new orders start.</param>
/// <param name="Open">Sagas that have not ended.</param>
/// <param name="OpenIsAtLeast">There are more than were counted.</param>
/// <param name="Overdue">Open ones whose timer should have looked at them seconds ago.</param>
/// <param name="States">The open ones by state.</param>
/// <param name="Steps">The process step by step.</param>
/// <param name="Incidents">What needs a person, by step and code.</param>
/// <param name="Participants">Who is asked or told, and whether they are there.</param>
/// <param name="Recent">The newest orders.</param>
/// <param name="Trouble">Why messages do not travel, in a sentence; null while they do.</param>
public sealed record OverviewBody(
    DateTimeOffset At, DefinitionId Definition, long Open, bool OpenIsAtLeast, long Overdue,
    IReadOnlyList<StateCount> States, IReadOnlyList<StepCount> Steps, IReadOnlyList<IncidentCount> Incidents,
    IReadOnlyList<ParticipantState> Participants, RecentOrders Recent, string? Trouble);

public sealed record StateCount(string State, long Count, DateTimeOffset OldestAt);

/// <param name="Step">Its name.</param>
/// <param name="Participant">Who is asked.</param>
/// <param name="Open">Sagas that stand there.</param>
/// <param name="OldestAt">When the oldest of them began; null when there is none.</param>
/// <param name="Incidents">Those of them that need a person.</param>
/// <param name="TurnedBack">Of the newest orders: those that turned back there.</param>
/// <param name="TurnedBackShare">The same as a part of the newest orders, 0 to 1.</param>
public sealed record StepCount(
    string Step, string Participant, long Open, DateTimeOffset? OldestAt, long Incidents, long TurnedBack,
    double TurnedBackShare);

public sealed record IncidentCount(string Step, string Code, long Count, DateTimeOffset OldestAt);

/// <param name="Service">Its name.</param>
/// <param name="AwaitedBy">Sagas that wait for its answer.</param>
/// <param name="OldestAt">When the oldest of these began: how far behind it is.</param>
/// <param name="LastSeenAt">When this coordinator last heard it; null: not since it started.</param>
/// <param name="Queue">Its inbox; null where the transport does not say.</param>
public sealed record ParticipantState(
    string Service, long AwaitedBy, DateTimeOffset? OldestAt, DateTimeOffset? LastSeenAt, QueueState? Queue);

/// <summary>The newest orders: of the last five minutes, or as many as are looked at.</summary>
/// <param name="Seconds">How far back they reach.</param>
/// <param name="IsCapped">There were more in five minutes than are looked at.</param>
/// <param name="Placed">How many.</param>
/// <param name="Completed">Of these, carried out.</param>
/// <param name="TurnedBack">Of these, undone or being undone.</param>
/// <param name="PerSecond">Placed, each second.</param>
/// <param name="MedianMs">From the order to its end, of those carried out; null when there is none.</param>
/// <param name="P99Ms">The same, of the slowest in a hundred.</param>
/// <param name="Points">The same over time, oldest first, in equal parts of <paramref name="Seconds"/>.</param>
public sealed record RecentOrders(
    double Seconds, bool IsCapped, long Placed, long Completed, long TurnedBack, double PerSecond, double? MedianMs,
    double? P99Ms, IReadOnlyList<RecentPoint> Points);

/// <param name="At">Where this part begins.</param>
/// <param name="Placed">Orders placed in it.</param>
/// <param name="Completed">Of these, carried out by now.</param>
/// <param name="TurnedBack">Of these, turned back by now.</param>
/// <param name="MedianMs">From the order to its end, of those carried out; null when there is none.</param>
public sealed record RecentPoint(DateTimeOffset At, long Placed, long Completed, long TurnedBack, double? MedianMs);

/// <summary>
/// Reads the overview from the small table of open work and from the newest orders by their keys: both cost the same
/// however many orders there were. Nothing is counted while orders are carried out.
/// </summary>
public sealed class Overview(ServiceContext context, SignsOfLife signs)
{
    const int CountedAtMost = 20_000;
    const int NewestAtMost = 5_000;
    const int Parts = 60;
    static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LookLimit = TimeSpan.FromMilliseconds(500);

    /// <summary>A timer that is late by more than this is overdue.</summary>
    public static readonly TimeSpan OverdueAfter = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    Task<OverviewBody> last = Task.FromException<OverviewBody>(new InvalidOperationException("Not read yet."));

    /// <summary>However many ask, it is read once a second.</summary>
    public Task<OverviewBody> ReadAsync(CancellationToken cancel)
    {
        lock (gate)
        {
            var now = context.Time.Now();
            if (last.IsCompleted && !(last.IsCompletedSuccessfully && (now - last.Result.At).Duration() < Fresh))
                last = ReadAsync(now);
            return last.WaitAsync(cancel);
        }
    }

    sealed record Group(
        string State, string? Step, string? WaitingFor, string? Code, long Count, DateTimeOffset OldestAt, long Overdue);

    sealed record Newest(string State, string? Step, DateTimeOffset StartedAt, DateTimeOffset? EndedAt)
    {
        public bool IsCompleted => State == SagaNames.Of(SagaStatus.Completed);

        public bool IsTurnedBack =>
            State == SagaNames.Of(SagaStatus.Compensated) || State == SagaNames.Of(SagaStatus.Compensating);
    }

    async Task<OverviewBody> ReadAsync(DateTimeOffset now)
    {
        var looks = Task.WhenAll(Services.Select(LookAsync));
        var groups = await context.Database.QueryAsync(
            context.Sql["open_work"], SqlArgs.With("overdue", now - OverdueAfter).And("cap", CountedAtMost),
            row => new Group(
                row.Text(0), row.TextOrNull(1), row.TextOrNull(2), row.TextOrNull(3), row.BigInt(4), row.Time(5),
                row.BigInt(6)));
        var newest = await context.Database.QueryAsync(
            context.Sql["latest_sagas"], SqlArgs.With("from", Ids.FirstAt(now - Window)).And("most", NewestAtMost),
            row => new Newest(row.Text(0), row.TextOrNull(1), row.Time(2), row.TimeOrNull(3)));
        var definition = OrderSaga.Current;
        var open = groups.Sum(group => group.Count);
        var queues = await looks;
        return new(
            now, new(definition.Name, definition.Version), open, open >= CountedAtMost,
            groups.Sum(group => group.Overdue),
            [.. groups.GroupBy(group => group.State).OrderBy(state => state.Key, StringComparer.Ordinal)
                .Select(state => new StateCount(state.Key, Count(state), state.Min(group => group.OldestAt)))],
            [.. definition.Steps.Select(step => StepOf(step, groups, newest))],
            [.. groups.Where(group => group.State == SagaNames.Of(SagaStatus.Failed))
                .GroupBy(group => (Step: group.Step ?? "", Code: group.Code ?? ""))
                .Select(same => new IncidentCount(
                    same.Key.Step, same.Key.Code, Count(same), same.Min(group => group.OldestAt)))
                .OrderByDescending(incident => incident.Count)],
            [.. Services.Zip(queues, (service, queue) => StateOf(service, queue, groups))],
            Recent(newest, now), context.TransportTrouble());
    }

    // Those that are asked, in the order of the process, and the one that is told how an order ended.
    static IEnumerable<string> Services =>
        OrderSaga.Current.Steps.Select(step => step.Participant).Append(ServiceNames.Order).Distinct();

    // A broker that does not answer keeps nobody from the rest.
    async Task<QueueState?> LookAsync(string service)
    {
        using var limit = new CancellationTokenSource(LookLimit, context.Time);
        try
        {
            return await context.LookAt(service, limit.Token).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    static StepCount StepOf(SagaStep step, IReadOnlyList<Group> groups, IReadOnlyList<Newest> newest)
    {
        var here = groups.Where(group => group.Step == step.Name).ToList();
        var turnedBack = newest.Count(saga => saga.IsTurnedBack && saga.Step == step.Name);
        return new(
            step.Name, step.Participant, Count(here), Oldest(here),
            Count(here.Where(group => group.State == SagaNames.Of(SagaStatus.Failed))), turnedBack,
            newest.Count == 0 ? 0 : (double)turnedBack / newest.Count);
    }

    ParticipantState StateOf(string service, QueueState? queue, IReadOnlyList<Group> groups)
    {
        var waiting = groups.Where(group => group.WaitingFor == service).ToList();
        return new(service, Count(waiting), Oldest(waiting), signs.LastHeard(service), queue);
    }

    static RecentOrders Recent(IReadOnlyList<Newest> newest, DateTimeOffset now)
    {
        var capped = newest.Count == NewestAtMost;
        var from = capped ? newest.Min(saga => saga.StartedAt) : now - Window;
        var span = now - from;
        var part = span / Parts;
        var points = newest.ToLookup(saga => Math.Clamp((int)((saga.StartedAt - from) / part), 0, Parts - 1));
        var took = Took(newest);
        return new(
            span.TotalSeconds, capped, newest.Count, newest.Count(saga => saga.IsCompleted),
            newest.Count(saga => saga.IsTurnedBack), newest.Count / span.TotalSeconds, Quantile(took, 0.5),
            Quantile(took, 0.99),
            [.. Enumerable.Range(0, Parts).Select(index => new RecentPoint(
                (from + index * part).ToWholeMilliseconds(), points[index].Count(),
                points[index].Count(saga => saga.IsCompleted), points[index].Count(saga => saga.IsTurnedBack),
                Quantile(Took(points[index]), 0.5)))]);
    }

    // How long those took that were carried out, the quickest first.
    static List<double> Took(IEnumerable<Newest> sagas) =>
        [.. sagas.Where(saga => saga is { IsCompleted: true, EndedAt: not null })
            .Select(saga => (saga.EndedAt!.Value - saga.StartedAt).TotalMilliseconds).Order()];

    static double? Quantile(List<double> sorted, double share) =>
        sorted.Count == 0 ? null : sorted[(int)Math.Ceiling(share * sorted.Count) - 1];

    static long Count(IEnumerable<Group> groups) => groups.Sum(group => group.Count);

    static DateTimeOffset? Oldest(List<Group> groups) =>
        groups.Count == 0 ? null : groups.Min(group => group.OldestAt);
}
