using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.SagaCoordinator;

/// <summary>Parts of saga-coordinator. The simulation acts as an operator without a web server.</summary>
/// <param name="Operators">Actions of operators on sagas.</param>
public sealed record SagaParts(CommandGroup<OperatorRequest> Operators) : HttpParts;

/// <summary>saga-coordinator: drives every order to an end that everyone agrees on.</summary>
public sealed class SagaModule : IServiceModule
{
    public string Name => ServiceNames.Coordinator;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public SagaParts Build(ServiceContext context)
    {
        var memory = new SagaMemory();
        var store = new SagaStore(context.Sql);
        var signs = new SignsOfLife();
        var audit = new Audit(Name, context.Database, context.RuntimeSql);
        var actions = new OperatorActions(store, memory, audit, signs);
        var acting = new CommandGroup<OperatorRequest>("operate-sagas", actions.HandleAsync, context);
        var notes = new IncidentNotes(store, audit, context);
        var sagas = new SagaApi(context, signs, notes);
        var operators = new OperatorApi(actions, acting, context);
        var bulk = new BulkActions(acting, context, context.Logs.CreateLogger<BulkActions>());
        var stops = new BulkStops(bulk, audit, context);
        var bulkApi = new BulkApi(bulk, stops, context);
        var overview = new OverviewApi(context, new Overview(context, signs), signs, notes);
        return new SagaParts(acting)
        {
            Handlers = [new AdvanceSagas(store, memory, signs, context.Logs.CreateLogger<AdvanceSagas>())],
            Jobs =
            [
                RepairClockSkew.Job(context.Runner.Clock, (context.Sql["bring_forward"], RepairClockSkew.LongestPause)),
                new AskAgain(store, memory, context, context.Logs.CreateLogger<AskAgain>()).Job,
            ],
            Loops = [.. acting.Loops, .. notes.Loops, .. stops.Loops, bulk.Loop],
            Routes = routes =>
            {
                sagas.Map(routes);
                operators.Map(routes);
                bulkApi.Map(routes);
                overview.Map(routes);
            },
        };
    }
}
