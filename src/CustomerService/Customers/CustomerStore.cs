using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Customers;

/// <summary>Loads and saves customers, credits and balances, a set per statement.</summary>
public sealed class CustomerStore(SqlCatalog sql)
{
    /// <summary>Locks the existing customers, also erased customers, in key order.</summary>
    public Task<List<Customer>> LockAsync(Work work, IReadOnlyList<string> ids) =>
        work.QueryAsync(sql["lock_customers"], SqlArgs.OfTexts("id", ids), ReadCustomer);

    /// <summary>Locks balances in key order, creating missing balances empty.</summary>
    public async Task<Dictionary<(string CustomerId, string Currency), long>> LockBalancesAsync(
        Work work, IReadOnlyList<(string CustomerId, string Currency)> keys)
    {
        if (keys.Count == 0) return [];
        var args = BalanceKeys(keys);
        await work.ExecuteAsync(sql["open_balances"], args);
        var rows = await work.QueryAsync(
            sql["lock_balances"], args,
            row => (Key: (row.Text("customer_id"), row.Text("currency")), Amount: row.BigInt("amount")));
        return rows.ToDictionary(row => row.Key, row => row.Amount);
    }

    /// <summary>Finds the references already used by a credit of the same customer.</summary>
    public async Task<HashSet<(string CustomerId, string Reference)>> UsedReferencesAsync(
        Work work, IReadOnlyList<(string CustomerId, string Reference)> references) =>
        references.Count == 0
            ? []
            : (await work.QueryAsync(
                sql["used_references"],
                SqlArgs.Over(references)
                    .Text("customer_id", reference => reference.CustomerId)
                    .Text("reference", reference => reference.Reference),
                row => (row.Text("customer_id"), row.Text("reference")))).ToHashSet();

    /// <summary>Finds the customers with an unsettled payment.</summary>
    public async Task<HashSet<string>> WithOpenPaymentsAsync(Work work, IReadOnlyList<string> ids) =>
        ids.Count == 0
            ? []
            : (await work.QueryAsync(
                sql["customers_with_open_payments"], SqlArgs.OfTexts("id", ids), row => row.Text("customer_id"))).ToHashSet();

    /// <summary>Finds store credit, per customer and currency, above zero.</summary>
    public async Task<ILookup<string, (string Currency, long Amount)>> WithBalanceAsync(Work work, IReadOnlyList<string> ids) =>
        (ids.Count == 0
            ? []
            : await work.QueryAsync(
                sql["customers_with_balance"], SqlArgs.OfTexts("id", ids),
                row => (Id: row.Text("customer_id"), Currency: row.Text("currency"), Amount: row.BigInt("amount"))))
        .ToLookup(row => row.Id, row => (row.Currency, row.Amount));

    /// <summary>Loads the running and finished erasures of customers; the lock of a customer covers the erasure.</summary>
    public async Task<Dictionary<string, Erasure>> ErasuresAsync(Work work, IReadOnlyList<string> ids) =>
        (ids.Count == 0 ? [] : await work.QueryAsync(sql["erasures_of"], SqlArgs.OfTexts("id", ids), ReadErasure))
        .ToDictionary(erasure => erasure.CustomerId);

    public Task SaveErasuresAsync(Work work, IReadOnlyList<Erasure> erasures) => erasures.Count == 0
        ? Task.CompletedTask
        : work.ExecuteAsync(
            sql["save_erasures"],
            SqlArgs.Over(erasures)
                .Uuid("id", erasure => erasure.Id)
                .Text("customer_id", erasure => erasure.CustomerId)
                .Text("requested_by", erasure => erasure.RequestedBy)
                .Time("requested_at", erasure => erasure.RequestedAt)
                .Text("state", erasure => erasure.State)
                .TimeOrNull("decided_at", erasure => erasure.DecidedAt)
                .BigInt("open_orders", erasure => erasure.OpenOrders)
                .UuidOrNull("open_order", erasure => erasure.OpenOrder)
                .BigIntOrNull("orders", erasure => erasure.Orders)
                .Text("words", erasure => Erasure.WriteWords(erasure.Words))
                .Bool("orders_done", erasure => erasure.OrdersDone)
                .Bool("notes_done", erasure => erasure.NotesDone)
                .Time("asked_at", erasure => erasure.AskedAt)
                .TimeOrNull("next_ask_at", erasure => erasure.NextAskAt));

    public static Erasure ReadErasure(IRow row) => new(
        row.Uuid("id"), row.Text("customer_id"), row.Text("requested_by"), row.Time("requested_at"), row.Text("state"),
        row.TimeOrNull("decided_at"), row.BigInt("open_orders"), row.UuidOrNull("open_order"), row.BigIntOrNull("orders"),
        Erasure.ReadWords(row.TextOrNull("words")), row.Bool("orders_done"), row.Bool("notes_done"), row.Time("asked_at"),
        row.TimeOrNull("next_ask_at"));

    public Task InsertAsync(Work work, IReadOnlyList<Customer> customers) =>
        customers.Count == 0 ? Task.CompletedTask : work.ExecuteAsync(sql["insert_customers"], Rows(customers));

    public Task UpdateAsync(Work work, IReadOnlyList<Customer> customers) =>
        customers.Count == 0 ? Task.CompletedTask : work.ExecuteAsync(sql["update_customers"], Rows(customers));

    /// <summary>Inserts credits and the matching journal entries.</summary>
    public async Task InsertCreditsAsync(Work work, IReadOnlyList<Credit> credits)
    {
        if (credits.Count == 0) return;
        var args = SqlArgs.Over(credits)
            .Uuid("id", credit => credit.Id)
            .Text("customer_id", credit => credit.CustomerId)
            .Text("currency", credit => credit.Currency)
            .BigInt("amount", credit => credit.AmountMinor)
            .Text("reference", credit => credit.Reference)
            .Args.And("now", work.Now);
        await work.ExecuteAsync(sql["insert_credits"], args);
        work.Defer(sql["journal_credits"], args);
    }

    public Task UpdateBalancesAsync(
        Work work, IReadOnlyList<KeyValuePair<(string CustomerId, string Currency), long>> balances) =>
        balances.Count == 0
            ? Task.CompletedTask
            : work.ExecuteAsync(
                sql["update_balances"],
                SqlArgs.Over(balances)
                    .Text("customer_id", balance => balance.Key.CustomerId)
                    .Text("currency", balance => balance.Key.Currency)
                    .BigInt("amount", balance => balance.Value));

    public static Customer ReadCustomer(IRow row) => new(
        row.Text("id"), row.TextOrNull("name"), row.TextOrNull("email"), row.BigInt("version"), row.Time("created_at"),
        row.Time("updated_at"), row.TimeOrNull("erased_at"), row.UuidOrNull("erasure_id"));

    static SqlArgs BalanceKeys(IReadOnlyList<(string CustomerId, string Currency)> keys) =>
        SqlArgs.Over(keys).Text("customer_id", key => key.CustomerId).Text("currency", key => key.Currency);

    static SqlArgs Rows(IReadOnlyList<Customer> customers) => SqlArgs.Over(customers)
        .Text("id", customer => customer.Id)
        .Text("name", customer => customer.Name)
        .Text("email", customer => customer.Email)
        .BigInt("version", customer => customer.Version)
        .Time("created_at", customer => customer.CreatedAt)
        .Time("updated_at", customer => customer.UpdatedAt)
        .TimeOrNull("erased_at", customer => customer.ErasedAt)
        .UuidOrNull("erasure_id", customer => customer.ErasureId);
}
