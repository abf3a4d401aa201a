using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>
/// Runs bulk actions: first on a canary batch, then on the others in batches. A run stops if too many sagas of a batch do not
/// advance, or on request. Every single action is carried out and audited like any other. Progress is kept in memory and ends
/// with the process; the same bulk action can then be started again for the remaining sagas.
/// </summary>
public sealed partial class BulkActions(
    CommandGroup<OperatorAction> acting, ProcessVersions versions, ServiceContext context, ILogger<BulkActions> log)
{
    public const int MostSagas = 10_000;
    const int BatchSize = 100;
    const int MostRuns = 100;

    // Share of a batch that may fail to advance before the run stops.
    const double Tolerated = 0.1;
    static readonly TimeSpan DecisionTimeout = TimeSpan.FromSeconds(20);
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    readonly ConcurrentDictionary<Guid, BulkRun> runs = new();
    readonly ConcurrentDictionary<Guid, BulkOrders> orders = new();
    readonly ConcurrentDictionary<Guid, string> stops = new();
    readonly Lock gate = new();
    readonly Channel<(Guid Id, BulkAction Action)> queue =
        Channel.CreateBounded<(Guid, BulkAction)>(new BoundedChannelOptions(MostRuns));

    public BackgroundLoop Loop => new("bulk-actions", RunAsync);

    /// <summary>All runs, latest first.</summary>
    public IReadOnlyList<BulkRun> Runs => [.. runs.Values.OrderByDescending(run => run.StartedAt).ThenBy(run => run.Id)];

    public BulkRun? Find(Guid id) => runs.GetValueOrDefault(id);

    /// <summary>Finds a run for an operator; null for an unknown run, and for one that reaches further channels.</summary>
    public BulkRun? Find(Guid id, ChannelSet channels) => Find(id) is { } run && channels.Covers(run.Channels) ? run : null;

    /// <summary>Sagas of a run with their outcomes; none before the run starts.</summary>
    public BulkOrders OrdersOf(Guid id) => orders.GetValueOrDefault(id) ?? BulkOrders.None;

    /// <summary>Enqueues a run behind earlier runs. Null if too many are waiting.</summary>
    /// <param name="action">The action.</param>
    /// <param name="id">Id of the run; null for a new one. An existing run with this id is returned unchanged.</param>
    public BulkRun? Begin(BulkAction action, Guid? id = null)
    {
        if (id is { } known && Find(known) is { } first) return first;
        var now = context.Time.Now();
        var run = new BulkRun(
            id ?? context.Ids.Next(now), action.Name, action.Where, action.Reason, action.Caller.Name, "waiting", null,
            0, 0, 0, 0, 0, 0, now) { Channels = action.Caller.Channels };
        foreach (var old in Runs.Where(old => old.IsOver).Skip(MostRuns - 1))
        {
            runs.TryRemove(old.Id, out _);
            orders.TryRemove(old.Id, out _);
        }
        runs[run.Id] = run;
        if (queue.Writer.TryWrite((run.Id, action))) return run;
        runs.TryRemove(run.Id, out _);
        return null;
    }

    /// <summary>Stops a run after the current batch. A waiting run ends at once.</summary>
    /// <param name="id">An existing run.</param>
    /// <param name="because">A sentence.</param>
    public void Stop(Guid id, string because)
    {
        lock (gate)
        {
            if (runs.GetValueOrDefault(id) is not { IsOver: false } run) return;
            if (run.State != "waiting") stops[id] = because;
            runs[id] = run.State == "waiting"
                ? run with { State = "stopped", StoppedBecause = because }
                : run with { State = "stopping" };
        }
    }

    /// <summary>Finds the sagas that an action would affect.</summary>
    public async Task<List<SagaRecord>> FindAsync(BulkAction action, CancellationToken cancel)
    {
        var found = new List<SagaRecord>();
        Guid? before = null;
        while (found.Count < MostSagas)
        {
            var page = await context.Database.QueryAsync(
                context.Sql["open_sagas"],
                action.Where.Args(before, ListQuery.MaxLimit, context.Time.Now(), action.Caller.Channels), versions.Read,
                cancel);
            found.AddRange(page.Where(saga => action.AppliesTo(saga.State)));
            if (page.Count < ListQuery.MaxLimit) break;
            before = page[^1].OrderId;
        }
        return found;
    }

    async Task RunAsync(CancellationToken cancel)
    {
        // Not ReadAllAsync, which continues on the thread pool and thereby outside a simulation.
        while (await queue.Reader.WaitToReadAsync(cancel))
            while (queue.Reader.TryRead(out var next))
                try
                {
                    await RunAsync(next.Id, next.Action, cancel);
                }
                catch (Exception error) when (error is not OperationCanceledException || !cancel.IsCancellationRequested)
                {
                    LogFailed(next.Id, error);
                    End(next.Id, "The run failed; see the log.");
                }
                finally
                {
                    stops.TryRemove(next.Id, out _);
                }
    }

    async Task RunAsync(Guid id, BulkAction action, CancellationToken cancel)
    {
        var sagas = Find(id) is { IsOver: true } ? [] : await FindAsync(action, cancel);
        var canary = action.CanaryFor(sagas.Count);
        orders[id] = new BulkOrders([.. sagas.Select(saga => saga.OrderId)]);
        Change(id, run => run.IsOver ? run : run with { Total = sagas.Count, State = canary > 0 ? "canary" : "rest" });
        if (Find(id) is { IsOver: true }) return;
        if (canary > 0)
        {
            var failed = await ActAsync(id, action, sagas[..canary], cancel);
            if (failed > 0)
            {
                if (!IsStopped(id)) End(id, $"{failed} of the first {canary} did not advance; the run was stopped.");
                return;
            }
            if (IsStopped(id)) return;
            Change(id, run => run with { State = "rest" });
        }
        foreach (var batch in sagas.Skip(canary).Chunk(BatchSize))
        {
            var failed = await ActAsync(id, action, batch, cancel);
            if (IsStopped(id)) return;
            if (failed <= batch.Length * Tolerated) continue;
            End(id, $"{failed} of {batch.Length} in one batch did not advance; the run was stopped.");
            return;
        }
        Change(id, run => run with { State = "done" });
    }

    bool IsStopped(Guid id)
    {
        if (!stops.TryGetValue(id, out var because)) return false;
        End(id, because);
        return true;
    }

    // Returns the number of sagas that did not advance.
    async Task<int> ActAsync(Guid id, BulkAction action, IReadOnlyList<SagaRecord> sagas, CancellationToken cancel)
    {
        var answers = await Task.WhenAll(sagas.Select(saga => acting.SubmitAsync(new Command<OperatorAction>(
            action.ActionOn(saga.OrderId, id), action.Caller, null, []))));
        var acted = sagas.Where((_, at) => answers[at].Status < 300).ToList();
        var outcomes = OrdersOf(id);
        for (var at = 0; at < sagas.Count; at++)
            outcomes.Set(sagas[at].OrderId, answers[at].Status < 300 ? BulkOutcome.Acted : BulkOutcome.Refused);
        Change(id, run => run with
        {
            Acted = run.Acted + acted.Count, Refused = run.Refused + sagas.Count - acted.Count,
        });
        var time = context.Time;
        var since = time.GetTimestamp();
        while (true)
        {
            var (advanced, stuck) = await JudgeAsync(acted, outcomes, cancel);
            if (advanced + stuck == acted.Count || stops.ContainsKey(id) || time.GetElapsedTime(since) > DecisionTimeout)
            {
                outcomes.Close(acted.Select(saga => saga.OrderId));
                Change(id, run => run with
                {
                    WentOn = run.WentOn + advanced, StuckAgain = run.StuckAgain + stuck,
                    Undecided = run.Undecided + acted.Count - advanced - stuck,
                });
                return acted.Count - advanced;
            }
            await Task.Delay(PollInterval, time, cancel);
        }
    }

    async Task<(int WentOn, int Stuck)> JudgeAsync(
        IReadOnlyList<SagaRecord> acted, BulkOrders outcomes, CancellationToken cancel)
    {
        var now = (await context.Database.QueryAsync(
            context.Sql["sagas_by_id"],
            SqlArgs.OfUuids("order_id", [.. acted.Select(saga => saga.OrderId)]).And("channels", (string?)null),
            versions.Read, cancel)).ToDictionary(saga => saga.OrderId, saga => saga.State);
        var (advanced, stuck) = (0, 0);
        foreach (var saga in acted)
        {
            var (hasAdvanced, isStuck) = (
                HasAdvanced(saga.State, now[saga.OrderId]), now[saga.OrderId].Status == SagaStatus.Failed);
            outcomes.Set(
                saga.OrderId, hasAdvanced ? BulkOutcome.WentOn : isStuck ? BulkOutcome.StuckAgain : BulkOutcome.Acted);
            if (hasAdvanced) advanced++;
            if (isStuck) stuck++;
        }
        return (advanced, stuck);
    }

    static bool HasAdvanced(SagaState before, SagaState now) =>
        now.EndedAt is not null
        || (now.Status != SagaStatus.Failed && PositionOf(before) != PositionOf(now) && PositionOf(now) is not null);

    static (string, bool)? PositionOf(SagaState state) =>
        SagaHeadline.MostUrgent(state) is var (step, undo, _) ? (step, undo) : null;

    void End(Guid id, string because) => Change(id, run => run with { State = "stopped", StoppedBecause = because });

    void Change(Guid id, Func<BulkRun, BulkRun> change)
    {
        lock (gate)
            if (runs.TryGetValue(id, out var run)) runs[id] = change(run);
    }

    [LoggerMessage(3011, LogLevel.Error, "The bulk action {Id} failed")]
    partial void LogFailed(Guid id, Exception error);
}
