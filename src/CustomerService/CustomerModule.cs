using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.CustomerService.Calling;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Healing;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.CustomerService.Providers.Stripe;
using Orderwright.CustomerService.Reconciliation;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService;

/// <summary>Parts of customer-service. The simulation calls them without a web server.</summary>
/// <param name="Customers">Changes to customers and their store credit.</param>
/// <param name="Webhooks">Webhooks of payment gateways.</param>
/// <param name="Operators">Actions of operators on payments.</param>
/// <param name="Healing">Repairs of payments.</param>
public sealed record CustomerParts(
    ChangeCustomers Customers, Webhooks Webhooks, CommandGroup<OperatorPaymentAction> Operators, HealPayments Healing)
    : HttpParts;

/// <summary>customer-service: customers, their store credit, payments and gateways.</summary>
/// <param name="further">Providers in addition to the configured ones.</param>
public sealed class CustomerModule(params IReadOnlyList<IPaymentProvider> further) : IServiceModule
{
    public string Name => ServiceNames.Customer;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public CustomerParts Build(ServiceContext context)
    {
        var limits = context.Configuration.Bind<GatewayLimits>();
        var store = new PaymentStore(context.Sql);
        // The sandbox sends webhooks to the service in process, and the webhook handler needs the providers first.
        Webhooks? webhooks = null;
        var sandboxSettings = SandboxSettings.Read(context.Configuration);
        var sandbox = sandboxSettings.Sandbox
            ? new SandboxProvider(
                new SandboxLedger(context), sandboxSettings, context.Time,
                (headers, body) => webhooks!.ReceiveAsync(SandboxProvider.ProviderName, headers, body))
            : null;
        var http = HttpGatewaySettings.Read(context.Configuration);
        var stripe = StripeSettings.Read(context.Configuration);
        IReadOnlyList<IPaymentProvider> providers =
        [
            .. sandbox is null ? [] : new[] { sandbox },
            .. http is null ? [] : new[] { HttpProvider.Create(http, limits, context.Time) },
            .. stripe is null ? [] : new[] { StripeProvider.Create(stripe, limits) },
            .. further,
        ];
        var byName = providers.ToFrozenDictionary(provider => provider.Name);

        var notify = new NotifyOrders(context.Sql);
        var routes = PaymentRoute.ReadAll(context.Configuration.Bind<RouteSettings>().Routes, byName.Keys);
        var calls = new GatewayCalls(byName, routes, store, limits, notify, context);
        var parked = new ParkedEvents(context.Sql, calls.Results);
        webhooks = new Webhooks(byName, calls.Results, context);
        var customers = new CustomerStore(context.Sql);
        var audit = new Audit(Name, context.Database, context.RuntimeSql);
        var holds = new HoldOperations(context, audit);
        var changes = new ChangeCustomers(context, customers, holds);
        var erasures = new FinishErasures(customers, new ApprovalStore(context.RuntimeSql), context.Sql);
        var refunds = AmountLimits.Read("REFUND_LIMIT", context.Configuration.Bind<RefundSettings>().RefundLimit);
        var operate = new OperatePayments(
            store, byName, limits, notify, audit, new PaymentHolds(refunds, holds), calls.Take);
        var actions = new CommandGroup<OperatorPaymentAction>("operate-payments", operate.HandleAsync, context);
        var approvals = new DecideApprovals(
            context, audit,
            new ApprovedOperation(ApprovedOperations.Refund, operate.HandleApprovedAsync),
            new ApprovedOperation(ApprovedOperations.ResolvePayment, operate.HandleApprovedAsync),
            new ApprovedOperation(ApprovedOperations.Credit, changes.HandleApprovedAsync));
        var watch = new WatchHolds(store, context.Sql, limits, context.Logs.CreateLogger<WatchHolds>());
        var orders = new AskOrders(context);
        var reconciliation = ReconciliationParts.Of(providers, orders, context);
        var adoptions = new AdoptPayments(byName, routes, orders, actions, limits, context);
        var healing = new HealPayments(byName, routes, store, customers, notify, limits, audit, calls.Take, context);
        return new CustomerParts(changes, webhooks, actions, healing)
        {
            Approvals = approvals,
            OnFenced = async work =>
            {
                await work.ExecuteAsync(context.Sql["doubt_waiting_attempts"], SqlArgs.With("now", work.Now));
                await approvals.ExpireAllAsync(work);
            },
            Handlers =
            [
                new AuthorizePayments(store, byName, limits, audit, calls.Take, routes, calls.Down), notify, erasures, orders,
            ],
            Jobs =
            [
                RepairClockSkew.Job(
                    context.Runner.Clock,
                    (context.Sql["bring_forward"], RepairClockSkew.LongestPause, false),
                    (context.Sql["bring_leases_forward"], limits.Lease, true),
                    (context.Sql["bring_late_look_ups_forward"], GatewayLimits.LookUpPauses[^1], false)),
                calls.Job, notify.Job, watch.Job, erasures.Job, approvals.Job, .. parked.Jobs, .. reconciliation.Jobs,
            ],
            Loops =
            [
                .. changes.Loops, .. actions.Loops, .. calls.Loops, webhooks.Loop, .. sandbox?.Loops ?? [],
                .. reconciliation.Loops, .. healing.Loops, .. approvals.Loops,
            ],
            Figures = PaymentFigures.Of(calls, context),
            BeginCounters = () => Metrics.Begin(calls.Gateways),
            Routes = endpoints =>
            {
                new CustomerApi(context.Database, context.Sql, changes, context.Time).Map(endpoints);
                new PaymentApi(context.Database, context.Sql, context.Time).Map(endpoints);
                new OperatorApi(actions, adoptions).Map(endpoints);
                webhooks.Map(endpoints);
                if (sandbox is not null) new SandboxApi(sandbox).Map(endpoints);
                reconciliation.Routes(endpoints);
                new HealApi(healing).Map(endpoints);
            },
        };
    }
}
