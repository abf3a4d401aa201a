using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification;

/// <summary>
/// Recomputes every invariant of DESIGN.md section 6 from the tables of the four services. It only reads, and may run
/// beside the services; memory grows with the number of SKUs, not of orders.
/// </summary>
/// <remarks>
/// The services commit separately, so four snapshots show slightly different moments. An order that was touched
/// since shortly before the snapshots were taken is therefore not judged by what it shows; if it shows anything, all
/// is read again a little later, when that order has come to rest. Sums over orders leave such orders out on both
/// sides. Sums within one service come from one snapshot and need no such care.
/// </remarks>
public sealed class Verifier(IReadOnlyDictionary<string, IDatabase> databases, TimeProvider time)
{
    /// <summary>
    /// A fifth database, where it is at hand: the record of the sandbox gateway in a process of its own, which the
    /// provider <c>http</c> talks to. Money is then checked against it too.
    /// </summary>
    public const string Gateway = "payment-gateway";

    const int MaxPasses = 3;

    /// <summary>Covers the moments between snapshots and a second of skew between clocks.</summary>
    static readonly TimeSpan Unrest = TimeSpan.FromSeconds(3);

    readonly SqlCatalog sql = SqlCatalog.Of(typeof(Verifier).Assembly, databases[ServiceNames.Order].Engine);

    public async Task<VerificationReport> RunAsync(CancellationToken cancel)
    {
        var started = time.GetTimestamp();
        for (var pass = 1; ; pass++)
        {
            var report = new ReportBuilder();
            await new Pass(databases, sql, report, time.Now(), time.Now() - Unrest).RunAsync(cancel);
            if (!report.Doubtful || pass == MaxPasses) return report.Build(pass, time.GetElapsedTime(started));
            await Task.Delay(Unrest + TimeSpan.FromSeconds(1), time, cancel);
        }
    }

    /// <summary>
    /// Waits until no saga moves and every unsettled order waits for somebody; false when that took longer than
    /// <paramref name="limit"/>.
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
            async queries => (await queries.QueryAsync(sql[query], SqlArgs.None, row => row.BigInt(0), cancel))[0], cancel);
}
