using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>Latest reconciliations of a provider; null for none.</summary>
/// <param name="Provider">Name of the provider.</param>
/// <param name="ScheduledAt">Start of the latest scheduled run that did not fail.</param>
/// <param name="FailedAt">Start of the latest scheduled run that failed.</param>
/// <param name="Differences">Differences found by the latest finished run, scheduled or requested.</param>
public sealed record LastReconciliation(
    string Provider, DateTimeOffset? ScheduledAt, DateTimeOffset? FailedAt, long? Differences);

/// <summary>Difference with its number.</summary>
/// <param name="Number">Counts from 1 within a run.</param>
/// <param name="Difference">The difference.</param>
public sealed record StoredDifference(long Number, Difference Difference);

/// <summary>Thrown when another instance has claimed the run meanwhile.</summary>
sealed class LeaseLostException(Guid run) : Exception($"Another instance has claimed the reconciliation {run}.");

/// <summary>Store of runs, listed charges and differences.</summary>
public sealed class ReconciliationStore(SqlCatalog sql)
{
    /// <summary>Maximum number of differences stored per run; further differences are only counted.</summary>
    public const int MostDifferences = 10_000;

    /// <summary>Inserts runs of providers without a current run; returns their ids.</summary>
    public async Task<HashSet<Guid>> BeginAsync(
        Work work,
        IReadOnlyList<(Guid Id, string Provider, DateTimeOffset From, DateTimeOffset To, string? RequestedBy)> runs) =>
        runs.Count == 0
            ? []
            : (await work.QueryAsync(
                sql["begin_reconciliations"],
                SqlArgs.Over(runs)
                    .Uuid("id", run => run.Id)
                    .Text("provider", run => run.Provider)
                    .Time("range_from", run => run.From)
                    .Time("range_to", run => run.To)
                    .Text("requested_by", run => run.RequestedBy)
                    .Args.And("now", work.Now),
                row => row.Uuid("id"))).ToHashSet();

    public Task<List<LastReconciliation>> LastAsync(Work work, IReadOnlyList<string> providers) => work.QueryAsync(
        sql["last_reconciliations"], SqlArgs.OfTexts("provider", providers),
        row => new LastReconciliation(
            row.Text("provider"), row.TimeOrNull("scheduled_at"), row.TimeOrNull("failed_at"), row.BigIntOrNull("differences")));

    /// <summary>Claims the oldest free run for <paramref name="owner"/> until the lease ends; null when no run is free.</summary>
    public async Task<ReconciliationRun?> ClaimAsync(Work work, Guid owner, TimeSpan lease) =>
        (await work.QueryAsync(
            sql["take_reconciliation"],
            SqlArgs.With("owner", owner).And("now", work.Now).And("lease_until", work.Now + lease)
                // A lease this far ahead was set by a wrong clock and counts as expired.
                .And("too_far", work.Now + 2 * lease),
            ReadRun)).SingleOrDefault();

    /// <summary>Saves the progress. Throws <see cref="LeaseLostException"/> when another owner has claimed the run.</summary>
    public async Task SaveAsync(Work work, ReconciliationRun run, Guid owner, TimeSpan lease)
    {
        var updated = await work.ExecuteAsync(
            sql["save_reconciliation"],
            SqlArgs.With("id", run.Id).And("owner", owner).And("lease_until", work.Now + lease).And("state", run.State)
                .And("next_page", run.NextPage).And("compared_through", run.ComparedThrough).And("listed", run.Counts.Listed)
                .And("unrelated", run.Counts.Unrelated).And("compared", run.Counts.Compared)
                .And("in_progress", run.Counts.InProgress).And("differences", run.Counts.Differences)
                .And("failures", run.Failures).And("message", run.Message).And("listed_at", run.ListedAt)
                .And("finished_at", run.FinishedAt));
        if (updated == 0) throw new LeaseLostException(run.Id);
    }

