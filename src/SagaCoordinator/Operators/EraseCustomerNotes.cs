using Orderwright.Contracts;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>
/// Erases what the coordinator keeps about a person: the notes on incidents of the person's orders as a whole, because a note is
/// free text, and the person's name in the words of operators, in the audit, in approvals and in the sagas. Repeating is
/// harmless.
/// </summary>
public sealed class EraseCustomerNotes(ApprovalStore approvals, SqlCatalog sql) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } = [typeof(EraseNotes)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var words = batch.Select(message => (EraseNotes)message.Body).GroupBy(erase => erase.CustomerId)
            .ToDictionary(
                group => group.Key,
                group => (IReadOnlyList<string>)[.. group.SelectMany(erase => erase.Words).Distinct()]);
        await approvals.EraseAsync(work, await approvals.LockOfCustomersAsync(work, [.. words.Keys]), words);
        var customers = SqlArgs.OfTexts("customer_id", [.. words.Keys]);
        var notes = await work.QueryAsync(sql["notes_of_customers"], customers, row => row.Uuid("order_id"));
        if (notes.Count > 0) await work.ExecuteAsync(sql["erase_notes"], SqlArgs.OfUuids("order_id", notes));
        var actions = (await work.QueryAsync(
                sql["actions_of_customers"], customers,
                row => (Id: row.Uuid("id"), Customer: row.Text("customer_id"), Reason: row.Text("reason"))))
            .Select(action => (action.Id, Reason: PersonalWords.Without(action.Reason, words[action.Customer])))
            .Where(action => action.Reason is not null).ToList();
        if (actions.Count > 0)
            await work.ExecuteAsync(
                sql["erase_actions"],
                SqlArgs.Over(actions).Uuid("id", action => action.Id).Text("reason", action => action.Reason).Args);
        var steps = (await work.QueryAsync(
                sql["steps_of_customers"], customers,
                row => (OrderId: row.Uuid("order_id"), Customer: row.Text("customer_id"), Steps: row.Text("steps"))))
            .Select(saga => (saga.OrderId, Steps: PersonalWords.Without(saga.Steps, words[saga.Customer])))
            .Where(saga => saga.Steps is not null).ToList();
        if (steps.Count > 0)
            await work.ExecuteAsync(
                sql["erase_steps"],
                SqlArgs.Over(steps).Uuid("order_id", saga => saga.OrderId).Text("steps", saga => saga.Steps).Args);
        foreach (var message in batch)
            work.Answer(message, new NotesErased(((EraseNotes)message.Body).CustomerId));
    }
}
