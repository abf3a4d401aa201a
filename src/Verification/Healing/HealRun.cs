using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification.Healing;

/// <summary>
/// Brings the four services to agreement after a database was restored to an earlier moment (docs/adr/0033): reads the four
/// databases side by side, sends the planned repairs in batches, lets the restored service work again, and repeats until a pass
/// finds nothing more. Memory grows with the number of orders repaired, not with all orders.
/// </summary>
public sealed class HealRun
{
    /// <summary>Passes after which a run ends without agreement.</summary>
    public const int MaxPasses = 60;

    // An order that does not take its repair has a cause that a further attempt does not remove.
    const int MaxTries = 6;

    // Passes that wait for orders that have just changed, before the restored service works again.
    const int MaxDeferrals = 10;

    // Covers the moments between the four snapshots and a second of clock skew.
    static readonly TimeSpan ClockMargin = TimeSpan.FromSeconds(3);

    readonly IReadOnlyDictionary<string, IDatabase> databases;
    readonly IHealedServices services;
    readonly TimeProvider time;
    readonly SqlCatalog sql;
    readonly Dictionary<Guid, int> tries = [];
    readonly HashSet<Guid> open = [];

    // Orders of the first pass whose ids lie ahead of this clock: the clock of order-service may have been wrong.
    readonly HashSet<Guid> early = [];

    // Orders that changed just before the previous pass. A clock may have been wrong, so unchanged versions count as rest, too.
    Dictionary<Guid, (long?, long?, long?, string?)> moved = [];
    readonly Dictionary<Guid, HealConflict> conflicts = [];
    readonly Dictionary<(string Service, string What), HealDifference> differences = [];
    long repairs;

    public HealRun(IReadOnlyDictionary<string, IDatabase> databases, IHealedServices services, TimeProvider time)
    {
        (this.databases, this.services, this.time) = (databases, services, time);
        sql = SqlCatalog.Of(typeof(Verifier).Assembly, databases[ServiceNames.Order].Engine);
    }

    /// <param name="preview">Reads and plans only.</param>
    /// <param name="onPass">Called after each pass.</param>
    /// <param name="cancel">Stops the run; repairs sent so far stay.</param>
    public async Task<HealReport> RunAsync(bool preview, Action<HealPass> onPass, CancellationToken cancel)
    {
        var began = time.Now();
        IReadOnlyList<string>? first = null;
        for (var number = 1; ; number++)
        {
            var fences = await services.FencesAsync(cancel);
            first ??= [.. fences.Select(fence => fence.Service).Order()];
            var behind = fences.Where(fence => !fence.IsResumed).Select(fence => fence.Service).ToHashSet();
            var pass = new Pass(this, new HealRules(behind), number == 1, began, preview, cancel);
            await pass.RunAsync();
            onPass(new(number, pass.Orders, pass.Sent, open.Count));
            var isOpen = fences.Count == 0;
            if (!preview && pass.Unsent == 0)
            {
                if (pass.Deferred == 0 || number >= MaxDeferrals)
                    foreach (var service in behind) await services.ResumeAsync(service, "The first repairs are made.", cancel);
                // Requests made before an order has its later facts back could contradict them.
                if (behind.Count == 0 && pass is { Planned: 0, Settling: 0 }) isOpen = await AcceptAsync(fences, cancel);
            }
            var agrees = isOpen && pass is { Planned: 0, Unsent: 0 } && open.Count == 0;
            if (preview || agrees || number == MaxPasses)
                return new(
                    first, [.. differences.Values.OrderBy(one => one.Service).ThenBy(one => one.What)],
                    [.. conflicts.Values.OrderByDescending(conflict => conflict.OrderId)],
                    [.. first.Select(Unrecoverable.Of)], number, pass.Orders, repairs,
                    agrees || (preview && differences.Count == 0 && fences.Count == 0));
            await Task.Delay(ClockMargin + TimeSpan.FromSeconds(1), time, cancel);
        }
    }

    async Task<bool> AcceptAsync(IReadOnlyList<ClosedFence> fences, CancellationToken cancel)
    {
        var all = true;
        foreach (var fence in fences) all &= await services.AcceptAsync(fence.Service, "The services agree.", cancel);
        return all;
    }