    public void SaveListed(Work work, Guid run, IReadOnlyList<ListedCharge> charges)
    {
        if (charges.Count == 0) return;
        work.Defer(
            sql["insert_listed_charges"],
            SqlArgs.Over(charges)
                .Uuid("order_id", charge => charge.OrderId!.Value)
                .Text("reference", charge => charge.Reference)
                .Text("currency", charge => charge.Currency)
                .Text("state", charge => charge.State)
                .BigInt("held", charge => charge.HeldMinor)
                .BigInt("captured", charge => charge.CapturedMinor)
                .BigInt("refunded", charge => charge.RefundedMinor)
                .Time("created_at", charge => charge.CreatedAt)
                .Args.And("run_id", run));
    }

    /// <summary>Stores differences and deletes the listed charges already compared.</summary>
    /// <param name="work">Unit of work.</param>
    /// <param name="run">State after the comparison.</param>
    /// <param name="found">Differences in order, already included in the run's count.</param>
    public void SaveFound(Work work, ReconciliationRun run, IReadOnlyList<Difference> found)
    {
        var first = run.Counts.Differences - found.Count;
        StoredDifference[] kept =
        [
            .. found.Select((difference, i) => new StoredDifference(first + i + 1, difference))
                .Where(stored => stored.Number <= MostDifferences),
        ];
        if (kept.Length > 0)
            work.Defer(
                sql["insert_differences"],
                SqlArgs.Over(kept)
                    .BigInt("number", stored => stored.Number)
                    .Text("kind", stored => stored.Difference.Kind)
                    .Uuid("order_id", stored => stored.Difference.OrderId)
                    .Text("reference", stored => stored.Difference.Reference)
                    .Text("currency", stored => stored.Difference.Currency)
                    .BigInt("our_held", stored => stored.Difference.Ours.Held)
                    .BigInt("our_captured", stored => stored.Difference.Ours.Captured)
                    .BigInt("our_refunded", stored => stored.Difference.Ours.Refunded)
                    .BigInt("gateway_held", stored => stored.Difference.Theirs.Held)
                    .BigInt("gateway_captured", stored => stored.Difference.Theirs.Captured)
                    .BigInt("gateway_refunded", stored => stored.Difference.Theirs.Refunded)
                    .Text("message", stored => stored.Difference.Message)
                    .Text("repair", stored => stored.Difference.Repair)
                    .Args.And("run_id", run.Id));
        work.Defer(sql["drop_compared_charges"], SqlArgs.With("run_id", run.Id).And("compared_through", run.ComparedThrough));
    }

    /// <summary>Deletes runs that finished before a given time.</summary>
    public async Task DeleteAsync(Work work, DateTimeOffset before)
    {
        foreach (var query in new[]
        {
            "forget_differences", "forget_listed_charges", "forget_reconciliations", "forget_told_orders",
        })
            await work.ExecuteAsync(sql[query], SqlArgs.With("before", before));
    }

    /// <summary>Reads the next orders to compare by id, from one snapshot; empty at the end.</summary>
    public async Task<List<ReconciliationCase>> NextCasesAsync(IQueries read, ReconciliationRun run, int most)
    {
        var ids = await read.QueryAsync(
            sql["orders_to_compare"],
            SqlArgs.With("run_id", run.Id).And("after", run.ComparedThrough ?? Guid.Empty).And("provider", run.Provider)
                .And("first", Ids.FirstAt(run.From - ReconciliationRules.LongestBefore)).And("end", Ids.FirstAt(run.To))
                .And("most", most),
            row => row.Uuid("order_id"));
        if (ids.Count == 0) return [];
        var args = SqlArgs.OfUuids("order_id", ids);
        var payments = (await read.QueryAsync(sql["payments_to_compare"], args, ReadPayment))
            .ToDictionary(payment => payment.OrderId);
        var attempts = (await read.QueryAsync(sql["load_attempts"], args, PaymentStore.ReadAttempt))
            .ToLookup(attempt => attempt.OrderId);
        var journal = (await read.QueryAsync(
            sql["journal_to_compare"], args,
            row => (OrderId: row.Uuid("order_id"), Kind: row.Text("kind"), Amount: row.BigInt("amount"))))
            .ToLookup(entry => entry.OrderId);
        var charges = (await read.QueryAsync(
            sql["charges_to_compare"], SqlArgs.OfUuids("order_id", ids).And("run_id", run.Id), ReadCharge))
            .ToLookup(charge => charge.OrderId!.Value);
        return ids.ConvertAll(id => new ReconciliationCase(
            new PaymentCase(id, payments.GetValueOrDefault(id), [.. attempts[id]]), [.. charges[id]],
            (Sum(id, JournalEntry.Capture), Sum(id, JournalEntry.Refund))));

        long Sum(Guid id, string kind) => journal[id].Where(entry => entry.Kind == kind).Sum(entry => entry.Amount);
    }

