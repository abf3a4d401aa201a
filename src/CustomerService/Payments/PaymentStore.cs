using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Loads and saves payments per set. Lock order: payments, then balances, each in key order. The lock of
/// a payment covers the payment's attempts.
/// </summary>
public sealed class PaymentStore(SqlCatalog sql)
{
    /// <summary>Locks the orders' payments, and the balances used by them and by <paramref name="further"/>.</summary>
    public async Task<PaymentBatch> LockAsync(
        Work work, IReadOnlyCollection<Guid> orderIds, IEnumerable<(string CustomerId, string Currency)> further)
    {
        Guid[] ids = [.. orderIds.Distinct()];
        var payments = await work.QueryAsync(sql["lock_payments"], SqlArgs.OfUuids("order_id", ids), ReadPayment);
        var funds = await LockFundsAsync(work, [.. further.Concat(BalancesOf(payments)).Distinct()]);
        return new PaymentBatch(await WithAttemptsAsync(work, payments), funds);
    }

    /// <summary>Locks payments for operators: with every attempt, and with the balances of store credit.</summary>
    public async Task<PaymentBatch> LockForOperatorAsync(Work work, IReadOnlyCollection<Guid> orderIds)
    {
        var payments = await work.QueryAsync(
            sql["lock_payments"], SqlArgs.OfUuids("order_id", [.. orderIds.Distinct()]), ReadPayment);
        var funds = await LockFundsAsync(work, [.. BalancesOf(payments).Distinct()]);
        return new PaymentBatch(await WithAttemptsAsync(work, payments, alsoOfBalance: true), funds);
    }

    /// <summary>Locks the payments not locked by other instances. Without balances: gateway payments need none.</summary>
    public async Task<PaymentBatch> LockAvailableAsync(Work work, IReadOnlyList<Guid> orderIds) =>
        new(
            await WithAttemptsAsync(
                work,
                await work.QueryAsync(
                    sql["lock_available_payments"], SqlArgs.OfUuids("order_id", orderIds), ReadPayment)),
            new Dictionary<(string, string), Funds>());

    /// <summary>Loads the journal's amounts of orders whose payment is to be rebuilt from a gateway's record.</summary>
    public async Task LoadJournaledAsync(Work work, PaymentBatch payments, IReadOnlyList<Guid> orderIds)
    {
        if (orderIds.Count == 0) return;
        var rows = (await work.QueryAsync(
            sql["journal_to_compare"], SqlArgs.OfUuids("order_id", orderIds),
            row => (OrderId: row.Uuid("order_id"), Kind: row.Text("kind"), Amount: row.BigInt("amount"))))
            .ToLookup(row => row.OrderId);
        foreach (var id in orderIds) payments.Knows(id, Sum(id, JournalEntry.Capture), Sum(id, JournalEntry.Refund));

        long Sum(Guid id, string kind) => rows[id].Where(row => row.Kind == kind).Sum(row => row.Amount);
    }

    /// <summary>Writes the changes as absolute values, with the journal entries.</summary>
    public void Save(Work work, PaymentBatch payments)
    {
        Insert(work, payments.NewPayments);
        Update(work, payments.ChangedPayments);
        if (payments.JournalEntries is { Count: > 0 } entries)
            work.Defer(sql["journal_payments"], JournalArgs(entries, work.Now));
        if (payments.ChangedAttempts is { Count: > 0 } attempts) work.Defer(sql["save_attempts"], AttemptArgs(attempts));
        if (payments.ChangedBalances is { Count: > 0 } balances)
            work.Defer(
                sql["update_balances"],
                SqlArgs.Over(balances)
                    .Text("customer_id", balance => balance.CustomerId)
                    .Text("currency", balance => balance.Currency)
                    .BigInt("amount", balance => balance.AmountMinor),
                mustTouch: balances.Count);
    }

    static IEnumerable<(string CustomerId, string Currency)> BalancesOf(List<Payment> payments) =>
        payments.Where(payment => payment.Provider == PaymentProviders.Balance)
            .Select(payment => (payment.CustomerId!, payment.Currency!));

