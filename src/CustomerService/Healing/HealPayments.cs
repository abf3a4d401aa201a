using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Healing;

/// <summary>Repairs with the charges of their orders, as the gateways list them.</summary>
public sealed record PaymentHealing(
    IReadOnlyList<PaymentRepair> Repairs, IReadOnlyDictionary<Guid, FoundCharges> Charges,
    IReadOnlyList<ErasureRepair> Erasures);

/// <summary>
/// Repairs payments that were lost or set back with the database (docs/adr/0033): asks the gateways for the charges of the
/// orders, outside any transaction, then takes over, returns or re-books the money. order-service is notified of every change.
/// A request of the lost time may reach a gateway after that: its webhook finds no attempt, and the payment is compared again.
/// </summary>
public sealed partial class HealPayments
{
    // An attempt is stored before its request is sent, so that no webhook waits longer for its attempt.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    readonly IReadOnlyDictionary<string, IPaymentProvider> providers;
    readonly FrozenSet<string> gateways;
    readonly IReadOnlyList<PaymentRoute> routes;
    readonly PaymentStore store;
    readonly CustomerStore customers;
    readonly NotifyOrders orders;
    readonly GatewayLimits limits;
    readonly Audit audit;
    readonly Action<PaymentCase, GatewayTask> next;
    readonly TimeProvider time;
    readonly ServiceContext context;
    readonly ILogger log;
    readonly CommandGroup<PaymentHealing> group;

    public HealPayments(
        IReadOnlyDictionary<string, IPaymentProvider> providers, IReadOnlyList<PaymentRoute> routes, PaymentStore store,
        CustomerStore customers, NotifyOrders orders, GatewayLimits limits, Audit audit, Action<PaymentCase, GatewayTask> next,
        ServiceContext context)
    {
        (this.providers, this.routes, this.store, this.customers) = (providers, routes, store, customers);
        (this.orders, this.limits, this.audit, this.next, time) = (orders, limits, audit, next, context.Time);
        (this.context, log) = (context, context.Logs.CreateLogger<HealPayments>());
        gateways = providers.Keys.ToFrozenSet();
        group = new("heal-payments", HandleAsync, context, Passage.Repairs);
    }

    public IReadOnlyList<BackgroundLoop> Loops => [.. group.Loops, new("compare-late-results", CompareLateAsync)];

    public async Task<Answer> RunAsync(Command<HealPaymentsRequest> command, CancellationToken cancel)
    {
        List<PaymentRepair> repairs = [.. command.Body.Orders.DistinctBy(repair => repair.OrderId)];
        try
        {
            using var deadline = new CancellationTokenSource(limits.GatewayDeadline, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
            var charges = await FindAsync(repairs, either.Token);
            return await group.SubmitAsync(command.For(new PaymentHealing(repairs, charges, command.Body.Erasures ?? [])));
        }
        catch (Exception error) when (error is ChargeListException
            || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return Problem.Of(
                StatusCodes.Status503ServiceUnavailable, "no_answer",
                "A gateway's list of charges cannot be read now. Nothing was changed.") with
            {
                RetryAfter = TimeSpan.FromSeconds(5),
            };
        }
    }

    async Task<Dictionary<Guid, FoundCharges>> FindAsync(IReadOnlyList<PaymentRepair> repairs, CancellationToken cancel)
    {
        var asked = repairs.Where(repair => repair.To != PaymentTargets.Told)
            .Select(repair => (
                repair.OrderId, Gateways: RoutingRules.MayHoldMoney(routes, repair.Terms.Payment, gateways)))
            .ToList();
        var listed = new List<(string Provider, ListedCharge Charge)>();
        foreach (var provider in providers.Values)
        {
            Guid[] ids = [.. asked.Where(order => order.Gateways.Contains(provider.Name)).Select(order => order.OrderId)];
            if (ids.Length == 0 || provider.Charges is not { } list) continue;
            foreach (var charge in await list.OfOrdersAsync(
                ids, context.Runner.Clock.IsCompared, cancel)) listed.Add((provider.Name, charge));
        }
        var byOrder = listed.ToLookup(charge => charge.Charge.OrderId);
        return asked.ToDictionary(
            order => order.OrderId,
            order => new FoundCharges(
                [.. byOrder[order.OrderId]],
                order.Gateways.Count > 0 && order.Gateways.All(name => providers[name].Charges is not null)));
    }

    async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<PaymentHealing>> batch, Work work)
    {
        var answers = new List<Answer>(batch.Count);
        foreach (var command in batch)
        {
            var (repaired, conflicts, _) = await RepairAsync(command.Body, work);
            if (command.Body.Erasures.Count > 0)
                await EraseAgainAsync(command.Body.Erasures, command.Caller.Name, work);
            await audit.AppendAsync(work, Repairs.EntryOf(ServiceNames.Customer, command, repaired, work));
            answers.Add(Repairs.Answer(
                repaired, command.Body.Repairs.Count - repaired.Count - conflicts.Count, conflicts));
        }
        return answers;
    }

