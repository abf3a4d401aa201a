using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator;

/// <summary>saga-coordinator: drives every order to an end that everyone agrees on.</summary>
public sealed class SagaModule : IServiceModule
{
    public string Name => ServiceNames.Coordinator;

    public ServiceParts Build(ServiceContext context)
    {
        var store = new SagaStore(context.Sql);
        return new ServiceParts
        {
            Handlers = [new AdvanceSagas(store, context.Logs.CreateLogger<AdvanceSagas>())],
            Jobs = [new AskAgain(store, context, context.Logs.CreateLogger<AskAgain>()).Job],
            Routes = new SagaApi(context).Map,
        };
    }
}
