using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>Of one provider; null where there is none.</summary>
/// <param name="Provider">Which.</param>
/// <param name="ScheduledAt">When the schedule last began one, which did not fail.</param>
/// <param name="FailedAt">When it last began one that failed.</param>
/// <param name="Differences">What the last one with a result found, whoever began it.</param>
public sealed record LastReconciliation(
    string Provider, DateTimeOffset? ScheduledAt, DateTimeOffset? FailedAt, long? Differences);

/// <param name="N">1 and up within its run.</param>
/// <param name="Difference">What differs.</param>
public sealed record StoredDifference(long N, Difference Difference);

/// <summary>Another instance has taken the run meanwhile.</summary>
sealed class LeaseLostException(Guid run) : Exception($"The reconciliation {run} is another instance's by now.");

/// <summary>Runs, what gateways list, and what differs.</summary>
public sealed class ReconciliationStore(SqlCatalog sql)
{
    /// <summary>Differences of one run that are kept; further ones are only counted.</summary>
    public const int MostDifferences = 10_000;

    /// <summary>Begins those whose provider has none under way; returns which.</summary>
    public async Task<HashSet<Guid>> BeginAsync(
        Work work,
        IReadOnlyList<(Guid Id, string Provider, DateTimeOffset From, DateTimeOffset To, string? AskedBy)> runs) =>
        runs.Count == 0
            ? []
            : (await work.QueryAsync(
                sql["begin_reconciliations"],
                SqlArgs.Over(runs)
                    .Uuid("id", run => run.Id)
                    .Text("provider", run => run.Provider)
                    .Time("range_from", run => run.From)
                    .Time("range_to", run => run.To)
                    .Text("asked_by", run => run.AskedBy)
                    .Args.And("now", work.Now),
                row => row.Uuid(0))).ToHashSet();

    public Task<List<LastReconciliation>> LastAsync(Work work, IReadOnlyList<string> providers) => work.QueryAsync(
        sql["last_reconciliations"], SqlArgs.OfTexts("provider", providers),
        row => new LastReconciliation(row.Text(0), row.TimeOrNull(1), row.TimeOrNull(2), row.BigIntOrNull(3)));

    /// <summary>
    /// The oldest that nobody works on, for <paramref name="owner"/> until its lease ends; null when there is none.
    /// </summary>
    public async Task<ReconciliationRun?> TakeAsync(Work work, Guid owner, TimeSpan lease) =>
        (await work.QueryAsync(
            sql["take_reconciliation"],
            SqlArgs.With("owner", owner).And("now", work.Now).And("lease_until", work.Now + lease)
                // A clock that was ahead has set it.
                .And("too_far", work.Now + 2 * lease),
            ReadRun)).SingleOrDefault();

