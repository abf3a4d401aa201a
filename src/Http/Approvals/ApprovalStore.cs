using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Http.Approvals;

/// <summary>
/// Loads and saves approvals, a set per statement. Locks are taken in key order, before those of any other row.
/// </summary>
public sealed class ApprovalStore(SqlCatalog sql)
{
    public Task InsertAsync(Work work, IReadOnlyList<Approval> approvals) => work.ExecuteAsync(
        sql["insert_approvals"],
        SqlArgs.Over(approvals)
            .Uuid("id", approval => approval.Id)
            .Text("operation", approval => approval.Operation)
            .UuidOrNull("order_id", approval => approval.OrderId)
            .Text("customer_id", approval => approval.CustomerId)
            .Text("channel", approval => approval.Channel)
            .BigInt("amount", approval => approval.AmountMinor)
            .Text("currency", approval => approval.Currency)
            .Text("effect", approval => approval.Effect)
            .Text("reason", approval => approval.Reason)
            .Text("command", approval => approval.Command)
            .Text("requested_by", approval => approval.RequestedBy)
            .Time("requested_at", approval => approval.RequestedAt)
            .Time("expires_at", approval => approval.ExpiresAt)
            .Text("trace_id", approval => approval.TraceId));

    /// <summary>Locks approvals until the commit: of two decisions, the second sees the result of the first.</summary>
    public Task<List<Approval>> LockAsync(Work work, IReadOnlyList<Guid> ids) =>
        work.QueryAsync(sql["lock_approvals"], SqlArgs.OfUuids("id", ids), Read);

    /// <summary>Locks pending approvals whose time is over, except those locked by others.</summary>
    public Task<List<Approval>> LockExpiredAsync(Work work, int most) =>
        work.QueryAsync(sql["lock_expired_approvals"], SqlArgs.With("now", work.Now).And("most", most), Read);

    /// <summary>
    /// Saves decisions about pending approvals. Throws if one of them is not pending: then nothing is committed.
    /// </summary>
    public async Task DecideAsync(Work work, IReadOnlyList<Approval> decided)
    {
        if (decided.Count == 0) return;
        var changed = await work.ExecuteAsync(
            sql["decide_approvals"],
            SqlArgs.Over(decided)
                .Uuid("id", approval => approval.Id)
                .Text("state", approval => approval.State)
                .Text("decided_by", approval => approval.DecidedBy)
                .Text("decision_reason", approval => approval.DecisionReason)
                .Args.And("now", work.Now));
        if (changed != decided.Count)
            throw new InvalidOperationException(
                $"Of the approvals {string.Join(", ", decided.Select(approval => approval.Id))}, {changed} were pending.");
    }

    /// <summary>Orders out of the given ones with a pending approval.</summary>
    public async Task<HashSet<Guid>> PendingOfAsync(Work work, IReadOnlyList<Guid> orders) =>
        [
            .. await work.QueryAsync(
                sql["orders_with_pending_approvals"], SqlArgs.OfUuids("order_id", orders).And("now", work.Now),
                row => row.Uuid("order_id")),
        ];

    /// <summary>Ends all pending approvals.</summary>
    public Task ExpireAllAsync(Work work) => work.ExecuteAsync(sql["expire_approvals"], SqlArgs.With("now", work.Now));

    /// <summary>Locks the approvals of customers, decided or not.</summary>
    public Task<List<Approval>> LockOfCustomersAsync(Work work, IReadOnlyList<string> customers) =>
        work.QueryAsync(sql["approvals_of_customers"], SqlArgs.OfTexts("customer_id", customers), Read);

    /// <summary>Removes words that name customers from the texts of their approvals.</summary>
    /// <param name="work">Work of the batch.</param>
    /// <param name="locked">Approvals of customers.</param>
    /// <param name="words">Words by customer; approvals of other customers stay as they are.</param>
    public async Task EraseAsync(
        Work work, IReadOnlyList<Approval> locked, IReadOnlyDictionary<string, IReadOnlyList<string>> words)
    {
        var texts = locked.Where(approval => words.ContainsKey(approval.CustomerId!))
            .Select(approval => (Before: approval, After: Without(approval, words[approval.CustomerId!])))
            .Where(pair => pair.Before != pair.After).Select(pair => pair.After).ToList();
        if (texts.Count == 0) return;
        await work.ExecuteAsync(
            sql["erase_approvals"],
            SqlArgs.Over(texts)
                .Uuid("id", approval => approval.Id)
                .Text("reason", approval => approval.Reason)
                .Text("command", approval => approval.Command)
                .Text("decision_reason", approval => approval.DecisionReason));
    }

    static Approval Without(Approval approval, IReadOnlyList<string> words) => approval with
    {
        Reason = PersonalWords.Without(approval.Reason, words) ?? approval.Reason,
        Command = PersonalWords.Without(approval.Command, words) ?? approval.Command,
        DecisionReason = approval.DecisionReason is { } reason ? PersonalWords.Without(reason, words) ?? reason : null,
    };

    public static Approval Read(IRow row) => new(
        row.Uuid("id"), row.Text("operation"), row.UuidOrNull("order_id"), row.TextOrNull("customer_id"),
        row.TextOrNull("channel"), row.BigInt("amount"), row.Text("currency"), row.Text("effect"), row.Text("reason"),
        row.Text("command"), row.Text("requested_by"), row.Time("requested_at"), row.Time("expires_at"), row.Text("state"),
        row.TextOrNull("decided_by"), row.TimeOrNull("decided_at"), row.TextOrNull("decision_reason"),
        row.TextOrNull("trace_id"));
}
