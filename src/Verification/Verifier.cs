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
/// snapshots are therefore not judged, and everything is read again a little later. An order counts as judged once one pass
/// has found it at rest and sound; orders placed after the first pass are out of scope. Sums over orders exclude the orders
/// in flight on both sides. Sums within one service come from one snapshot and need no such care.
/// </remarks>
public sealed class Verifier(IReadOnlyDictionary<string, IDatabase> databases, TimeProvider time)
{
    /// <summary>
    /// An optional fifth database: the record of a sandbox gateway run as its own process, which the provider <c>http</c>
    /// uses. When present, payments are also checked against it.
    /// </summary>
    public const string Gateway = "payment-gateway";

    /// <summary>
    /// Greatest difference between clocks that is no finding: a stamp further ahead was written by a wrong clock.
    /// </summary>
    public static readonly TimeSpan AllowedSkew = TimeSpan.FromSeconds(30);

    const int MaxPasses = 4;

    /// <summary>Covers the moments between snapshots and a second of clock skew.</summary>
    static readonly TimeSpan ClockMargin = TimeSpan.FromSeconds(3);

    readonly SqlCatalog sql = SqlCatalog.Of(typeof(Verifier).Assembly, databases[ServiceNames.Order].Engine);

    public async Task<VerificationReport> RunAsync(CancellationToken cancel)
    {
        var started = time.GetTimestamp();
        IReadOnlySet<Guid>? open = null;
        var broken = new HashSet<Guid>();
        for (var number = 1; ; number++)
        {
            var report = new ReportBuilder();
            var pass = new Pass(databases, sql, report, time.Now(), time.Now() - ClockMargin);
            await pass.RunAsync(cancel);
            // In flight in every pass, or found broken by an earlier one and in flight since.
            open = open is null ? pass.InFlight : pass.InFlight.Where(id => open.Contains(id) || broken.Contains(id)).ToHashSet();
            broken.UnionWith(pass.Broken);
            if (open.Count == 0 || number == MaxPasses)
                return report.Build(open.Count, number, time.GetElapsedTime(started));
            await Task.Delay(ClockMargin + TimeSpan.FromSeconds(1), time, cancel);
        }
    }

    /// <summary>Identifies the databases that are read, by the time of their first migration.</summary>
    public async Task<IReadOnlyList<DatabaseRead>> IdentifyAsync(CancellationToken cancel)
    {
        var read = new List<DatabaseRead>();
        foreach (var (service, database) in databases)
            read.Add(new(
                service,
                (await database.QueryAsync(sql["database_since"], SqlArgs.None, row => row.TimeOrNull("since"), cancel))[0]));
        return read;
    }

    /// <summary>True when order-service's database contains the order.</summary>
    public async Task<bool> HasOrderAsync(Guid orderId, CancellationToken cancel) =>
        (await databases[ServiceNames.Order].QueryAsync(
            sql["find_order"], SqlArgs.With("id", orderId), row => row.Uuid("id"), cancel)).Count > 0;

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