    /// <summary>Lists runs, newest first.</summary>
    public Task<List<ReconciliationRun>> ListAsync(
        IQueries read, Guid? before, string? provider, string? state, int most, CancellationToken cancel) => read.QueryAsync(
        sql["list_reconciliations"],
        SqlArgs.With("before", before).And("provider", provider).And("state", state).And("most", most), ReadRun, cancel);

    public async Task<ReconciliationRun?> FindAsync(IQueries read, Guid id, CancellationToken cancel) =>
        (await read.QueryAsync(sql["find_reconciliation"], SqlArgs.With("id", id), ReadRun, cancel)).SingleOrDefault();

    public Task<List<StoredDifference>> DifferencesAsync(
        IQueries read, Guid run, long after, string? kind, int most, CancellationToken cancel) => read.QueryAsync(
        sql["list_differences"],
        SqlArgs.With("run_id", run).And("after", after).And("kind", kind).And("most", most),
        row => new StoredDifference(
            row.BigInt("number"),
            new Difference(
                row.Text("kind"), row.Uuid("order_id"), row.TextOrNull("reference"), row.Text("currency"),
                new ChargeTotals(row.BigInt("our_held"), row.BigInt("our_captured"), row.BigInt("our_refunded")),
                new ChargeTotals(row.BigInt("gateway_held"), row.BigInt("gateway_captured"), row.BigInt("gateway_refunded")),
                row.Text("message"), row.Text("repair"))),
        cancel);

    static ReconciliationRun ReadRun(IRow row) => new(
        row.Uuid("id"), row.Text("provider"), row.Time("range_from"), row.Time("range_to"), row.TextOrNull("requested_by"),
        row.Text("state"), row.TextOrNull("next_page"), row.UuidOrNull("compared_through"),
        new ReconciliationCounts(
            row.BigInt("listed"), row.BigInt("unrelated"), row.BigInt("compared"), row.BigInt("in_progress"),
            row.BigInt("differences")),
        row.Int("failures"), row.TextOrNull("message"), row.Time("started_at"), row.TimeOrNull("listed_at"),
        row.TimeOrNull("finished_at"));

    static ListedCharge ReadCharge(IRow row) => new(
        row.Text("reference"), row.Uuid("order_id"), row.Text("currency"), row.Text("state"), row.BigInt("held"),
        row.BigInt("captured"), row.BigInt("refunded"), row.Time("created_at"));

    static Payment ReadPayment(IRow row) => new()
    {
        OrderId = row.Uuid("order_id"),
        Provider = row.TextOrNull("provider"),
        Currency = row.TextOrNull("currency"),
        State = row.Text("state"),
        AuthorizedMinor = row.BigInt("authorized"),
        CapturedMinor = row.BigInt("captured"),
        RefundedMinor = row.BigInt("refunded"),
        Voided = row.Bool("voided"),
        GatewayReference = row.TextOrNull("gateway_reference"),
        CreatedAt = row.Time("created_at"),
        UpdatedAt = row.Time("updated_at"),
    };
}
