using System.Collections.Frozen;
using Orderwright.Contracts;
using Orderwright.CustomerService.Gateways;
using Orderwright.Runtime;

namespace Orderwright.CustomerService;

/// <summary>customer-service: customers, their store credit, payments.</summary>
public sealed class CustomerModule : IServiceModule
{
    public string Name => ServiceNames.Customer;

    public ServiceParts Build(ServiceContext context)
    {
        var store = new PaymentStore(context.Sql);
        return new ServiceParts
        {
            Handlers = [new SettlePayments(store, FrozenSet<string>.Empty, new GatewayLimits(), (_, _) => { })],
        };
    }
}
