using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification;

/// <summary>
/// Recomputes every invariant (ARCHITECTURE.md, Invariants) from the tables of the four services. Read-only, and may run
/// beside the services. Memory grows with the number of SKUs, not of orders.
/// </summary>
/// <remarks>
/// The services commit separately, so four snapshots show slightly different moments. Orders written shortly before the
/// snapshots are therefore not judged; if such an order looks wrong, everything is read again a little later. Sums over
/// orders exclude these orders on both sides. Sums within one service come from one snapshot and need no such care.
/// </remarks>
public sealed class Verifier(IReadOnlyDictionary<string, IDatabase> databases, TimeProvider time)
{
    /// <summary>
    /// An optional fifth database: the record of a sandbox gateway run as its own process, which the provider <c>http</c>
    /// uses. When present, payments are also checked against it.
    /// </summary>
    public const string Gateway = "payment-gateway";

    const int MaxPasses = 3;

    /// <summary>Covers the moments between snapshots and a second of clock skew.</summary>
    static readonly TimeSpan ClockMargin = TimeSpan.FromSeconds(3);

    readonly SqlCatalog sql = SqlCatalog.Of(typeof(Verifier).Assembly, databases[ServiceNames.Order].Engine);

    public async Task<VerificationReport> RunAsync(CancellationToken cancel)
    {
        var started = time.GetTimestamp();
        for (var pass = 1; ; pass++)
        {
            var report = new ReportBuilder();
            await new Pass(databases, sql, report, time.Now(), time.Now() - ClockMargin).RunAsync(cancel);
            if (!report.NeedsAnotherPass || pass == MaxPasses) return report.Build(pass, time.GetElapsedTime(started));
            await Task.Delay(ClockMargin + TimeSpan.FromSeconds(1), time, cancel);
        }
    }

    /// <summary>
    /// Waits until no saga moves and every unsettled order waits for a named party; false after <paramref name="limit"/>.
    /// </summary>
    public async Task<bool> SettleAsync(TimeSpan limit, Action<long> onOpen, CancellationToken cancel)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var unsettled = await CountAsync(ServiceNames.Order, "count_unsettled", cancel);
            var parked = await CountAsync(ServiceNames.Coordinator, "count_parked", cancel);
            var moving = await CountAsync(ServiceNames.Coordinator, "count_moving", cancel);
            if (moving == 0 && unsettled <= parked) return true;
            onOpen(Math.Max(moving, unsettled));
            if (time.GetElapsedTime(started) > limit) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(500), time, cancel);
        }
    }

    async Task<long> CountAsync(string service, string query, CancellationToken cancel) =>
        await databases[service].ReadAsync(
            async queries => (await queries.QueryAsync(sql[query], SqlArgs.None, row => row.BigInt("total"), cancel))[0], cancel);
}