    /// <summary>How far it is. Throws <see cref="LeaseLostException"/> when it is not this owner's any more.</summary>
    public async Task SaveAsync(Work work, ReconciliationRun run, Guid owner, TimeSpan lease)
    {
        var touched = await work.ExecuteAsync(
            sql["save_reconciliation"],
            SqlArgs.With("id", run.Id).And("owner", owner).And("lease_until", work.Now + lease).And("state", run.State)
                .And("next_page", run.NextPage).And("compared_to", run.ComparedTo).And("listed", run.Counts.Listed)
                .And("unrelated", run.Counts.Unrelated).And("compared", run.Counts.Compared)
                .And("under_way", run.Counts.UnderWay).And("differences", run.Counts.Differences)
                .And("failures", run.Failures).And("message", run.Message).And("listed_at", run.ListedAt)
                .And("finished_at", run.FinishedAt));
        if (touched == 0) throw new LeaseLostException(run.Id);
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

    /// <summary>Adds what was found, and lets go of what is compared.</summary>
    /// <param name="work">Its transaction.</param>
    /// <param name="run">As it is after these.</param>
    /// <param name="found">In order; the run's count includes them.</param>
    public void SaveFound(Work work, ReconciliationRun run, IReadOnlyList<Difference> found)
    {
        var first = run.Counts.Differences - found.Count;
        StoredDifference[] kept =
        [
            .. found.Select((one, i) => new StoredDifference(first + i + 1, one)).Where(one => one.N <= MostDifferences),
        ];
        if (kept.Length > 0)
            work.Defer(
                sql["insert_differences"],
                SqlArgs.Over(kept)
                    .BigInt("n", one => one.N)
                    .Text("kind", one => one.Difference.Kind)
                    .Uuid("order_id", one => one.Difference.OrderId)
                    .Text("reference", one => one.Difference.Reference)
                    .Text("currency", one => one.Difference.Currency)
                    .BigInt("our_held", one => one.Difference.Ours.Held)
                    .BigInt("our_captured", one => one.Difference.Ours.Captured)
                    .BigInt("our_refunded", one => one.Difference.Ours.Refunded)
                    .BigInt("their_held", one => one.Difference.Theirs.Held)
                    .BigInt("their_captured", one => one.Difference.Theirs.Captured)
                    .BigInt("their_refunded", one => one.Difference.Theirs.Refunded)
                    .Text("message", one => one.Difference.Message)
                    .Text("repair", one => one.Difference.Repair)
                    .Args.And("run_id", run.Id));
        work.Defer(sql["drop_compared_charges"], SqlArgs.With("run_id", run.Id).And("compared_to", run.ComparedTo));
    }

    /// <summary>Lets go of runs that ended before a moment.</summary>
    public async Task ForgetAsync(Work work, DateTimeOffset before)
    {
        foreach (var query in new[] { "forget_differences", "forget_listed_charges", "forget_reconciliations" })
            await work.ExecuteAsync(sql[query], SqlArgs.With("before", before));
    }

    /// <summary>
    /// The next orders to compare, as both sides tell of them, in key order; empty at the end. One snapshot.
    /// </summary>
    public async Task<List<ReconciliationCase>> NextCasesAsync(IQueries read, ReconciliationRun run, int most)
    {
        var ids = await read.QueryAsync(
            sql["orders_to_compare"],
            SqlArgs.With("run_id", run.Id).And("after", run.ComparedTo ?? Guid.Empty).And("provider", run.Provider)
                .And("first", Ids.FirstAt(run.From - ReconciliationRules.LongestBefore)).And("end", Ids.FirstAt(run.To))
                .And("most", most),
            row => row.Uuid(0));
        if (ids.Count == 0) return [];
        var args = SqlArgs.OfUuids("order_id", ids);
        var payments = (await read.QueryAsync(sql["payments_to_compare"], args, ReadPayment))
            .ToDictionary(payment => payment.OrderId);
        var calls = (await read.QueryAsync(sql["load_calls"], args, PaymentStore.ReadCall)).ToLookup(call => call.OrderId);
        var journal = (await read.QueryAsync(
            sql["journal_to_compare"], args, row => (OrderId: row.Uuid(0), Kind: row.Text(1), Amount: row.BigInt(2))))
            .ToLookup(one => one.OrderId);
        var charges = (await read.QueryAsync(
            sql["charges_to_compare"], SqlArgs.OfUuids("order_id", ids).And("run_id", run.Id), ReadCharge))
            .ToLookup(charge => charge.OrderId!.Value);
        return ids.ConvertAll(id => new ReconciliationCase(
            new PaymentFile(id, payments.GetValueOrDefault(id), [.. calls[id]]), [.. charges[id]],
            (Sum(id, Movement.Capture), Sum(id, Movement.Refund))));

        long Sum(Guid id, string kind) => journal[id].Where(one => one.Kind == kind).Sum(one => one.Amount);
    }

    /// <summary>Newest first.</summary>
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
            row.BigInt(0),
            new Difference(
                row.Text(1), row.Uuid(2), row.TextOrNull(3), row.Text(4),
                new MoneyPosition(row.BigInt(5), row.BigInt(6), row.BigInt(7)),
                new MoneyPosition(row.BigInt(8), row.BigInt(9), row.BigInt(10)), row.Text(11), row.Text(12))),
        cancel);

    static ReconciliationRun ReadRun(IRow row) => new(
        row.Uuid(0), row.Text(1), row.Time(2), row.Time(3), row.TextOrNull(4), row.Text(5), row.TextOrNull(6),
        row.UuidOrNull(7),
        new ReconciliationCounts(row.BigInt(8), row.BigInt(9), row.BigInt(10), row.BigInt(11), row.BigInt(12)), row.Int(13),
        row.TextOrNull(14), row.Time(15), row.TimeOrNull(16), row.TimeOrNull(17));

    static ListedCharge ReadCharge(IRow row) => new(
        row.Text(0), row.Uuid(1), row.Text(2), row.Text(3), row.BigInt(4), row.BigInt(5), row.BigInt(6), row.Time(7));

    static Payment ReadPayment(IRow row) => new()
    {
        OrderId = row.Uuid(0),
        Provider = row.TextOrNull(1),
        Currency = row.TextOrNull(2),
        State = row.Text(3),
        AuthorizedMinor = row.BigInt(4),
        CapturedMinor = row.BigInt(5),
        RefundedMinor = row.BigInt(6),
        Voided = row.Bool(7),
        GatewayReference = row.TextOrNull(8),
        CreatedAt = row.Time(9),
        UpdatedAt = row.Time(10),
    };
}
