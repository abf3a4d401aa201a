using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Customers;

/// <summary>Loads and saves customers, credits and balances, a set per statement.</summary>
public sealed class CustomerTables(SqlCatalog sql)
{
    /// <summary>Those that exist, erased ones included, locked in key order.</summary>
    public Task<List<Customer>> LockAsync(Work work, IReadOnlyList<string> ids) =>
        work.QueryAsync(sql["lock_customers"], SqlArgs.OfTexts("id", ids), ReadCustomer);

    /// <summary>Locks these balances in key order; makes those that are not there yet, empty.</summary>
    public async Task<Dictionary<(string CustomerId, string Currency), long>> LockBalancesAsync(
        Work work, IReadOnlyList<(string CustomerId, string Currency)> keys)
    {
        if (keys.Count == 0) return [];
        var args = BalanceKeys(keys);
        await work.ExecuteAsync(sql["open_balances"], args);
        var rows = await work.QueryAsync(
            sql["lock_balances"], args, row => (Key: (row.Text(0), row.Text(1)), Amount: row.BigInt(2)));
        return rows.ToDictionary(row => row.Key, row => row.Amount);
    }

    /// <summary>Those references out of these that a credit of the customer has.</summary>
    public async Task<HashSet<(string CustomerId, string Reference)>> UsedReferencesAsync(
        Work work, IReadOnlyList<(string CustomerId, string Reference)> asked) =>
        asked.Count == 0
            ? []
            : (await work.QueryAsync(
                sql["used_references"],
                SqlArgs.Over(asked)
                    .Text("customer_id", one => one.CustomerId)
                    .Text("reference", one => one.Reference),
                row => (row.Text(0), row.Text(1)))).ToHashSet();

    /// <summary>Those out of these customers who have a payment that is not settled.</summary>
    public async Task<HashSet<string>> WithOpenPaymentsAsync(Work work, IReadOnlyList<string> ids) =>
        ids.Count == 0
            ? []
            : (await work.QueryAsync(
                sql["customers_with_open_payments"], SqlArgs.OfTexts("id", ids), row => row.Text(0))).ToHashSet();

    public Task InsertAsync(Work work, IReadOnlyList<Customer> customers) =>
        customers.Count == 0 ? Task.CompletedTask : work.ExecuteAsync(sql["insert_customers"], Rows(customers));

    public Task UpdateAsync(Work work, IReadOnlyList<Customer> customers) =>
        customers.Count == 0 ? Task.CompletedTask : work.ExecuteAsync(sql["update_customers"], Rows(customers));

    /// <summary>With their rows in the journal.</summary>
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
        row.Text(0), row.TextOrNull(1), row.TextOrNull(2), row.BigInt(3), row.Time(4), row.Time(5),
        row.TimeOrNull(6));

    static SqlArgs BalanceKeys(IReadOnlyList<(string CustomerId, string Currency)> keys) =>
        SqlArgs.Over(keys).Text("customer_id", key => key.CustomerId).Text("currency", key => key.Currency);

    static SqlArgs Rows(IReadOnlyList<Customer> customers) => SqlArgs.Over(customers)
        .Text("id", customer => customer.Id)
        .Text("name", customer => customer.Name)
        .Text("email", customer => customer.Email)
        .BigInt("version", customer => customer.Version)
        .Time("created_at", customer => customer.CreatedAt)
        .Time("updated_at", customer => customer.UpdatedAt)
        .TimeOrNull("erased_at", customer => customer.ErasedAt);
}
