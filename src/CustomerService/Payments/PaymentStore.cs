using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Loads and saves payments per set. Locks go payments first, then balances, each in key order; whoever
/// changes an attempt holds its payment's lock.
/// </summary>
public sealed class PaymentStore(SqlCatalog sql)
{
    /// <summary>
    /// Locks these orders' payments, and the balances they and <paramref name="asked"/> draw on.
    /// </summary>
    public async Task<PaymentBook> LockAsync(
        Work work, IReadOnlyCollection<Guid> orderIds, IEnumerable<(string CustomerId, string Currency)> asked)
    {
        Guid[] ids = [.. orderIds.Distinct()];
        var payments = await work.QueryAsync(sql["lock_payments"], SqlArgs.OfUuids("order_id", ids), ReadPayment);
        var funds = await LockFundsAsync(
            work,
            [
                .. asked.Concat(payments.Where(payment => payment.Provider == Payment.Balance)
                    .Select(payment => (payment.CustomerId!, payment.Currency!))).Distinct(),
            ]);
        return new PaymentBook(await WithCallsAsync(work, payments), funds);
    }

    /// <summary>For what operators ask: with every attempt that there is, and the balances of store credit.</summary>
    public async Task<PaymentBook> LockByHandAsync(Work work, IReadOnlyCollection<Guid> orderIds)
    {
        var payments = await work.QueryAsync(
            sql["lock_payments"], SqlArgs.OfUuids("order_id", [.. orderIds.Distinct()]), ReadPayment);
        var funds = await LockFundsAsync(
            work,
            [
                .. payments.Where(payment => payment.Provider == Payment.Balance)
                    .Select(payment => (payment.CustomerId!, payment.Currency!)).Distinct(),
            ]);
        return new PaymentBook(await WithCallsAsync(work, payments, byHand: true), funds);
    }

    /// <summary>
    /// Locks those of these payments that no other instance is working on, without balances: for what only
    /// gateways settle.
    /// </summary>
    public async Task<PaymentBook> LockFreeAsync(Work work, IReadOnlyList<Guid> orderIds) =>
        new(
            await WithCallsAsync(
                work,
                await work.QueryAsync(
                    sql["lock_free_payments"], SqlArgs.OfUuids("order_id", orderIds), ReadPayment)),
            new Dictionary<(string, string), Funds>());

    /// <summary>Writes what the decisions changed, as absolute values, and into the journal what moved by it.</summary>
    public void Save(Work work, PaymentBook book)
    {
        Insert(work, book.NewPayments);
        Update(work, book.ChangedPayments);
        if (book.Movements is { Count: > 0 } movements) work.Defer(sql["journal_payments"], JournalArgs(movements, work.Now));
        if (book.ChangedCalls is { Count: > 0 } calls) work.Defer(sql["save_calls"], CallArgs(calls));
        if (book.ChangedBalances is { Count: > 0 } balances)
            work.Defer(
                sql["update_balances"],
                SqlArgs.Over(balances)
                    .Text("customer_id", balance => balance.CustomerId)
                    .Text("currency", balance => balance.Currency)
                    .BigInt("amount", balance => balance.AmountMinor),
                mustTouch: balances.Count);
    }

    async Task<Dictionary<(string, string), Funds>> LockFundsAsync(
        Work work, IReadOnlyList<(string CustomerId, string Currency)> asked)
    {
        if (asked.Count == 0) return [];
        var rows = await work.QueryAsync(
            sql["lock_funds"],
            SqlArgs.Over(asked).Text("customer_id", one => one.CustomerId).Text("currency", one => one.Currency),
            row => (Key: (row.Text(0), row.Text(1)), Funds: new Funds(row.Bool(2), row.BigInt(3))));
        var funds = rows.ToDictionary(row => row.Key, row => row.Funds);
        await AddThoseWithoutBalanceAsync(work, [.. asked.Where(one => !funds.ContainsKey(one))], funds);
        return funds;
    }

    async Task AddThoseWithoutBalanceAsync(
        Work work, IReadOnlyList<(string CustomerId, string Currency)> asked, Dictionary<(string, string), Funds> funds)
    {
        if (asked.Count == 0) return;
        var rows = await work.QueryAsync(
            sql["known_customers"], SqlArgs.OfTexts("customer_id", [.. asked.Select(one => one.CustomerId).Distinct()]),
            row => row.Text(0));
        var known = rows.ToHashSet();
        foreach (var one in asked)
            if (known.Contains(one.CustomerId))
                funds.Add(one, new Funds(CustomerKnown: true, AmountMinor: 0));
    }

    // The balance has no attempts but those of operators: a batch of the process that is all store credit does not
    // ask for any.
    async Task<IEnumerable<PaymentFile>> WithCallsAsync(Work work, List<Payment> payments, bool byHand = false)
    {
        Guid[] external =
        [
            .. payments.Where(payment => byHand || payment.Provider != Payment.Balance)
                .Select(payment => payment.OrderId),
        ];
        var calls = external.Length == 0
            ? []
            : await work.QueryAsync(sql["load_calls"], SqlArgs.OfUuids("order_id", external), ReadCall);
        var byOrder = calls.ToLookup(call => call.OrderId);
        return payments.Select(payment => new PaymentFile(payment.OrderId, payment, [.. byOrder[payment.OrderId]]));
    }