    /// <summary>Reading of all orders. Repairs of a batch are sent while the reading goes on.</summary>
    sealed class Pass(
        HealRun run, HealRules rules, bool isFirst, DateTimeOffset began, bool preview, CancellationToken cancel)
    {
        readonly DateTimeOffset atRestSince = run.time.Now() - ClockMargin;
        readonly List<HealPlan> waiting = [];
        readonly Dictionary<Guid, (long?, long?, long?, string?)> moved = [];
        readonly Dictionary<string, ProductRepair> products = [];
        HashSet<string> skus = [];

        public long Orders { get; private set; }

        /// <summary>Orders with a repair, except conflicts.</summary>
        public long Planned { get; private set; }

        public long Sent { get; private set; }

        /// <summary>Orders that have just changed, or wait for their products: not repaired in this pass.</summary>
        public long Deferred { get; private set; }

        /// <summary>Decided orders that the services are still bringing forward.</summary>
        public long Settling { get; private set; }

        /// <summary>Requests without a reply.</summary>
        public int Unsent { get; private set; }

        public async Task RunAsync()
        {
            var databases = run.databases;
            await using var orders = await Snapshot.OpenAsync(databases[ServiceNames.Order], cancel);
            await using var sagas = await Snapshot.OpenAsync(databases[ServiceNames.Coordinator], cancel);
            await using var payments = await Snapshot.OpenAsync(databases[ServiceNames.Customer], cancel);
            await using var goods = await Snapshot.OpenAsync(databases[ServiceNames.Stock], cancel);
            await using var movements = await Snapshot.OpenAsync(databases[ServiceNames.Stock], cancel);
            skus = (await goods.Queries.QueryAsync(run.sql["heal_skus"], SqlArgs.None, row => row.Text("sku"), cancel))
                .ToHashSet();
            await using var allOrders = Walk(orders, "heal_orders", HealRows.Order, row => row.Id);
            await using var allSagas = Walk(sagas, "heal_sagas", HealRows.Saga, row => row.OrderId);
            await using var allPayments = Walk(payments, "heal_payments", HealRows.Payment, row => row.OrderId);
            await using var allReservations = Walk(goods, "heal_reservations", HealRows.Reservation, row => row.OrderId);
            await using var allConsumed = Walk(movements, "heal_consumed", row => row.Uuid("order_id"), id => id);
            await Task.WhenAll(
                allOrders.StartAsync(), allSagas.StartAsync(), allPayments.StartAsync(), allReservations.StartAsync(),
                allConsumed.StartAsync());
            run.conflicts.Clear();
            while (Smallest(allOrders.Next, allSagas.Next, allPayments.Next, allReservations.Next, allConsumed.Next) is { } id)
            {
                Take(new HealCase(
                    id, await allOrders.TakeOneAsync(id), await allSagas.TakeOneAsync(id), await allPayments.TakeOneAsync(id),
                    await allReservations.TakeOneAsync(id), (await allConsumed.TakeAsync(id)).Count > 0));
                if (waiting.Count >= HealRequests.MaxRepairs) await SendAsync();
            }
            await SendAsync();
            foreach (var lost in products.Values.Chunk(HealRequests.MaxRepairs))
                Count(await run.services.HealAsync(new HealReservationsRequest([], lost), cancel));
            await CompareErasuresAsync(payments, orders);
            run.moved = moved;
        }

        // order-service marks an id before an erasure is decided, and removes the mark only after a refusal.
        async Task CompareErasuresAsync(Snapshot customers, Snapshot orders)
        {
            var here = (await customers.Queries.QueryAsync(
                    run.sql["heal_erasures"], SqlArgs.None,
                    row => (Id: row.Text("customer_id"), IsErased: row.Bool("is_erased"), IsRunning: row.Bool("is_running")),
                    cancel))
                .ToDictionary(customer => customer.Id);
            var there = (await orders.Queries.QueryAsync(
                    run.sql["heal_erased"], SqlArgs.None, row => row.Text("customer_id"), cancel))
                .ToHashSet();
            List<ErasureRepair> lost =
            [
                .. here.Values.Where(customer => customer.IsErased && !there.Contains(customer.Id))
                    .Select(customer => new ErasureRepair(customer.Id, Withdraws: false)),
                .. there.Where(id => !here.TryGetValue(id, out var known) || known is { IsErased: false, IsRunning: false })
                    .Select(id => new ErasureRepair(id, Withdraws: here.ContainsKey(id))),
            ];
            Planned += lost.Count;
            if (lost.Count > 0)
                run.differences.TryAdd(
                    (ServiceNames.Customer, "erasures not agreed with order-service"),
                    new(ServiceNames.Customer, "erasures not agreed with order-service", lost.Count, began, Guid.Empty));
            if (preview) return;
            foreach (var some in lost.Chunk(HealRequests.MaxRepairs))
                Count(await run.services.HealAsync(new HealPaymentsRequest([], some), cancel));
        }

        void Take(HealCase known)
        {
            Orders++;
            if (known.TouchedAt >= atRestSince)
            {
                moved.Add(known.OrderId, known.Versions);
                if (!run.moved.TryGetValue(known.OrderId, out var before) || before != known.Versions)
                {
                    if (isFirst && Ids.TimeOf(known.OrderId) >= began) run.early.Add(known.OrderId);
                    // Placed since: no restore has touched the order.
                    if (!run.early.Contains(known.OrderId) && Ids.TimeOf(known.OrderId) >= began) return;
                    run.open.Add(known.OrderId);
                    Deferred++;
                    if (!known.IsUndecided) Settling++;
                    return;
                }
            }
            var plan = rules.Plan(known);
            if (plan.Conflict is { } conflict) run.conflicts[known.OrderId] = conflict;
            Note(known, plan);
            if (plan.IsMoving && !known.IsUndecided) Settling++;
            if (plan.IsEmpty)
            {
                if (!plan.IsMoving) run.open.Remove(known.OrderId);
                return;
            }
            if (preview) return;
            if (WaitsForProducts(plan)) return;
            if (plan.Differences.Count > 0
                && (run.tries[known.OrderId] = run.tries.GetValueOrDefault(known.OrderId) + 1) > MaxTries)
            {
                run.open.Remove(known.OrderId);
                run.conflicts.TryAdd(known.OrderId, new(
                    known.OrderId, HealConflicts.NotRepaired,
                    string.Join("; ", plan.Differences.Select(one => $"{one.Service}: {one.What}"))));
                return;
            }
            waiting.Add(plan);
        }

        void Note(HealCase known, HealPlan plan)
        {
            foreach (var key in plan.Differences)
                if (run.differences.TryGetValue(key, out var before))
                {
                    if (!run.tries.ContainsKey(known.OrderId)) run.differences[key] = before with { Orders = before.Orders + 1 };
                }
                else
                    run.differences[key] = new(key.Service, key.What, 1, Ids.TimeOf(known.OrderId), known.OrderId);
        }

        // A level cannot be made up order by order: the products are created first, with what all orders need.
        bool WaitsForProducts(HealPlan plan)
        {
            if (plan.Reservation is not { To: ReservationStates.Committed } sold
                || sold.Lines.All(line => skus.Contains(line.Sku)))
                return false;
            foreach (var line in sold.Lines.Where(line => !skus.Contains(line.Sku)))
                products[line.Sku] = new(
                    line.Sku, line.UnitPrice ?? 0, sold.Currency,
                    line.Quantity + (products.GetValueOrDefault(line.Sku)?.OnHand ?? 0));
            run.open.Add(plan.OrderId);
            Planned++;
            Deferred++;
            return true;
        }

        async Task SendAsync()
        {
            if (waiting.Count == 0) return;
            List<HealPlan> plans = [.. waiting];
            waiting.Clear();
            foreach (var plan in plans.Where(plan => plan.Differences.Count > 0)) run.open.Add(plan.OrderId);
            var refused = new HashSet<Guid>();
            await SendAsync(plans.Select(plan => plan.Order), all => run.services.HealAsync(new HealOrdersRequest(all), cancel));
            await SendAsync(plans.Select(plan => plan.Saga), all => run.services.HealAsync(new HealSagasRequest(all), cancel));
            await SendAsync(
                plans.Select(plan => plan.Reservation), all => run.services.HealAsync(new HealReservationsRequest(all), cancel));
            await SendAsync(
                plans.Select(plan => plan.Payment), all => run.services.HealAsync(new HealPaymentsRequest(all), cancel));
            foreach (var plan in plans)
                if (refused.Contains(plan.OrderId))
                {
                    run.open.Remove(plan.OrderId);
                    if (run.tries.TryGetValue(plan.OrderId, out var tried)) run.tries[plan.OrderId] = tried - 1;
                }
                else if (plan.Differences.Count > 0) Planned++;

            async Task SendAsync<T>(IEnumerable<T?> some, Func<IReadOnlyList<T>, Task<HealResponse?>> send) where T : class
            {
                List<T> all = [.. some.OfType<T>()];
                if (all.Count == 0) return;
                Sent += all.Count;
                var response = await send(all);
                Count(response);
                foreach (var conflict in response?.Conflicts ?? [])
                {
                    refused.Add(conflict.OrderId);
                    run.conflicts[conflict.OrderId] = conflict;
                }
            }
        }

        void Count(HealResponse? response)
        {
            if (response is null) Unsent++;
            else run.repairs += response.Changed;
        }

        ByOrder<T> Walk<T>(Snapshot snapshot, string query, Func<IRow, T> map, Func<T, Guid> idOf) =>
            new(snapshot.Queries.StreamAsync(run.sql[query], SqlArgs.None, map, cancel), idOf, cancel);

        static Guid? Smallest(params ReadOnlySpan<Guid?> ids)
        {
            Guid? smallest = null;
            foreach (var id in ids)
                if (id is not null && (smallest is null || id.Value.CompareTo(smallest.Value) < 0)) smallest = id;
            return smallest;
        }
    }
}
