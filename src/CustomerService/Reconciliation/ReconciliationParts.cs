using Orderwright.CustomerService.Gateways;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Reconciliation;

static class ReconciliationParts
{
    /// <summary>Adds what compares our record with the gateways': its loop, its schedule, its API.</summary>
    public static ServiceParts WithReconciliation(
        this ServiceParts parts, IReadOnlyList<IPaymentProvider> providers, ServiceContext context)
    {
        var store = new ReconciliationStore(context.Sql);
        var settings = context.Configuration.Bind<ReconciliationSettings>();
        var reconciler = new Reconciler(providers, store, settings, context);
        var api = new ReconciliationApi(providers, store, settings, reconciler, context);
        return parts with
        {
            Jobs = [.. parts.Jobs, .. reconciler.Jobs],
            Loops = [.. parts.Loops, .. reconciler.Loops, .. api.Loops],
            Routes = parts.Routes + api.Map,
        };
    }
}
