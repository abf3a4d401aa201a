using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.CustomerService.Calling;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.CustomerService.Providers.Stripe;
using Orderwright.CustomerService.Reconciliation;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.CustomerService;

/// <summary>Parts of customer-service. The simulation calls these two without a web server.</summary>
/// <param name="Customers">Changes to customers and their store credit.</param>
/// <param name="Webhooks">Webhooks of payment gateways.</param>
public sealed record CustomerParts(ChangeCustomers Customers, Webhooks Webhooks) : HttpParts;

/// <summary>
/// customer-service: customers, their store credit, payments and the gateways that settle them.
/// </summary>
/// <param name="further">Gateways besides those that the settings ask for.</param>
public sealed class CustomerModule(params IReadOnlyList<IPaymentProvider> further) : IServiceModule
{
    public string Name => ServiceNames.Customer;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public CustomerParts Build(ServiceContext context)
    {
        var limits = context.Configuration.Bind<GatewayLimits>();
        var store = new PaymentStore(context.Sql);
        Webhooks? door = null;
        var settings = SandboxSettings.Read(context.Configuration);
        var sandbox = settings.Sandbox
            ? new SandboxProvider(
                new SandboxLedger(context), settings, context.Time,
                (headers, body) => door!.ReceiveAsync(SandboxProvider.ProviderName, headers, body))
            : null;
        var http = HttpGatewaySettings.Read(context.Configuration);
        var stripe = StripeSettings.Read(context.Configuration);
        IReadOnlyList<IPaymentProvider> providers =
        [
            .. sandbox is null ? [] : new[] { sandbox },
            .. http is null ? [] : new[] { HttpProvider.Over(http, limits, context.Time) },
            .. stripe is null ? [] : new[] { StripeProvider.Over(stripe, limits) },
            .. further,
        ];
        var byName = providers.ToFrozenDictionary(provider => provider.Name);

        var tell = new TellOrders(context.Sql);
        var routes = PaymentRoute.ReadAll(context.Configuration["Routes"] ?? "", byName.Keys);
        var calls = new GatewayCalls(byName, routes, store, limits, tell, context);
        var parked = new ParkedEvents(context.Sql, calls.Settle);
        var webhooks = door = new Webhooks(byName, calls.Settle, context);
        var changes = new ChangeCustomers(context, new CustomerTables(context.Sql));
        var audit = new Audit(Name, context.Database, context.RuntimeSql);
        var acting = new CommandGroup<HandAct>(
            "act-on-payments",
            new ActOnPayments(store, byName, limits, tell, audit, calls.Take).HandleAsync, context);
        var byHand = new HandApi(acting);
        var watch = new WatchHolds(store, context.Sql, limits, context.Logs.CreateLogger<WatchHolds>());
        var customers = new CustomerApi(context.Database, context.Sql, changes);
        var payments = new PaymentApi(context.Database, context.Sql, webhooks, sandbox);
        var reconciliation = ReconciliationParts.Of(providers, context);
        return new CustomerParts(changes, webhooks)
        {
            Handlers = [new AuthorizePayments(store, byName, limits, audit, calls.Take, routes, calls.Down), tell],
            Jobs =
            [
                RepairClockSkew.Job(
                    context.Runner.Clock,
                    (context.Sql["bring_forward"], RepairClockSkew.LongestPause),
                    (context.Sql["bring_late_look_ups_forward"], GatewayLimits.LookUpPauses[^1])),
                calls.Job, tell.Job, watch.Job, .. parked.Jobs, .. reconciliation.Jobs,
            ],
            Loops =
            [
                .. changes.Loops, .. acting.Loops, .. calls.Loops, webhooks.Loop, .. sandbox?.Loops ?? [],
                .. reconciliation.Loops,
            ],
            Routes = routes =>
            {
                customers.Map(routes);
                payments.Map(routes);
                byHand.Map(routes);
                reconciliation.Routes(routes);
            },
        };
    }
}
