using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>Many sagas, one action: which, what, why, and how many first.</summary>
/// <param name="Verb">Retry or compensate.</param>
/// <param name="Where">Which sagas.</param>
/// <param name="Reason">The operator's own words; each saga's audit has them.</param>
/// <param name="Canary">How many are acted on first, and have to go on, before the others are; 0: none.</param>
/// <param name="Caller">Who wants it.</param>
public sealed record BulkWish(OperatorVerb Verb, SagaFilter Where, string Reason, int Canary, Caller Caller);

/// <summary>How a bulk action stands.</summary>
/// <param name="Id">Made from the Idempotency-Key, where there was one.</param>
/// <param name="Action"><c>retry</c> or <c>compensate</c>.</param>
/// <param name="Where">Which sagas.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Actor">Who wanted it.</param>
/// <param name="State"><c>waiting, canary, rest, stopping, done, stopped</c>.</param>
/// <param name="StoppedBecause">A sentence, when it stopped itself or was stopped.</param>
/// <param name="Total">Sagas that were found when it began.</param>
/// <param name="Acted">Of these, acted on so far.</param>
/// <param name="Refused">Of these, refused: they had moved on meanwhile.</param>
/// <param name="WentOn">Of those acted on, gone on to something else.</param>
/// <param name="StuckAgain">Of those acted on, an incident again.</param>
/// <param name="Undecided">Of those acted on, still where they were.</param>
/// <param name="StartedAt">When it was asked for.</param>
/// <remarks>
/// The audit has each of its acts under its id; <see cref="BulkActions.OrdersOf"/> says which saga became what.
/// </remarks>
public sealed record BulkRun(
    Guid Id, string Action, SagaFilter Where, string Reason, string Actor, string State, string? StoppedBecause, int Total,
    int Acted, int Refused, int WentOn, int StuckAgain, int Undecided, DateTimeOffset StartedAt)
{
    public bool IsOver => State is "done" or "stopped";
}