    async Task<Dictionary<(string, string), Funds>> LockFundsAsync(
        Work work, IReadOnlyList<(string CustomerId, string Currency)> keys)
    {
        if (keys.Count == 0) return [];
        var rows = await work.QueryAsync(
            sql["lock_funds"],
            SqlArgs.Over(keys).Text("customer_id", key => key.CustomerId).Text("currency", key => key.Currency),
            row => (
                Key: (row.Text("customer_id"), row.Text("currency")),
                Funds: new Funds(row.Bool("customer_known"), row.BigInt("amount"), row.Bool("is_erasing"))));
        var funds = rows.ToDictionary(row => row.Key, row => row.Funds);
        await AddEmptyFundsAsync(work, [.. keys.Where(key => !funds.ContainsKey(key))], funds);
        return funds;
    }

    // For customers without a balance in the currency.
    async Task AddEmptyFundsAsync(
        Work work, IReadOnlyList<(string CustomerId, string Currency)> keys, Dictionary<(string, string), Funds> funds)
    {
        if (keys.Count == 0) return;
        var rows = await work.QueryAsync(
            sql["known_customers"], SqlArgs.OfTexts("customer_id", [.. keys.Select(key => key.CustomerId).Distinct()]),
            row => (Id: row.Text("id"), IsErasing: row.Bool("is_erasing")));
        var known = rows.ToDictionary(row => row.Id, row => row.IsErasing);
        foreach (var key in keys)
            if (known.TryGetValue(key.CustomerId, out var isErasing))
                funds.Add(key, new Funds(CustomerKnown: true, AmountMinor: 0, isErasing));
    }

    // Store credit has attempts only from operators, so a process batch of store credit alone skips the query.
    async Task<IEnumerable<PaymentCase>> WithAttemptsAsync(Work work, List<Payment> payments, bool alsoOfBalance = false)
    {
        Guid[] ids =
        [
            .. payments.Where(payment => alsoOfBalance || payment.Provider != PaymentProviders.Balance)
                .Select(payment => payment.OrderId),
        ];
        var attempts = ids.Length == 0
            ? []
            : await work.QueryAsync(sql["load_attempts"], SqlArgs.OfUuids("order_id", ids), ReadAttempt);
        var byOrder = attempts.ToLookup(attempt => attempt.OrderId);
        return payments.Select(payment => new PaymentCase(payment.OrderId, payment, [.. byOrder[payment.OrderId]]));
    }