    async Task CompareLateAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                if (context.Runner.Fence is not { HoldsWork: true }) await CompareOnceAsync(cancel);
            }
            catch (Exception error) when (!cancel.IsCancellationRequested)
            {
                LogNotCompared(error.Message);
            }
            await Task.Delay(LookEvery, time, cancel);
        }
    }

    async Task CompareOnceAsync(CancellationToken cancel)
    {
        var before = time.Now() - Patience;
        var ids = await context.Database.QueryAsync(
            context.Sql["late_results"], SqlArgs.With("before", before).And("most", HealRequests.MaxRepairs),
            row => row.Uuid("order_id"), cancel);
        if (ids.Count == 0) return;
        var payments = await context.Runner.RunOnceAsync(work => store.LockAsync(work, ids, []), cancel);
        List<PaymentRepair> repairs =
            [.. ids.Select(id => payments.Case(id).Payment).OfType<Payment>().Select(PaymentRecovery.Comparison)];
        using var deadline = new CancellationTokenSource(limits.GatewayDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        var healing = new PaymentHealing(repairs, await FindAsync(repairs, either.Token), []);
        await context.Runner.RunOnceAsync(
            async work =>
            {
                var (repaired, conflicts, compared) = await RepairAsync(healing, work);
                var command = new Command<PaymentHealing>(healing, Caller.Local with { Name = HealRequests.Actor }, null, []);
                await audit.AppendAsync(work, Repairs.EntryOf(ServiceNames.Customer, command, repaired, work));
                var unclear = conflicts.Select(conflict => conflict.OrderId)
                    .Concat(compared.Where(id => !healing.Charges[id].IsListed)).Distinct().ToList();
                await NeedPersonAsync(unclear, work);
                if (compared.Count > 0)
                    await work.ExecuteAsync(
                        context.Sql["forget_late_results"], SqlArgs.OfUuids("order_id", compared).And("before", before));
            },
            cancel);
    }

    async Task NeedPersonAsync(IReadOnlyList<Guid> unclear, Work work)
    {
        if (unclear.Count == 0) return;
        var payments = await store.LockAsync(work, unclear, []);
        foreach (var id in unclear)
        {
            var known = payments.Case(id);
            payments.Apply(new(known.With((known.Payment! with
            {
                Attention = "The gateway has carried out a request that is not recorded here. Compare the payment with the "
                    + "gateway's record.",
            }).Changed(work.Now))));
        }
        store.Save(work, payments);
    }

    async Task<(IReadOnlyList<Guid> Repaired, IReadOnlyList<HealConflict> Conflicts, IReadOnlyList<Guid> Compared)> RepairAsync(
        PaymentHealing healing, Work work)
    {
        var repairs = healing.Repairs;
        Guid[] ids = [.. repairs.Select(repair => repair.OrderId)];
        List<(string, string)> balances =
        [
            .. repairs.Where(repair => repair.Terms.Payment.Provider == PaymentProviders.Balance)
                .Select(repair => (repair.Terms.CustomerId, repair.Terms.Currency)),
        ];
        var payments = await store.LockAsync(work, ids, balances);
        if (await BookCreditsAsync(repairs, payments, work)) payments = await store.LockAsync(work, ids, balances);
        await store.LoadJournaledAsync(work, payments, [.. ids.Where(id => payments.Case(id).Payment is null)]);
        var at = new At(work.Now, limits);
        var (repaired, compared) = (new List<Guid>(), new List<Guid>());
        var (conflicts, told) = (new List<HealConflict>(), new List<PaymentCase>());
        foreach (var repair in repairs)
        {
            var before = payments.Case(repair.OrderId);
            if (repair.To == PaymentTargets.Told)
            {
                if (before.Payment is not { } right || right.Version != repair.Version) continue;
                told.Add(before);
                repaired.Add(repair.OrderId);
                continue;
            }
            var decided = PaymentRecovery.Decide(
                before, repair, healing.Charges.GetValueOrDefault(repair.OrderId) ?? FoundCharges.None,
                payments.JournaledOf(repair.OrderId),
                payments.FundsOf(repair.Terms.CustomerId, repair.Terms.Currency).AmountMinor, at);
            if (before.Payment?.Version == repair.Version && before.Open is null) compared.Add(repair.OrderId);
            if (decided.Code is { } code) conflicts.Add(new(repair.OrderId, code, decided.Why!));
            if (decided.Decision is not { } decision || ReferenceEquals(decision.Case, before)) continue;
            payments.Apply(decision);
            repaired.Add(repair.OrderId);
            if (decision.Next is { } task) work.AfterCommit(() => next(decision.Case, task));
            else if (repair.To != PaymentTargets.Known) told.Add(decision.Case);
        }
        store.Save(work, payments);
        orders.Notify(work, told);
        return (repaired, conflicts, compared);
    }

    // order-service marks an id before the decision: without an erasure here, the erasure was lost with its customer.
    async Task EraseAgainAsync(IReadOnlyList<ErasureRepair> repairs, string caller, Work work)
    {
        var withdrawn = repairs.GroupBy(repair => repair.CustomerId, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.All(repair => repair.Withdraws));
        string[] names = [.. withdrawn.Keys.Order(StringComparer.Ordinal)];
        var known = (await customers.LockAsync(work, names)).Select(customer => customer.Id).ToHashSet();
        await customers.InsertAsync(
            work,
            [
                .. names.Where(name => !known.Contains(name))
                    .Select(name => new Customer(name, null, null, 1, work.Now, work.Now)),
            ]);
        var erasures = await customers.ErasuresAsync(work, names);
        List<ErasureDecision> decisions = [];
        foreach (var customer in await customers.LockAsync(work, names))
        {
            var decision = erasures.TryGetValue(customer.Id, out var erasure)
                ? ErasureRules.Again(erasure, customer, work.Now)
                : ErasureRules.Begin(customer, work.NewId(), caller, work.Now);
            if (erasure is null && withdrawn[customer.Id])
                decision = decision with { Erasure = decision.Erasure with { State = ErasureStates.Withdrawn } };
            if (decision.Sends) decisions.Add(decision);
        }
        await customers.UpdateAsync(work, [.. decisions.Select(decision => decision.Customer!)]);
        await customers.SaveErasuresAsync(work, [.. decisions.Select(decision => decision.Erasure)]);
        foreach (var (erasure, _, _) in decisions)
            work.Send(erasure.Id, new EraseCustomer(erasure.CustomerId, erasure.Stage));
    }

    // An order that stands was paid, so a customer or a credit that the restored balance lacks once existed. True if booked.
    async Task<bool> BookCreditsAsync(IReadOnlyList<PaymentRepair> repairs, PaymentBatch payments, Work work)
    {
        var needs = repairs
            .Where(repair => repair is { To: PaymentTargets.Secured, Version: null, Terms.AmountMinor: not null }
                && repair.Terms.Payment.Provider == PaymentProviders.Balance && payments.Case(repair.OrderId).Payment is null)
            .GroupBy(
                repair => (repair.Terms.CustomerId, repair.Terms.Currency),
                repair => Math.Clamp(repair.SecuredMinor ?? repair.Terms.AmountMinor!.Value, 0, repair.Terms.AmountMinor!.Value))
            .Select(same => (same.Key, Funds: payments.FundsOf(same.Key.CustomerId, same.Key.Currency), Need: same.Sum()))
            .Where(need => !need.Funds.CustomerKnown || need.Funds.AmountMinor < need.Need)
            .OrderBy(need => need.Key).ToList();
        if (needs.Count == 0) return false;
        List<string> names = [.. needs.Select(need => need.Key.CustomerId).Distinct()];
        var known = (await customers.LockAsync(work, names)).Select(customer => customer.Id).ToHashSet();
        await customers.InsertAsync(
            work,
            [
                .. names.Where(name => !known.Contains(name))
                    .Select(name => new Customer(name, null, null, 1, work.Now, work.Now)),
            ]);
        var balances = await customers.LockBalancesAsync(work, [.. needs.Select(need => need.Key)]);
        var lacking = needs.Select(need => (need.Key, Missing: need.Need - balances[need.Key])).Where(need => need.Missing > 0)
            .ToList();
        await customers.InsertCreditsAsync(
            work,
            [
                .. lacking.Select(need => new Credit(
                    work.NewId(), need.Key.CustomerId, need.Key.Currency, need.Missing, null, work.Now)),
            ]);
        await customers.UpdateBalancesAsync(
            work, [.. lacking.Select(need => KeyValuePair.Create(need.Key, balances[need.Key] + need.Missing))]);
        return true;
    }

    [LoggerMessage(3107, LogLevel.Warning, "Results of gateways without an attempt are compared later: {Why}")]
    partial void LogNotCompared(string why);
}
