using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification;

/// <summary>Reads the four databases once, side by side in the order of order ids.</summary>
sealed class Pass(
    IReadOnlyDictionary<string, IDatabase> databases, SqlCatalog sql, ReportBuilder report, DateTimeOffset now,
    DateTimeOffset atRestSince)
{
    // The newest table-level finding per table is enough: every row of a wrong clock has the same cause.
    static readonly IReadOnlyDictionary<string, string> Stamps = new Dictionary<string, string>
    {
        [ServiceNames.Order] = "future_order_stamps",
        [ServiceNames.Customer] = "future_customer_stamps",
        [ServiceNames.Stock] = "future_stock_stamps",
        [ServiceNames.Coordinator] = "future_saga_stamps",
    };

    readonly Dictionary<string, StockSums> stock = [];
    readonly HashSet<Guid> inFlight = [];
    readonly HashSet<Guid> broken = [];
    readonly SortedDictionary<string, (long Kept, long Paid)> money = new(StringComparer.Ordinal);
    readonly Dictionary<string, DateTimeOffset> erased = [];
    long shipments;

    /// <summary>Orders written too recently for a judgement.</summary>
    public IReadOnlySet<Guid> InFlight => inFlight;

    /// <summary>Orders with a finding.</summary>
    public IReadOnlySet<Guid> Broken => broken;

    public async Task RunAsync(CancellationToken cancel)
    {
        // Responses are read before the orders, since a response follows its order's commit.
        await using var acknowledged = await Snapshot.OpenAsync(databases[ServiceNames.Order], cancel);
        await using var orders = await Snapshot.OpenAsync(databases[ServiceNames.Order], cancel);
        await using var events = await Snapshot.OpenAsync(databases[ServiceNames.Order], cancel);
        await using var sagas = await Snapshot.OpenAsync(databases[ServiceNames.Coordinator], cancel);
        await using var payments = await Snapshot.OpenAsync(databases[ServiceNames.Customer], cancel);
        await using var journal = await Snapshot.OpenAsync(databases[ServiceNames.Customer], cancel);
        await using var sandbox = await Snapshot.OpenAsync(databases[ServiceNames.Customer], cancel);
        await using var gateway = databases.TryGetValue(Verifier.Gateway, out var gatewayDatabase)
            ? await Snapshot.OpenAsync(gatewayDatabase, cancel)
            : null;
        await using var goods = await Snapshot.OpenAsync(databases[ServiceNames.Stock], cancel);

        await CheckStampsAsync(cancel);
        await CheckErasedAsync(payments.Queries, cancel);
        await CheckReferencesAsync(orders.Queries, cancel);
        await CheckBalancesAsync(payments.Queries, cancel);
        await CheckAccountsAsync(payments.Queries, cancel);
        await foreach (var sums in goods.Queries.StreamAsync(sql["stock_sums"], SqlArgs.None, ReadRows.Stock, cancel))
            stock.Add(sums.Sku, sums);

        await using var allAcknowledged = Walk(acknowledged, "acknowledged", row => row.Uuid("id"), id => id, cancel);
        await using var allOrders = Walk(orders, "orders", ReadRows.Order, row => row.Id, cancel);
        await using var allEvents = Walk(events, "events", ReadRows.Event, row => row.OrderId, cancel);
        await using var allSagas = Walk(sagas, "sagas", ReadRows.Saga, row => row.OrderId, cancel);
        await using var allPayments = Walk(payments, "payments", ReadRows.Payment, row => row.OrderId, cancel);
        await using var allJournalEntries = Walk(journal, "journal", ReadRows.JournalEntry, row => row.OrderId, cancel);
        await using var allCharges = Walk(sandbox, "charges", ReadRows.Charge, row => row.OrderId, cancel);
        await using var allGateways = gateway is null
            ? null
            : Walk(gateway, "charges", ReadRows.Charge, row => row.OrderId, cancel);
        await using var allReservations = Walk(goods, "reservations", ReadRows.Reservation, row => row.OrderId, cancel);
        await Task.WhenAll(
            allAcknowledged.StartAsync(), allOrders.StartAsync(), allEvents.StartAsync(), allSagas.StartAsync(),
            allPayments.StartAsync(), allJournalEntries.StartAsync(), allCharges.StartAsync(), allReservations.StartAsync(),
            allGateways?.StartAsync() ?? Task.CompletedTask);

        while (Smallest(
            allAcknowledged.Next, allOrders.Next, allEvents.Next, allSagas.Next, allPayments.Next, allJournalEntries.Next,
            allCharges.Next, allReservations.Next, allGateways?.Next) is { } id)
            Judge(new OrderCase(id)
            {
                Acknowledged = (await allAcknowledged.TakeAsync(id)).Count > 0,
                Order = await allOrders.TakeOneAsync(id),
                Events = await allEvents.TakeAsync(id),
                Saga = await allSagas.TakeOneAsync(id),
                Payment = await allPayments.TakeOneAsync(id),
                JournalEntries = await allJournalEntries.TakeAsync(id),
                Charges =
                [
                    .. await allCharges.TakeAsync(id),
                    .. allGateways is null ? [] : await allGateways.TakeAsync(id),
                ],
                ListedProviders = allGateways is null ? ["sandbox"] : ["sandbox", "http"],
                Reservation = await allReservations.TakeOneAsync(id),
            });

        report.Look("I1", "orders", allOrders.Count);
        report.Look("I1", "acknowledged", allAcknowledged.Count);
        report.Look("I1", "sagas", allSagas.Count);
        report.Look("I2", "payments", allPayments.Count);
        report.Look("I2", "charges", allCharges.Count + (allGateways?.Count ?? 0));
        report.Look("I3", "movements", allJournalEntries.Count);
        report.Look("I4", "reservations", allReservations.Count);
        report.Look("I4", "shipments", shipments);
        report.Look("I5", "events", allEvents.Count);
        report.Look("I9", "events", allEvents.Count);
        CheckSums();
    }

    void Judge(OrderCase orderCase)
    {
        if (orderCase.Order is { } order && erased.TryGetValue(order.CustomerId, out var erasedAt))
            orderCase = orderCase with { CustomerErasedAt = erasedAt };
        report.Orders += orderCase.Order is null ? 0 : 1;
        shipments += orderCase.Reservation?.Shipments.Count ?? 0;
        CountLines(orderCase.Reservation);
        if (orderCase.Reservation is { State: "held" }) report.Look("I6", "holds");
        if (orderCase.Order is { ImportLines: not null }) report.Look("I12", "imported orders");
        if (orderCase.Order?.Status is OrderStatuses.Pending or OrderStatuses.CancelPending) report.Look("I7", "open orders");
        if (orderCase.Saga is { State: "waiting" }) report.Look("I7", "waiting");
        if (orderCase.Saga is { State: "failed" }) report.Look("I7", "incidents");

        // A stamp of the near future belongs to a clock slightly ahead; one beyond the skew is a finding of its own, and no
        // reason to leave the order out.
        if (orderCase.TouchedAt >= atRestSince && orderCase.TouchedAt <= now + Verifier.AllowedSkew)
        {
            inFlight.Add(orderCase.OrderId);
            return;
        }
        foreach (var finding in InvariantRules.Check(orderCase, now))
        {
            broken.Add(orderCase.OrderId);
            report.Add(finding);
        }
        NameWhatIsJudgedElsewhere(orderCase);
        CountMoney(orderCase);
    }

    void NameWhatIsJudgedElsewhere(OrderCase orderCase)
    {
        if (orderCase.Payment is not { Provider: { } provider and not "balance" }) return;
        if (orderCase.Saga is { State: "failed" })
            report.Refer("payments", "money of open incidents, compared once resolved: ./orderwright incidents");
        else if (!orderCase.ListedProviders.Contains(provider))
            report.Refer("payments", $"the record of the gateway {provider}: ./orderwright reconcile --provider {provider}");
    }

    void CountMoney(OrderCase orderCase)
    {
        // Money kept by an incident counts only after an operator has resolved the incident.
        if (orderCase.Saga is { State: "failed" }) return;
        if (orderCase.Payment is { Currency: not null } payment)
        {
            var (kept, paid) = money.GetValueOrDefault(payment.Currency);
            money[payment.Currency] = (kept + payment.Captured - payment.Refunded, paid);
        }
        // For a partly paid order the captured amount counts, for a paid one the total.
        if (orderCase.Order is { } order && InvariantRules.IsGood(order.Status))
        {
            var (kept, paid) = money.GetValueOrDefault(order.Currency);
            var taken = (orderCase.Payment?.Captured ?? 0) - (orderCase.Payment?.Refunded ?? 0);
            money[order.Currency] = (kept, paid + order.PaymentStatus switch
            {
                // I2 checks the amount; order-service may learn of a capture a little later.
                _ when order.IsTakenOnFulfilment => taken,
                PaymentStatuses.Paid => order.Total ?? 0,
                PaymentStatuses.PartiallyPaid or PaymentStatuses.PartiallyRefunded => taken,
                _ => 0,
            });
        }
    }

    void CountLines(ReservationRow? reservation)
    {
        if (reservation?.State is not ("held" or "committed")) return;
        foreach (var (sku, quantity) in StoredLines.Quantities(reservation.Lines))
        {
            if (!stock.TryGetValue(sku, out var sums)) stock.Add(sku, sums = new StockSums(sku, 0, 0, 0, 0, 0));
            if (reservation.State == "held") sums.HeldByReservations += quantity;
            else sums.CommittedByReservations += quantity;
        }
        // Shipped goods are no longer allocated.
        if (reservation.State == "committed")
            foreach (var shipment in reservation.Shipments)
                foreach (var (sku, quantity) in StoredLines.Quantities(shipment.Lines))
                    stock[sku].CommittedByReservations -= quantity;
    }

    void CheckSums()
    {
        foreach (var sums in stock.Values)
            foreach (var finding in SumRules.Stock(sums)) report.Add(finding);
        report.Look("I4", "SKUs", stock.Count);
        foreach (var (currency, (kept, paid)) in money)
            foreach (var finding in SumRules.Currency(currency, kept, paid)) report.Add(finding);
        report.Look("I3", "currencies", money.Count);
    }

    async Task CheckReferencesAsync(IQueries queries, CancellationToken cancel)
    {
        foreach (var (channel, reference, count) in await queries.QueryAsync(
            sql["repeated_references"], SqlArgs.None,
            row => (row.Text("channel"), row.Text("reference"), row.BigInt("orders")), cancel))
            report.Add(new Finding(
                "I1", reference, $"{count} orders of {channel} that stand have this reference",
                "Cancel all but one: GET /api/v1/orders?reference=… lists them, ./orderwright cancel ORDER cancels one."));
    }

    // I10, in every table with a time of writing.
    async Task CheckStampsAsync(CancellationToken cancel)
    {
        foreach (var (service, query) in Stamps)
            foreach (var (table, rows, latest) in await databases[service].QueryAsync(
                sql[query], SqlArgs.With("limit", now + Verifier.AllowedSkew),
                row => (row.Text("stamped"), row.BigInt("total"), row.TimeOrNull("latest")), cancel))
            {
                report.Look("I10", "tables");
                if (rows > 0)
                    report.Add(new Finding(
                        "I10", $"{service} {table}", $"has {rows} rows stamped in the future, up to {latest:u}",
                        $"Correct the clock of the machine that ran {service} (or of this one: it is {now:u}). Keys, holds and "
                        + "deadlines of these rows end late, and the rows count as recent until then."));
            }
    }

    async Task CheckErasedAsync(IQueries queries, CancellationToken cancel)
    {
        foreach (var row in await queries.QueryAsync(sql["erased_customers"], SqlArgs.None, ReadRows.Erased, cancel))
        {
            report.Look("I11", "erased customers");
            erased[row.CustomerId] = row.ErasedAt;
            foreach (var finding in AgreementRules.ErasedHasNoCredit(row)) report.Add(finding);
        }
    }

    async Task CheckBalancesAsync(IQueries queries, CancellationToken cancel)
    {
        await foreach (var sums in queries.StreamAsync(sql["balance_sums"], SqlArgs.None, ReadRows.Balance, cancel))
        {
            report.Look("I3", "balances");
            foreach (var finding in SumRules.Balance(sums)) report.Add(finding);
        }
    }

    async Task CheckAccountsAsync(IQueries queries, CancellationToken cancel)
    {
        var all = new SortedDictionary<string, long>(StringComparer.Ordinal);
        await foreach (var sums in queries.StreamAsync(sql["account_sums"], SqlArgs.None, ReadRows.Account, cancel))
        {
            report.Look("I3", "accounts");
            all[sums.Currency] = checked(all.GetValueOrDefault(sums.Currency) + sums.Journal);
            foreach (var finding in SumRules.Account(sums)) report.Add(finding);
        }
        foreach (var (currency, sum) in all)
            foreach (var finding in SumRules.Journal(currency, sum)) report.Add(finding);
    }

    ByOrder<T> Walk<T>(
        Snapshot snapshot, string query, Func<IRow, T> map, Func<T, Guid> idOf, CancellationToken cancel) =>
        new(snapshot.Queries.StreamAsync(sql[query], SqlArgs.None, map, cancel), idOf, cancel);

    static Guid? Smallest(params ReadOnlySpan<Guid?> ids)
    {
        Guid? smallest = null;
        foreach (var id in ids)
            if (id is not null && (smallest is null || id.Value.CompareTo(smallest.Value) < 0)) smallest = id;
        return smallest;
    }
}
