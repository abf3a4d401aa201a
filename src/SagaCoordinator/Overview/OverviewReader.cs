using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>Open sagas that have these values in common.</summary>
/// <param name="State">State of the sagas.</param>
/// <param name="Step">Current step, or the step that caused the rollback.</param>
/// <param name="WaitingFor">The awaited party.</param>
/// <param name="Code">Code of the incident, the doubt or the refusal.</param>
/// <param name="Count">Number of sagas.</param>
/// <param name="OldestAt">Start of the oldest saga.</param>
/// <param name="Overdue">Number of sagas with a timer late by more than five seconds.</param>
public sealed record OpenSagas(
    string State, string? Step, string? WaitingFor, string? Code, long Count, DateTimeOffset OldestAt, long Overdue);

/// <summary>
/// Reads the overview from the small table of open sagas and from the newest orders by key. The cost does not depend on the
/// number of orders stored, and order processing maintains no counters.
/// </summary>
public sealed class OverviewReader(ServiceContext context, ProcessVersions versions, Heartbeats heartbeats)
{
    const int CountedAtMost = 20_000;
    const int NewestAtMost = 5_000;
    const int Parts = 60;
    static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);
    static readonly TimeSpan QueueTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>Lateness from which a timer counts as overdue.</summary>
    public static readonly TimeSpan OverdueAfter = TimeSpan.FromSeconds(5);

    // Sets of channels with a reading; beyond this number all readings are forgotten.
    const int MostReadings = 100;

    readonly Lock gate = new();
    readonly Dictionary<string, Task<OverviewResponse>> last = [];

    /// <summary>
    /// Returns a reading that callers of the same channels share, refreshed once per second regardless of their number.
    /// </summary>
    public Task<OverviewResponse> ReadAsync(ChannelSet channels, CancellationToken cancel)
    {
        lock (gate)
        {
            var now = context.Time.Now();
            var key = channels.Filter ?? "";
            if (!last.TryGetValue(key, out var reading) || (reading.IsCompleted
                && !(reading.IsCompletedSuccessfully && (now - reading.Result.At).Duration() < MaxAge)))
            {
                if (last.Count >= MostReadings) last.Clear();
                last[key] = reading = ReadAsync(channels, now);
            }
            return reading.WaitAsync(cancel);
        }
    }

    sealed record Newest(string State, string? Step, DateTimeOffset StartedAt, DateTimeOffset? EndedAt)
    {
        public bool IsCompleted => State == SagaNames.Of(SagaStatus.Completed);

        public bool IsRolledBack =>
            State == SagaNames.Of(SagaStatus.Compensated) || State == SagaNames.Of(SagaStatus.Compensating);
    }

    /// <summary>Reads the open sagas in groups, counted up to 20,000.</summary>
    public Task<List<OpenSagas>> ReadOpenAsync(
        ChannelSet channels, DateTimeOffset now, CancellationToken cancel) => context.Database.QueryAsync(
        context.Sql["open_work"],
        SqlArgs.With("overdue", now - OverdueAfter).And("channels", channels.Filter).And("cap", CountedAtMost),
        row => new OpenSagas(
            row.Text("state"), row.TextOrNull("step"), row.TextOrNull("waiting_for"), row.TextOrNull("code"),
            row.BigInt("sagas"), row.Time("oldest_at"), row.BigInt("overdue")),
        cancel);

    async Task<OverviewResponse> ReadAsync(ChannelSet channels, DateTimeOffset now)
    {
        var queueReads = Task.WhenAll(Services.Select(ReadQueueAsync));
        var groups = await ReadOpenAsync(channels, now, default);
        var newest = await context.Database.QueryAsync(
            context.Sql["latest_sagas"],
            SqlArgs.With("from", Ids.FirstAt(now - Window)).And("channels", channels.Filter).And("most", NewestAtMost),
            row => new Newest(
                row.Text("state"), row.TextOrNull("step"), row.Time("started_at"), row.TimeOrNull("ended_at")));
        var definition = versions.Current;
        var open = groups.Sum(group => group.Count);
        var queues = await queueReads;
        return new(
            now, new(definition.Name, definition.Version), open, open >= CountedAtMost,
            groups.Sum(group => group.Overdue),
            [.. groups.GroupBy(group => group.State).OrderBy(state => state.Key, StringComparer.Ordinal)
                .Select(state => new StateCount(state.Key, Count(state), state.Min(group => group.OldestAt)))],
            [.. definition.Steps.Select(step => StepOf(step, groups, newest))],
            [.. groups.Where(group => group.State == SagaNames.Of(SagaStatus.Failed))
                .GroupBy(group => (Step: group.Step ?? "", Code: group.Code ?? ""))
                .Select(incidents => new IncidentCount(
                    incidents.Key.Step, incidents.Key.Code, Count(incidents), incidents.Min(group => group.OldestAt)))
                .OrderByDescending(incident => incident.Count)],
            [.. Services.Zip(queues, (service, queue) => StateOf(service, queue, groups))],
            Recent(newest, now), context.TransportTrouble());
    }

    // The participants in the order of the process, and order-service, which is notified of the outcome.
    IEnumerable<string> Services =>
        versions.Current.Steps.Select(step => step.Participant).Append(ServiceNames.Order).Distinct();

    // An unresponsive broker must not block the other figures.
    async Task<QueueState?> ReadQueueAsync(string service)
    {
        using var limit = new CancellationTokenSource(QueueTimeout, context.Time);
        try
        {
            return await context.LookAt(service, limit.Token).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    static StepCount StepOf(SagaStep step, IReadOnlyList<OpenSagas> groups, IReadOnlyList<Newest> newest)
    {
        var here = groups.Where(group => group.Step == step.Name).ToList();
        var rolledBack = newest.Count(saga => saga.IsRolledBack && saga.Step == step.Name);
        return new(
            step.Name, step.Participant, Count(here), Oldest(here),
            Count(here.Where(group => group.State == SagaNames.Of(SagaStatus.Failed))), rolledBack,
            newest.Count == 0 ? 0 : (double)rolledBack / newest.Count);
    }

    ParticipantState StateOf(string service, QueueState? queue, IReadOnlyList<OpenSagas> groups)
    {
        var waiting = groups.Where(group => group.WaitingFor == service).ToList();
        return new(service, Count(waiting), Oldest(waiting), heartbeats.LastOf(service), queue);
    }

    static RecentOrders Recent(IReadOnlyList<Newest> newest, DateTimeOffset now)
    {
        var capped = newest.Count == NewestAtMost;
        var from = capped ? newest.Min(saga => saga.StartedAt) : now - Window;
        var span = now - from;
        var part = span / Parts;
        var points = newest.ToLookup(saga => Math.Clamp((int)((saga.StartedAt - from) / part), 0, Parts - 1));
        var durations = Durations(newest);
        return new(
            span.TotalSeconds, capped, newest.Count, newest.Count(saga => saga.IsCompleted),
            newest.Count(saga => saga.IsRolledBack), newest.Count / span.TotalSeconds, Quantile(durations, 0.5),
            Quantile(durations, 0.99),
            [.. Enumerable.Range(0, Parts).Select(index => new RecentPoint(
                (from + index * part).ToWholeMilliseconds(), points[index].Count(),
                points[index].Count(saga => saga.IsCompleted), points[index].Count(saga => saga.IsRolledBack),
                Quantile(Durations(points[index]), 0.5)))]);
    }

    // Times from order to completion in milliseconds, ascending.
    static List<double> Durations(IEnumerable<Newest> sagas) =>
        [.. sagas.Where(saga => saga is { IsCompleted: true, EndedAt: not null })
            .Select(saga => (saga.EndedAt!.Value - saga.StartedAt).TotalMilliseconds).Order()];

    static double? Quantile(List<double> sorted, double share) =>
        sorted.Count == 0 ? null : sorted[(int)Math.Ceiling(share * sorted.Count) - 1];

    static long Count(IEnumerable<OpenSagas> groups) => groups.Sum(group => group.Count);

    static DateTimeOffset? Oldest(List<OpenSagas> groups) =>
        groups.Count == 0 ? null : groups.Min(group => group.OldestAt);
}
