using Orderwright.Contracts;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Customers;

/// <summary>
/// Takes the answers about erasures, and repeats the questions until all are answered. With the decision, operators' words about
/// the person are erased from payments and the audit of this service.
/// </summary>
public sealed class FinishErasures(CustomerStore store, ApprovalStore approvals, SqlCatalog sql) : IBatchHandler
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public IReadOnlyList<Type> Takes { get; } = [typeof(CustomerErased), typeof(NotesErased)];

    public TimedJob Job => new("finish-erasures", Interval, AskAgainAsync);

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        List<string> ids = [.. batch.Select(message => CustomerOf(message.Body)).Distinct().Order(StringComparer.Ordinal)];
        // Before the customers: a decision locks the approval first, too.
        var approved = await approvals.LockOfCustomersAsync(work, ids);
        var customers = (await store.LockAsync(work, ids)).ToDictionary(customer => customer.Id);
        var erasures = await store.ErasuresAsync(work, ids);
        var open = await store.WithOpenPaymentsAsync(work, ids);
        var money = await store.WithBalanceAsync(work, ids);
        var changed = new HashSet<string>();
        var erased = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var message in batch)
        {
            var id = CustomerOf(message.Body);
            if (!erasures.TryGetValue(id, out var erasure) || erasure.Id != message.OrderId) continue;
            var before = customers[id];
            var decision = message.Body is CustomerErased answer
                ? ErasureRules.Answer(erasure, before, answer, open.Contains(id) || money[id].Any(), work.Now)
                : ErasureRules.NotesErased(erasure);
            erasures[id] = decision.Erasure;
            changed.Add(id);
            if (decision.Customer is { } customer) customers[id] = customer;
            if (before.ErasedAt is null && customers[id].ErasedAt is not null) erased[id] = decision.Erasure.Words;
            if (decision.Sends) Ask(work, decision.Erasure);
        }
        if (changed.Count == 0) return;
        await store.UpdateAsync(work, [.. changed.Select(id => customers[id])]);
        await store.SaveErasuresAsync(work, [.. changed.Select(id => erasures[id])]);
        if (erased.Count == 0) return;
        await EraseWordsAsync(work, erased);
        await approvals.EraseAsync(work, approved, erased);
    }

    async Task<int> AskAgainAsync(Work work, int most)
    {
        var due = await work.QueryAsync(
            sql["find_due_erasures"],
            SqlArgs.With("now", work.Now).And("too_far", work.Now + 2 * ErasureRules.LateOrders).And("most", most),
            row => row.Text("customer_id"));
        if (due.Count == 0) return 0;
        await store.LockAsync(work, due);
        List<Erasure> asked =
        [
            .. (await store.ErasuresAsync(work, due)).Values.Where(erasure => erasure.NextAskAt is not null)
                .Select(erasure => erasure with { AskedAt = work.Now, NextAskAt = work.Now + ErasureRules.AskAgain }),
        ];
        await store.SaveErasuresAsync(work, asked);
        foreach (var erasure in asked) Ask(work, erasure);
        return due.Count;
    }

    static void Ask(Work work, Erasure erasure)
    {
        if (!erasure.OrdersDone) work.Send(erasure.Id, new EraseCustomer(erasure.CustomerId, erasure.Stage));
        if (erasure is { State: ErasureStates.Erased, NotesDone: false })
            work.Send(erasure.Id, new EraseNotes(erasure.CustomerId, erasure.Words));
    }

    async Task EraseWordsAsync(Work work, Dictionary<string, IReadOnlyList<string>> erased)
    {
        var customers = SqlArgs.OfTexts("customer_id", [.. erased.Keys]);
        var actions = (await work.QueryAsync(
                sql["actions_of_customers"], customers,
                row => (Id: row.Uuid("id"), Customer: row.Text("customer_id"), Reason: row.Text("reason"))))
            .Select(action => (action.Id, Reason: PersonalWords.Without(action.Reason, erased[action.Customer])))
            .Where(action => action.Reason is not null).ToList();
        if (actions.Count > 0)
            await work.ExecuteAsync(
                sql["erase_actions"],
                SqlArgs.Over(actions).Uuid("id", action => action.Id).Text("reason", action => action.Reason).Args);
        var attempts = (await work.QueryAsync(
                sql["attempts_of_customers"], customers,
                row => (
                    OrderId: row.Uuid("order_id"), Operation: row.Text("operation"), Number: row.Int("number"),
                    Customer: row.Text("customer_id"), Reason: row.Text("reason"))))
            .Select(attempt => (
                attempt.OrderId, attempt.Operation, attempt.Number,
                Reason: PersonalWords.Without(attempt.Reason, erased[attempt.Customer])))
            .Where(attempt => attempt.Reason is not null).ToList();
        if (attempts.Count > 0)
            await work.ExecuteAsync(
                sql["erase_attempts"],
                SqlArgs.Over(attempts)
                    .Uuid("order_id", attempt => attempt.OrderId)
                    .Text("operation", attempt => attempt.Operation)
                    .BigInt("number", attempt => attempt.Number)
                    .Text("reason", attempt => attempt.Reason)
                    .Args);
    }

    static string CustomerOf(IMessageBody body) => body switch
    {
        CustomerErased answer => answer.CustomerId,
        NotesErased answer => answer.CustomerId,
        _ => throw new InvalidOperationException($"{body.GetType().Name} is not about an erasure."),
    };
}