    // When two instances receive the same new order, the second insert violates the key. The batch is then rerun and finds
    // the row of the first.
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
                .Text("gateway_reference", payment => payment.GatewayReference)
                .Text("undo_step", payment => payment.UndoStep)
                .BigInt("version", payment => payment.Version)
                .UuidOrNull("last_resolution_id", payment => payment.LastResolutionId)
                .Text("route", payment => payment.Route)
                .Text("channel", payment => payment.Channel)
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
                .Text("action_url", payment => payment.ActionUrl)
                .Text("gateway_reference", payment => payment.GatewayReference)
                .Text("undo_step", payment => payment.UndoStep)
                .BigInt("version", payment => payment.Version)
                .TimeOrNull("capture_before", payment => payment.CaptureBefore)
                .Text("attention_code", payment => payment.AttentionCode)
                .UuidOrNull("last_resolution_id", payment => payment.LastResolutionId)
                .Text("attention", payment => payment.Attention)
                .Text("provider", payment => payment.Provider)
                .Args.And("now", work.Now));
    }

    static SqlArgs JournalArgs(IReadOnlyList<JournalEntry> entries, DateTimeOffset now) =>
        SqlArgs.Over(entries)
            .Uuid("order_id", entry => entry.OrderId)
            .Text("kind", entry => entry.Kind)
            .BigInt("running_total", entry => entry.RunningTotalMinor)
            .Text("debit_account", entry => entry.DebitAccount)
            .Text("credit_account", entry => entry.CreditAccount)
            .Text("currency", entry => entry.Currency)
            .BigInt("amount", entry => entry.AmountMinor)
            .Args.And("now", now);

    static SqlArgs AttemptArgs(IReadOnlyList<PaymentAttempt> attempts) =>
        SqlArgs.Over(attempts)
            .Uuid("order_id", attempt => attempt.OrderId)
            .Text("operation", attempt => attempt.Operation)
            .BigInt("number", attempt => attempt.Number)
            .Text("provider", attempt => attempt.Provider)
            .Text("state", attempt => attempt.State)
            .BigInt("amount", attempt => attempt.AmountMinor)
            .Text("gateway_reference", attempt => attempt.Reference)
            .Text("code", attempt => attempt.Code)
            .Text("message", attempt => attempt.Message)
            .Text("requested_by", attempt => attempt.RequestedBy)
            .Text("reason", attempt => attempt.Reason)
            .Time("started_at", attempt => attempt.StartedAt)
            .TimeOrNull("finished_at", attempt => attempt.FinishedAt)
            .TimeOrNull("due_at", attempt => attempt.DueAt)
            .BigInt("sends", attempt => attempt.Sends)
            .BigInt("look_ups", attempt => attempt.LookUps)
            .Text("evidence", attempt => LookUp.Write(attempt.Evidence))
            .Text("resolved_by", attempt => attempt.ResolvedBy)
            .Text("approved_by", attempt => attempt.ApprovedBy)
            .Text("gateway_key", attempt => attempt.Key);

    public static Payment ReadPayment(IRow row) => new()
    {
        OrderId = row.Uuid("order_id"),
        CustomerId = row.TextOrNull("customer_id"),
        Channel = row.TextOrNull("channel"),
        Provider = row.TextOrNull("provider"),
        Route = row.TextOrNull("route"),
        Token = row.TextOrNull("token"),
        Currency = row.TextOrNull("currency"),
        AmountMinor = row.BigInt("amount"),
        State = row.Text("state"),
        AuthorizedMinor = row.BigInt("authorized"),
        CapturedMinor = row.BigInt("captured"),
        RefundedMinor = row.BigInt("refunded"),
        Voided = row.Bool("voided"),
        Code = row.TextOrNull("code"),
        Message = row.TextOrNull("message"),
        ActionUrl = row.TextOrNull("action_url"),
        GatewayReference = row.TextOrNull("gateway_reference"),
        CaptureBefore = row.TimeOrNull("capture_before"),
        AttentionCode = row.TextOrNull("attention_code"),
        Attention = row.TextOrNull("attention"),
        UndoStep = row.TextOrNull("undo_step"),
        LastResolutionId = row.UuidOrNull("last_resolution_id"),
        Version = row.BigInt("version"),
        CreatedAt = row.Time("created_at"),
        UpdatedAt = row.Time("updated_at"),
    };

    public static PaymentAttempt ReadAttempt(IRow row) => new()
    {
        OrderId = row.Uuid("order_id"),
        Operation = row.Text("operation"),
        Number = row.Int("number"),
        Provider = row.TextOrNull("provider"),
        State = row.Text("state"),
        AmountMinor = row.BigInt("amount"),
        Reference = row.TextOrNull("gateway_reference"),
        Code = row.TextOrNull("code"),
        Message = row.TextOrNull("message"),
        RequestedBy = row.TextOrNull("requested_by"),
        Reason = row.TextOrNull("reason"),
        StartedAt = row.Time("started_at"),
        FinishedAt = row.TimeOrNull("finished_at"),
        DueAt = row.TimeOrNull("due_at"),
        Sends = row.Int("sends"),
        LookUps = row.Int("look_ups"),
        Evidence = LookUp.Read(row.TextOrNull("evidence")),
        ResolvedBy = row.TextOrNull("resolved_by"),
        ApprovedBy = row.TextOrNull("approved_by"),
    };
}
