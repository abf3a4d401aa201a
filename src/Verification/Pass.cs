using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification;

/// <summary>Reads the four databases once, side by side in the order of the order ids.</summary>
sealed class Pass(
    IReadOnlyDictionary<string, IDatabase> databases, SqlCatalog sql, ReportBuilder report, DateTimeOffset now,
    DateTimeOffset atRestSince)
{
    readonly Dictionary<string, StockSums> stock = [];
    readonly SortedDictionary<string, (long Kept, long Paid)> money = new(StringComparer.Ordinal);
    long shipments;

    public async Task RunAsync(CancellationToken cancel)
    {
        // Who was answered is read before the orders: an answer is given after its order's commit.
        await using var answered = await Snapshot.OpenAsync(databases[ServiceNames.Order], cancel);
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

        await CheckReferencesAsync(orders.Queries, cancel);
        await CheckBalancesAsync(payments.Queries, cancel);
        await CheckAccountsAsync(payments.Queries, cancel);
        await foreach (var sums in goods.Queries.StreamAsync(sql["stock_sums"], SqlArgs.None, ReadRows.Stock, cancel))
            stock.Add(sums.Sku, sums);

        await using var allAnswered = Walk(answered, "acknowledged", row => row.Uuid(0), id => id, cancel);
        await using var allOrders = Walk(orders, "orders", ReadRows.Order, row => row.Id, cancel);
        await using var allEvents = Walk(events, "events", ReadRows.Event, row => row.OrderId, cancel);
        await using var allSagas = Walk(sagas, "sagas", ReadRows.Saga, row => row.OrderId, cancel);
        await using var allPayments = Walk(payments, "payments", ReadRows.Payment, row => row.OrderId, cancel);
        await using var allMovements = Walk(journal, "journal", ReadRows.Movement, row => row.OrderId, cancel);
        await using var allCharges = Walk(sandbox, "charges", ReadRows.Charge, row => row.OrderId, cancel);
        await using var allGateways = gateway is null
            ? null
            : Walk(gateway, "charges", ReadRows.Charge, row => row.OrderId, cancel);
        await using var allGoods = Walk(goods, "reservations", ReadRows.Reservation, row => row.OrderId, cancel);
        await Task.WhenAll(
            allAnswered.StartAsync(), allOrders.StartAsync(), allEvents.StartAsync(), allSagas.StartAsync(),
            allPayments.StartAsync(), allMovements.StartAsync(), allCharges.StartAsync(), allGoods.StartAsync(),
            allGateways?.StartAsync() ?? Task.CompletedTask);

        while (Smallest(
            allAnswered.Next, allOrders.Next, allEvents.Next, allSagas.Next, allPayments.Next, allMovements.Next,
            allCharges.Next, allGoods.Next, allGateways?.Next) is { } id)
            Judge(new OrderFile(id)
            {
                Acknowledged = (await allAnswered.TakeAsync(id)).Count > 0,
                Order = await allOrders.TakeOneAsync(id),
                Events = await allEvents.TakeAsync(id),
                Saga = await allSagas.TakeOneAsync(id),
                Payment = await allPayments.TakeOneAsync(id),
                Movements = await allMovements.TakeAsync(id),
                Charges =
                [
                    .. await allCharges.TakeAsync(id),
                    .. allGateways is null ? [] : await allGateways.TakeAsync(id),
                ],
                ListedProviders = allGateways is null ? ["sandbox"] : ["sandbox", "http"],
                Reservation = await allGoods.TakeOneAsync(id),
            });

        report.Look("I1", "orders", allOrders.Count);
        report.Look("I1", "acknowledged", allAnswered.Count);
        report.Look("I1", "sagas", allSagas.Count);
        report.Look("I2", "payments", allPayments.Count);
        report.Look("I2", "charges", allCharges.Count + (allGateways?.Count ?? 0));
        report.Look("I3", "movements", allMovements.Count);
        report.Look("I4", "reservations", allGoods.Count);
        report.Look("I4", "shipments", shipments);
        report.Look("I5", "events", allEvents.Count);
        report.Look("I9", "events", allEvents.Count);
        CheckSums();
    }

    void Judge(OrderFile file)
    {
        report.Orders += file.Order is null ? 0 : 1;
        shipments += file.Reservation?.Shipments.Count ?? 0;
        CountLines(file.Reservation);
        if (file.Reservation is { State: "held" }) report.Look("I6", "holds");
        if (file.Order?.Status is OrderStatuses.Pending or OrderStatuses.CancelPending) report.Look("I7", "open orders");
        if (file.Saga is { State: "waiting" }) report.Look("I7", "waiting");
        if (file.Saga is { State: "failed" }) report.Look("I7", "incidents");

        var found = InvariantRules.Check(file, now).ToList();
        if (file.TouchedAt >= atRestSince)
        {
            report.InFlight++;
            report.Doubtful |= found.Count > 0;
            return;
        }
        foreach (var finding in found) report.Add(finding);
        CountMoney(file);
    }

    void CountMoney(OrderFile file)
    {
        // What an incident keeps is nobody's yet: it is counted when a person has seen to it.
        if (file.Saga is { State: "failed" }) return;
        if (file.Payment is { Currency: not null } payment)
        {
            var (kept, paid) = money.GetValueOrDefault(payment.Currency);
            money[payment.Currency] = (kept + payment.Captured - payment.Refunded, paid);
        }
        // What is paid in part says itself how much; a whole one is held to its total.
        if (file.Order is { } order && InvariantRules.IsGood(order.Status))
        {
            var (kept, paid) = money.GetValueOrDefault(order.Currency);
            var taken = (file.Payment?.Captured ?? 0) - (file.Payment?.Refunded ?? 0);
            money[order.Currency] = (kept, paid + order.PaymentStatus switch
            {
                // How much that has to be, I2 says; order-service may hear of it a little later.
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
        // What left the house is not allocated any more.
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
        foreach (var (merchant, reference, count) in await queries.QueryAsync(
            sql["repeated_references"], SqlArgs.None, row => (row.Text(0), row.Text(1), row.BigInt(2)), cancel))
            report.Add(new Finding("I1", reference, $"{count} orders of {merchant} have this reference"));
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
