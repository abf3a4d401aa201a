using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.SagaCoordinator;

/// <summary>Parts of saga-coordinator. The simulation acts as an operator without a web server.</summary>
/// <param name="Operators">Actions of operators on sagas.</param>
public sealed record SagaParts(CommandGroup<OperatorAction> Operators) : HttpParts;

/// <summary>saga-coordinator: drives every order to an outcome that all services agree on.</summary>
public sealed class SagaModule : IServiceModule
{
    public string Name => ServiceNames.Coordinator;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public SagaParts Build(ServiceContext context)
    {
        var memory = new SagaMemory();
        var store = new SagaStore(context.Sql);
        var heartbeats = new Heartbeats();
        var audit = new Audit(Name, context.Database, context.RuntimeSql);

        var advance = new AdvanceSagas(store, memory, context.Logs.CreateLogger<AdvanceSagas>());
        var resend = new ResendDueCommands(store, memory, context, context.Logs.CreateLogger<ResendDueCommands>());

        var sagas = new SagaApi(context, heartbeats);
        var overview = new OverviewApi(context, new OverviewReader(context, heartbeats));
        var incidents = new IncidentApi(context, heartbeats);

        var actions = new OperateSagas(store, memory, audit, heartbeats);
        var acting = new CommandGroup<OperatorAction>("operate-sagas", actions.HandleAsync, context);
        var operators = new OperatorApi(actions, acting, context);
        var notes = new IncidentNotes(store, audit, context);
        var bulk = new BulkActions(acting, context, context.Logs.CreateLogger<BulkActions>());
        var stops = new BulkStops(bulk, audit, context);
        var bulkApi = new BulkApi(bulk, stops, context);

        return new SagaParts(acting)
        {
            Handlers = [heartbeats.Observe(advance), new EraseCustomerNotes(context.Sql)],
            Jobs =
            [
                RepairClockSkew.Job(context.Runner.Clock, (context.Sql["bring_forward"], RepairClockSkew.LongestPause)),
                resend.Job,
            ],
            Loops = [.. acting.Loops, .. notes.Loops, .. stops.Loops, bulk.Loop],
            Routes = routes =>
            {
                sagas.Map(routes);
                operators.Map(routes);
                bulkApi.Map(routes);
                overview.Map(routes);
                incidents.Map(routes);
                notes.Map(routes);
            },
        };
    }
}
