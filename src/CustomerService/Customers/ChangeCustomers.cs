using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Customers;

/// <summary>
/// Applies changes to customers and their store credit. Concurrent requests share one transaction and are decided in order
/// of arrival, against rows locked in key order: customers first, then balances.
/// </summary>
public sealed class ChangeCustomers
{
    readonly CommandGroup<CustomerChange> group;
    readonly CustomerStore store;
    readonly HoldOperations holds;

    public ChangeCustomers(ServiceContext context, CustomerStore store, HoldOperations holds)
    {
        (this.store, this.holds) = (store, holds);
        group = new("change-customers", HandleAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => group.Loops;

    public Task<Answer> SubmitAsync(Command<CustomerChange> command) => group.SubmitAsync(command);

    /// <summary>Adds credits that a second person has approved.</summary>
    public Task<IReadOnlyList<Answer>> HandleApprovedAsync(IReadOnlyList<ApprovedCommand> approved, Work work) =>
        HandleAsync(
            [
                .. approved.Select(one =>
                {
                    var held = JsonSerializer.Deserialize(one.Approval.Command, CustomerJson.Default.HeldCredit)!;
                    return one.As<CustomerChange>(new CustomerChange.AddCredit(
                        one.Approval.CustomerId!, one.Approval.Currency, one.Approval.AmountMinor, held.Reference,
                        one.Approval.DecidedBy));
                }),
            ],
            work);

    Approval? HoldOf(Command<CustomerChange> request, Credit credit, Work work) =>
        request.Body is CustomerChange.AddCredit { ApprovedBy: null } && holds.Needs(credit.Currency, credit.AmountMinor)
            ? holds.Hold(
                work, request, ApprovedOperations.Credit, (null, credit.CustomerId, null),
                (credit.AmountMinor, credit.Currency),
                $"Add {Money.Format(credit.AmountMinor, credit.Currency)} of store credit to {credit.CustomerId}.", null,
                JsonSerializer.Serialize(new(credit.Reference), CustomerJson.Default.HeldCredit))
            : null;

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<CustomerChange>> batch, Work work)
    {
        CustomerChange[] changes = [.. batch.Select(command => command.Body)];
        CustomerChange.AddCredit[] adds = [.. changes.OfType<CustomerChange.AddCredit>()];
        var before = (await store.LockAsync(work, [.. changes.Select(change => change.CustomerId).Distinct()]))
            .ToDictionary(customer => customer.Id);
        var made = changes.OfType<CustomerChange.Put>().Select(put => put.CustomerId).ToHashSet();
        // Only for existing customers: a credit for an unknown customer must not leave an empty balance.
        var balancesBefore = await store.LockBalancesAsync(
            work,
            [
                .. adds.Where(add => before.GetValueOrDefault(add.CustomerId) is { ErasedAt: null }
                        || made.Contains(add.CustomerId))
                    .Select(add => (add.CustomerId, add.Currency)).Distinct(),
            ]);
        var references = await store.UsedReferencesAsync(
            work,
            [
                .. adds.Where(add => add.Reference is not null)
                    .Select(add => (add.CustomerId, add.Reference!)).Distinct(),
            ]);
        List<string> erasing = [.. changes.OfType<CustomerChange.Erase>().Select(erase => erase.CustomerId).Distinct()];
        var open = await store.WithOpenPaymentsAsync(work, erasing);
        var money = await store.WithBalanceAsync(work, erasing);
        var erasures = await store.ErasuresAsync(work, erasing);
        var begun = new List<Erasure>();

        var after = new Dictionary<string, Customer>(before);
        var balances = new Dictionary<(string, string), long>(balancesBefore);
        var credits = new List<Credit>();
        var answers = new Answer[changes.Length];
        var held = new List<Approval>();
        for (var i = 0; i < changes.Length; i++)
        {
            var decision = Decide(changes[i], batch[i].Caller.Name);
            answers[i] = decision.Answer;
            if (decision.Customer is { } customer) after[customer.Id] = customer;
            if (decision.Erasure is { } erasure)
            {
                begun.Add(erasure);
                erasures[erasure.CustomerId] = erasure;
                work.Send(erasure.Id, new EraseCustomer(erasure.CustomerId, erasure.Stage));
            }
            if (decision.Credit is not { } credit) continue;
            if (HoldOf(batch[i], credit, work) is { } approval)
            {
                held.Add(approval);
                answers[i] = holds.Respond(approval);
                continue;
            }
            credits.Add(credit);
            balances[(credit.CustomerId, credit.Currency)] += credit.AmountMinor;
            if (credit.Reference is not null) references.Add((credit.CustomerId, credit.Reference));
        }

        await store.InsertAsync(work, [.. after.Values.Where(customer => !before.ContainsKey(customer.Id))]);
        await store.UpdateAsync(
            work,
            [.. after.Values.Where(customer => before.TryGetValue(customer.Id, out var old) && old != customer)]);
        await store.SaveErasuresAsync(work, begun);
        await store.InsertCreditsAsync(work, credits);
        await store.UpdateBalancesAsync(
            work, [.. balances.Where(balance => balance.Value != balancesBefore[balance.Key])]);
        await holds.SaveAsync(work, held);
        return answers;

        CustomerDecision Decide(CustomerChange change, string caller)
        {
            var existing = after.GetValueOrDefault(change.CustomerId);
            return change switch
            {
                CustomerChange.Put put => CustomerRules.Put(put, existing, work.Now),
                CustomerChange.AddCredit add => CustomerRules.AddCredit(
                    add, existing, balances.GetValueOrDefault((add.CustomerId, add.Currency)),
                    add.Reference is not null && references.Contains((add.CustomerId, add.Reference)), work.NewId(),
                    work.Now),
                CustomerChange.Erase erase => CustomerRules.Erase(
                    erase, existing, erasures.GetValueOrDefault(erase.CustomerId), BalancesOf(erase.CustomerId),
                    open.Contains(erase.CustomerId), work.NewId(), caller, work.Now),
                var other => throw new InvalidOperationException($"{other.GetType().Name} is not a change of a customer."),
            };
        }

        // Credits of the same batch included.
        IEnumerable<(string Currency, long Amount)> BalancesOf(string customer) =>
            money[customer].ToDictionary(balance => balance.Currency, balance => balance.Amount)
                .Concat(balances.Where(balance => balance.Key.Item1 == customer)
                    .Select(balance => KeyValuePair.Create(balance.Key.Item2, balance.Value)))
                .GroupBy(balance => balance.Key).Select(same => (same.Key, same.Last().Value))
                .Where(balance => balance.Value > 0);
    }
}