    // Two instances may be given the same new order at once. The second violates the key here; its batch is then run
    // again from scratch, and reads the first's row.
    void Insert(Work work, IReadOnlyList<Payment> payments)
    {
        if (payments.Count == 0) return;
        work.Defer(
            sql["insert_payments"],
            SqlArgs.Over(payments)
                .Uuid("order_id", payment => payment.OrderId)
                .Text("customer_id", payment => payment.CustomerId)
                .Text("provider", payment => payment.Provider)
                .Text("token", payment => payment.Token)
                .Text("currency", payment => payment.Currency)
                .BigInt("amount", payment => payment.AmountMinor)
                .Text("state", payment => payment.State)
                .BigInt("authorized", payment => payment.AuthorizedMinor)
                .BigInt("captured", payment => payment.CapturedMinor)
                .BigInt("refunded", payment => payment.RefundedMinor)
                .Bool("voided", payment => payment.Voided)
                .Text("code", payment => payment.Code)
                .Text("message", payment => payment.Message)
                .Text("undo_step", payment => payment.UndoStep)
                .BigInt("version", payment => payment.Version)
                .UuidOrNull("resolution", payment => payment.Resolution)
                .Text("route", payment => payment.Route)
                .Args.And("now", work.Now));
    }

    void Update(Work work, IReadOnlyList<Payment> payments)
    {
        if (payments.Count == 0) return;
        work.Defer(
            sql["update_payments"],
            SqlArgs.Over(payments)
                .Uuid("order_id", payment => payment.OrderId)
                .Text("state", payment => payment.State)
                .BigInt("authorized", payment => payment.AuthorizedMinor)
                .BigInt("captured", payment => payment.CapturedMinor)
                .BigInt("refunded", payment => payment.RefundedMinor)
                .Bool("voided", payment => payment.Voided)
                .Text("code", payment => payment.Code)
                .Text("message", payment => payment.Message)
                .Text("action", payment => payment.Action)
                .Text("gateway_reference", payment => payment.GatewayReference)
                .Text("undo_step", payment => payment.UndoStep)
                .BigInt("version", payment => payment.Version)
                .TimeOrNull("capture_before", payment => payment.CaptureBefore)
                .Text("notice", payment => payment.Notice)
                .UuidOrNull("resolution", payment => payment.Resolution)
                .Text("attention", payment => payment.Attention)
                .Text("provider", payment => payment.Provider)
                .Args.And("now", work.Now));
    }

    static SqlArgs JournalArgs(IReadOnlyList<Movement> movements, DateTimeOffset now) =>
        SqlArgs.Over(movements)
            .Uuid("order_id", one => one.OrderId)
            .Text("kind", one => one.Kind)
            .BigInt("total", one => one.TotalMinor)
            .Text("debit", one => one.Debit)
            .Text("credit", one => one.Credit)
            .Text("currency", one => one.Currency)
            .BigInt("amount", one => one.AmountMinor)
            .Args.And("now", now);

    static SqlArgs CallArgs(IReadOnlyList<GatewayCall> calls) =>
        SqlArgs.Over(calls)
            .Uuid("order_id", call => call.OrderId)
            .Text("operation", call => call.Operation)
            .BigInt("n", call => call.N)
            .Text("gateway_key", call => call.Key)
            .Text("state", call => call.State)
            .BigInt("amount", call => call.AmountMinor)
            .Text("gateway_reference", call => call.Reference)
            .Text("code", call => call.Code)
            .Text("message", call => call.Message)
            .Time("started_at", call => call.StartedAt)
            .TimeOrNull("finished_at", call => call.FinishedAt)
            .TimeOrNull("due_at", call => call.DueAt)
            .BigInt("attempts", call => call.Attempts)
            .BigInt("probes", call => call.Probes)
            .Text("asked_by", call => call.AskedBy)
            .Text("reason", call => call.Reason)
            .Text("look_ups", call => LookUp.Write(call.LookUps))
            .Text("resolved_by", call => call.ResolvedBy)
            .Text("provider", call => call.Provider);

    public static Payment ReadPayment(IRow row) => new()
    {
        OrderId = row.Uuid(0),
        CustomerId = row.TextOrNull(1),
        Provider = row.TextOrNull(2),
        Token = row.TextOrNull(3),
        Currency = row.TextOrNull(4),
        AmountMinor = row.BigInt(5),
        State = row.Text(6),
        AuthorizedMinor = row.BigInt(7),
        CapturedMinor = row.BigInt(8),
        RefundedMinor = row.BigInt(9),
        Voided = row.Bool(10),
        Code = row.TextOrNull(11),
        Message = row.TextOrNull(12),
        Action = row.TextOrNull(13),
        GatewayReference = row.TextOrNull(14),
        UndoStep = row.TextOrNull(15),
        Version = row.BigInt(16),
        CreatedAt = row.Time(17),
        UpdatedAt = row.Time(18),
        CaptureBefore = row.TimeOrNull(19),
        Notice = row.TextOrNull(20),
        Resolution = row.UuidOrNull(21),
        Attention = row.TextOrNull(22),
        Route = row.TextOrNull(23),
    };

    public static GatewayCall ReadCall(IRow row) => new()
    {
        OrderId = row.Uuid(0),
        Operation = row.Text(1),
        N = row.Int(2),
        State = row.Text(3),
        AmountMinor = row.BigInt(4),
        Reference = row.TextOrNull(5),
        Code = row.TextOrNull(6),
        Message = row.TextOrNull(7),
        StartedAt = row.Time(8),
        FinishedAt = row.TimeOrNull(9),
        DueAt = row.TimeOrNull(10),
        Attempts = row.Int(11),
        Probes = row.Int(12),
        AskedBy = row.TextOrNull(13),
        Reason = row.TextOrNull(14),
        LookUps = LookUp.Read(row.TextOrNull(15)),
        ResolvedBy = row.TextOrNull(16),
        Provider = row.TextOrNull(17),
    };
}
