using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Reconciliation;

static class ReconciliationParts
{
    /// <summary>Creates the loop, the schedule and the API of reconciliation.</summary>
    public static HttpParts Of(IReadOnlyList<IPaymentProvider> providers, AskOrders orders, ServiceContext context)
    {
        var store = new ReconciliationStore(context.Sql);
        var settings = context.Configuration.Bind<ReconciliationSettings>();
        var reconciler = new Reconciler(providers, store, settings, orders, context);
        var api = new ReconciliationApi(providers, store, settings, reconciler, context);
        return new HttpParts
        {
            Jobs = [.. reconciler.Jobs],
            Loops = [.. reconciler.Loops, .. api.Loops],
            Routes = api.Map,
        };
    }
}