/// <summary>
/// Acts on many sagas: first on a few, to see whether it helps; then on the others, in lots, each of which has to go on.
/// It stops by itself, or when it is told to. Every saga is acted on and audited like any other; what is kept here is only how
/// far it got, and it ends with the process: say it again, and it takes those that are left.
/// </summary>
public sealed partial class BulkActions(
    CommandGroup<OperatorRequest> acting, ServiceContext context, ILogger<BulkActions> log)
{
    public const int MostSagas = 10_000;
    const int Lot = 100;
    const int MostRuns = 100;

    // Of a lot: more than this share not gone on, and it stops.
    const double Tolerated = 0.1;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    readonly ConcurrentDictionary<Guid, BulkRun> runs = new();
    readonly ConcurrentDictionary<Guid, BulkOrders> orders = new();
    readonly ConcurrentDictionary<Guid, string> stops = new();
    readonly Lock gate = new();
    readonly Channel<(Guid Id, BulkWish Wish)> line =
        Channel.CreateBounded<(Guid, BulkWish)>(new BoundedChannelOptions(MostRuns));

    public BackgroundLoop Loop => new("bulk-actions", RunAsync);

    /// <summary>The latest first.</summary>
    public IReadOnlyList<BulkRun> Runs => [.. runs.Values.OrderByDescending(run => run.StartedAt).ThenBy(run => run.Id)];

    public BulkRun? Find(Guid id) => runs.GetValueOrDefault(id);

    /// <summary>Which sagas it found, and what became of each; none while it waits.</summary>
    public BulkOrders OrdersOf(Guid id) => orders.GetValueOrDefault(id) ?? BulkOrders.None;

    /// <summary>Notes it down; it begins when those before it have ended. Null when too many wait.</summary>
    /// <param name="wish">What is wanted.</param>
    /// <param name="id">Null for a new one; under one that is known, the first stands.</param>
    public BulkRun? Begin(BulkWish wish, Guid? id = null)
    {
        if (id is { } known && Find(known) is { } first) return first;
        var now = context.Time.Now();
        var run = new BulkRun(
            id ?? context.Ids.Next(now), Name(wish), wish.Where, wish.Reason, wish.Caller.Name, "waiting", null, 0, 0, 0, 0, 0, 0,
            now);
        foreach (var old in Runs.Where(old => old.IsOver).Skip(MostRuns - 1))
        {
            runs.TryRemove(old.Id, out _);
            orders.TryRemove(old.Id, out _);
        }
        runs[run.Id] = run;
        if (line.Writer.TryWrite((run.Id, wish))) return run;
        runs.TryRemove(run.Id, out _);
        return null;
    }

    /// <summary>Acts on no more sagas than those at hand. One that still waits ends at once.</summary>
    /// <param name="id">A run that there is.</param>
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

    /// <summary>Which sagas it would act on.</summary>
    public async Task<List<SagaRecord>> FindAsync(SagaFilter where, CancellationToken cancel)
    {
        var found = new List<SagaRecord>();
        Guid? before = null;
        while (found.Count < MostSagas)
        {
            var page = await context.Database.QueryAsync(
                context.Sql["open_sagas"], where.Args(before, ListQuery.MaxLimit, context.Time.Now()), StoredSaga.Read, cancel);
            found.AddRange(page);
            if (page.Count < ListQuery.MaxLimit) break;
            before = page[^1].OrderId;
        }
        return found;
    }

    async Task RunAsync(CancellationToken cancel)
    {
        // Not ReadAllAsync, which leaves for the thread pool and so out of a simulation.
        while (await line.Reader.WaitToReadAsync(cancel))
            while (line.Reader.TryRead(out var next))
                try
                {
                    await RunAsync(next.Id, next.Wish, cancel);
                }
                catch (Exception error) when (error is not OperationCanceledException || !cancel.IsCancellationRequested)
                {
                    LogBroke(next.Id, error);
                    End(next.Id, "Something went wrong here; the log says what.");
                }
                finally
                {
                    stops.TryRemove(next.Id, out _);
                }
    }

    async Task RunAsync(Guid id, BulkWish wish, CancellationToken cancel)
    {
        var sagas = Find(id) is { IsOver: true } ? [] : await FindAsync(wish.Where, cancel);
        var canary = Math.Min(wish.Canary, sagas.Count);
        orders[id] = new BulkOrders([.. sagas.Select(saga => saga.OrderId)]);
        Change(id, run => run.IsOver ? run : run with { Total = sagas.Count, State = canary > 0 ? "canary" : "rest" });
        if (Find(id) is { IsOver: true }) return;
        if (canary > 0)
        {
            var stayed = await ActAsync(id, wish, sagas[..canary], cancel);
            if (stayed > 0)
            {
                if (!IsStopped(id)) End(id, $"{stayed} of the first {canary} did not go on; the others were left alone.");
                return;
            }
            if (IsStopped(id)) return;
            Change(id, run => run with { State = "rest" });
        }
        foreach (var lot in sagas.Skip(canary).Chunk(Lot))
        {
            var stayed = await ActAsync(id, wish, lot, cancel);
            if (IsStopped(id)) return;
            if (stayed <= lot.Length * Tolerated) continue;
            End(id, $"{stayed} of {lot.Length} in a row did not go on; the others were left alone.");
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

    // Returns how many did not go on.
    async Task<int> ActAsync(Guid id, BulkWish wish, IReadOnlyList<SagaRecord> sagas, CancellationToken cancel)
    {
        var answers = await Task.WhenAll(sagas.Select(saga => acting.SubmitAsync(new Command<OperatorRequest>(
            new OperatorRequest(saga.OrderId, wish.Verb, wish.Reason, Run: id), wish.Caller, null, []))));
        var acted = sagas.Where((_, at) => answers[at].Status < 300).ToList();
        var became = OrdersOf(id);
        for (var at = 0; at < sagas.Count; at++)
            became.Set(sagas[at].OrderId, answers[at].Status < 300 ? BulkOutcome.Acted : BulkOutcome.Refused);
        Change(id, run => run with
        {
            Acted = run.Acted + acted.Count, Refused = run.Refused + sagas.Count - acted.Count,
        });
        var time = context.Time;
        var since = time.GetTimestamp();
        while (true)
        {
            var (on, stuck) = await JudgeAsync(acted, became, cancel);
            if (on + stuck == acted.Count || stops.ContainsKey(id) || time.GetElapsedTime(since) > Patience)
            {
                became.Close(acted.Select(saga => saga.OrderId));
                Change(id, run => run with
                {
                    WentOn = run.WentOn + on, StuckAgain = run.StuckAgain + stuck,
                    Undecided = run.Undecided + acted.Count - on - stuck,
                });
                return acted.Count - on;
            }
            await Task.Delay(LookInterval, time, cancel);
        }
    }

    async Task<(int WentOn, int Stuck)> JudgeAsync(
        IReadOnlyList<SagaRecord> acted, BulkOrders became, CancellationToken cancel)
    {
        var now = (await context.Database.QueryAsync(
            context.Sql["sagas_by_id"], SqlArgs.OfUuids("order_id", [.. acted.Select(saga => saga.OrderId)]),
            StoredSaga.Read, cancel)).ToDictionary(saga => saga.OrderId, saga => saga.State);
        var (on, stuck) = (0, 0);
        foreach (var saga in acted)
        {
            var (isOn, isStuck) = (
                WentOn(saga.State, now[saga.OrderId]), now[saga.OrderId].Status == SagaStatus.Failed);
            became.Set(
                saga.OrderId, isOn ? BulkOutcome.WentOn : isStuck ? BulkOutcome.StuckAgain : BulkOutcome.Acted);
            if (isOn) on++;
            if (isStuck) stuck++;
        }
        return (on, stuck);
    }

    static bool WentOn(SagaState before, SagaState now) =>
        now.EndedAt is not null
        || (now.Status != SagaStatus.Failed && Place(before) != Place(now) && Place(now) is not null);

    static (string, bool)? Place(SagaState state) =>
        Headline.TheOneThatMatters(state) is var (step, undo, _) ? (step, undo) : null;

    static string Name(BulkWish wish) => wish.Verb == OperatorVerb.Retry ? "retry" : "compensate";

    void End(Guid id, string because) => Change(id, run => run with { State = "stopped", StoppedBecause = because });

    void Change(Guid id, Func<BulkRun, BulkRun> change)
    {
        lock (gate)
            if (runs.TryGetValue(id, out var run)) runs[id] = change(run);
    }

    [LoggerMessage(3011, LogLevel.Error, "The bulk action {Id} broke off")]
    partial void LogBroke(Guid id, Exception error);
}
