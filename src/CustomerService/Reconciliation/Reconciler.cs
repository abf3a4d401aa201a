using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>
/// Runs reconciliations: reads the gateway's list page by page into a table, then compares the table with our payments in the
/// order of order ids. Progress is saved after each page under a lease, so that any instance can continue after a crash.
/// Memory holds a page of each side, regardless of the range.
/// </summary>
public sealed partial class Reconciler
{
    const int CasesAtOnce = 500;

    // Consecutive failures to read a page: at least a minute, or ten minutes of timeouts.
    const int MostFailures = 20;

    static readonly TimeSpan PageDeadline = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Lease = PageDeadline + TimeSpan.FromSeconds(30);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    static readonly TimeSpan ScheduleEvery = TimeSpan.FromMinutes(1);
    static readonly TimeSpan AfterFailure = TimeSpan.FromHours(1);

    readonly Dictionary<string, IChargeList> lists;
    readonly ReconciliationStore store;
    readonly ReconciliationSettings settings;
    readonly AskOrders orders;
    readonly ServiceContext context;
    readonly ILogger log;
    readonly Guid owner;
    // Continues in place: a hop through the thread pool would make runs of the simulation differ.
    volatile TaskCompletionSource wakeUp = new();

    public Reconciler(
        IEnumerable<IPaymentProvider> providers, ReconciliationStore store, ReconciliationSettings settings,
        AskOrders orders, ServiceContext context)
    {
        lists = providers.Where(provider => provider.Charges is not null)
            .ToDictionary(provider => provider.Name, provider => provider.Charges!);
        (this.store, this.settings, this.orders, this.context) = (store, settings, orders, context);
        log = context.Logs.CreateLogger<Reconciler>();
        owner = context.Ids.Next(context.Time.Now());
    }

    /// <summary>Providers whose gateway offers a list.</summary>
    public IReadOnlyCollection<string> Providers => lists.Keys;

    public IReadOnlyList<BackgroundLoop> Loops => lists.Count == 0 ? [] : [new("reconcile", RunAsync)];

    public IReadOnlyList<TimedJob> Jobs =>
        lists.Count == 0
            ? []
            : [new("schedule-reconciliations", ScheduleEvery, ScheduleAsync) { NeedsCertainTime = true }];

    /// <summary>Starts waiting runs without delay.</summary>
    public void Wake() => wakeUp.TrySetResult();

    async Task<int> ScheduleAsync(Work work, int most)
    {
        var last = await store.LastAsync(work, [.. lists.Keys]);
        foreach (var latest in last)
            if (latest.Differences is { } found) Metrics.Reconciled(latest.Provider, found);
        var begun = await store.BeginAsync(
            work,
            [
                .. last.Where(latest => IsDue(latest, work.Now)).Select(latest => (
                    work.NewId(), latest.Provider, work.Now - settings.ReconcileOver, ReconciliationRules.EndOf(work.Now),
                    (string?)null)),
            ]);
        if (begun.Count > 0) work.AfterCommit(Wake);
        await store.DeleteAsync(work, work.Now - settings.ReconcileKeep);
        return 0;
    }

    bool IsDue(LastReconciliation last, DateTimeOffset now)
    {
        return settings.ReconcileEvery > TimeSpan.Zero
            && IsPast(last.ScheduledAt, settings.ReconcileEvery) && IsPast(last.FailedAt, AfterFailure);

        // A time in the future was recorded by a wrong clock and counts as past.
        bool IsPast(DateTimeOffset? at, TimeSpan pause) => at is null || at + pause <= now || at > now + ScheduleEvery;
    }

    async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                while (await ClaimAsync(cancel) is { } run) await RunToEndAsync(run, cancel);
            }
            catch (LeaseLostException)
            {
                // The new owner continues the run.
            }
            // The progress is saved; the run is claimed again when its lease ends.
            catch (Exception error) when (!cancel.IsCancellationRequested)
            {
                LogInterrupted(error);
            }
            await Task.WhenAny(wakeUp.Task, Task.Delay(LookEvery, context.Time, cancel));
            cancel.ThrowIfCancellationRequested();
            // Renewed before the next claim, so no wake-up is lost.
            if (wakeUp.Task.IsCompleted) wakeUp = new();
        }
    }

    Task<ReconciliationRun?> ClaimAsync(CancellationToken cancel) =>
        context.Runner.RunOnceAsync(work => store.ClaimAsync(work, owner, Lease), cancel);

    async Task RunToEndAsync(ReconciliationRun run, CancellationToken cancel)
    {
        while (!ReconciliationStates.IsOver(run.State))
        {
            cancel.ThrowIfCancellationRequested();
            run = !lists.TryGetValue(run.Provider, out var list)
                ? await FinishAsync(run, ReconciliationStates.Failed, "The gateway is no longer configured.", cancel)
                : run.State == ReconciliationStates.Comparing
                    ? await CompareAsync(run, list, cancel)
                    : await ListAsync(run, list, cancel);
        }
        Report(run);
    }

    async Task<ReconciliationRun> ListAsync(ReconciliationRun run, IChargeList list, CancellationToken cancel)
    {
        // Recorded before requesting the first page: the list may lack later changes.
        if (run.ListedAt is null)
            return await SaveAsync(
                run with { State = ReconciliationStates.Listing, ListedAt = context.Time.Now() }, (_, _) => { }, cancel);
        ChargePage page;
        try
        {
            page = await ReadPageAsync(run, list, cancel);
        }
        catch (ChargeListException error)
        {
            if (run.Failures + 1 >= MostFailures)
                return await FinishAsync(run, ReconciliationStates.Failed, error.Message, cancel);
            var failed = await SaveAsync(
                run with { Failures = run.Failures + 1, Message = error.Message }, (_, _) => { }, cancel);
            await Task.Delay(Backoff.Pause(failed.Failures), context.Time, cancel);
            return failed;
        }
        var inRange = page.Charges.Where(charge => charge.CreatedAt >= run.From && charge.CreatedAt < run.To).ToList();
        return await SaveAsync(
            run with
            {
                State = page.Next is null ? ReconciliationStates.Comparing : ReconciliationStates.Listing,
                NextPage = page.Next,
                Failures = 0,
                Message = null,
                Counts = run.Counts + new ReconciliationCounts(
                    inRange.Count, inRange.Count(charge => charge.OrderId is null), 0, 0, 0),
            },
            (work, _) => store.SaveListed(work, run.Id, [.. page.Charges.Where(charge => charge.OrderId is not null)]), cancel);
    }

    async Task<ChargePage> ReadPageAsync(ReconciliationRun run, IChargeList list, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(PageDeadline, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            var page = await list.ListAsync(
                run.From - ReconciliationRules.Margin, run.To + ReconciliationRules.Margin, run.NextPage, either.Token);
            return page.Next is null || page.Next != run.NextPage
                ? page
                : throw new ChargeListException("The gateway's list repeats its cursor.");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new ChargeListException(
                $"The gateway did not return a page of its list within {PageDeadline.TotalSeconds:0} s.");
        }
    }

    async Task<ReconciliationRun> CompareAsync(ReconciliationRun run, IChargeList list, CancellationToken cancel)
    {
        var cases = await context.Database.ReadAsync(read => store.NextCasesAsync(read, run, CasesAtOnce), cancel);
        if (cases.Count == 0)
            return await FinishAsync(
                run, run.Counts.Differences == 0 ? ReconciliationStates.Agrees : ReconciliationStates.Differs, null, cancel);
        var rules = new ReconciliationRules(
            new ReconciliationScope(run.Provider, run.From, run.To, run.ListedAt!.Value), list);
        // order-service is asked only about charges without a payment, of which a healthy shop has none.
        var told = await orders.AskAsync(
            [
                .. cases.Where(order => order.Case.Payment?.Provider is null && order.Charges.Count > 0)
                    .Select(order => order.Case.OrderId),
            ],
            cancel);
        var verdicts = cases.ConvertAll(order => rules.Compare(order, told.GetValueOrDefault(order.Case.OrderId)));
        var found = verdicts.SelectMany(verdict => verdict.Differences).ToList();
        return await SaveAsync(
            run with
            {
                ComparedThrough = cases[^1].Case.OrderId,
                Counts = run.Counts + new ReconciliationCounts(
                    0, 0, verdicts.Count(verdict => !verdict.IsOutside), verdicts.Count(verdict => verdict.IsInProgress),
                    found.Count),
            },
            (work, after) => store.SaveFound(work, after, found), cancel);
    }

    Task<ReconciliationRun> FinishAsync(ReconciliationRun run, string state, string? message, CancellationToken cancel) =>
        SaveAsync(
            run with { State = state, Message = message, FinishedAt = context.Time.Now(), NextPage = null }, (_, _) => { },
            cancel);

    async Task<ReconciliationRun> SaveAsync(
        ReconciliationRun after, Action<Work, ReconciliationRun> also, CancellationToken cancel)
    {
        await context.Runner.RunOnceAsync(
            async work =>
            {
                await store.SaveAsync(work, after, owner, Lease);
                also(work, after);
            },
            cancel);
        return after;
    }

    void Report(ReconciliationRun run)
    {
        if (run.State == ReconciliationStates.Failed)
        {
            LogFailed(run.Provider, run.From, run.To, run.Message!);
            return;
        }
        Metrics.Reconciled(run.Provider, run.Counts.Differences);
        if (run.State == ReconciliationStates.Differs)
            LogDiffers(run.Provider, run.Counts.Differences, run.From, run.To, run.Id);
        else
            LogAgrees(run.Provider, run.Counts.Listed, run.From, run.To);
    }

    [LoggerMessage(3301, LogLevel.Information, "{Provider}: {Charges} charges from {From:u} to {To:u} agree with our record")]
    partial void LogAgrees(string provider, long charges, DateTimeOffset from, DateTimeOffset to);

    [LoggerMessage(3302, LogLevel.Warning,
        "{Provider}: {Differences} differences between the gateway's record and ours, from {From:u} to {To:u}: " +
        "GET /api/v1/reconciliations/{Id}/differences")]
    partial void LogDiffers(string provider, long differences, DateTimeOffset from, DateTimeOffset to, Guid id);

    [LoggerMessage(3303, LogLevel.Warning, "{Provider}: charges from {From:u} to {To:u} could not be compared: {Why}")]
    partial void LogFailed(string provider, DateTimeOffset from, DateTimeOffset to, string why);

    [LoggerMessage(3304, LogLevel.Error, "A reconciliation was interrupted; another attempt follows in a minute")]
    partial void LogInterrupted(Exception error);
}
