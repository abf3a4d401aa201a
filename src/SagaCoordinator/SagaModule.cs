using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator.Healing;
using Orderwright.SagaCoordinator.Notices;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;
using Orderwright.StepService;

namespace Orderwright.SagaCoordinator;

/// <summary>Parts of saga-coordinator. The simulation acts as an operator without a web server.</summary>
/// <param name="Operators">Actions of operators on sagas.</param>
/// <param name="Healing">Repairs of sagas.</param>
/// <param name="Steps">Calls of outside participants, and their replies.</param>
public sealed record SagaParts(
    CommandGroup<OperatorAction> Operators, CommandGroup<HealSagasRequest> Healing, StepCalls Steps) : HttpParts;

/// <summary>saga-coordinator: drives every order to an outcome that all services agree on.</summary>
/// <param name="participants">Outside participants; null for those reached over HTTP.</param>
public sealed class SagaModule(IStepParticipants? participants = null) : IServiceModule
{
    public string Name => ServiceNames.Coordinator;

    ServiceParts IServiceModule.Build(ServiceContext context) => Build(context);

    /// <inheritdoc cref="IServiceModule.Build"/>
    public SagaParts Build(ServiceContext context)
    {
        var memory = new SagaMemory();
        var settings = context.Configuration.Bind<StepSettings>();
        var secrets = new StepSecrets(settings.StepSecrets);
        var networks = ReceiverNetworks.Read(
            "STEP_NETWORKS", settings.StepNetworks, allowsLoopback: context.Configuration["KEYS"] is not { Length: > 0 });
        var called = participants ?? new HttpParticipants(settings, secrets, networks, context.Time);
        var versions = new ProcessVersions(ProcessSettings.Read(context.Configuration), called.FaultOf, context);
        var store = new SagaStore(context.Sql, versions);
        var heartbeats = new Heartbeats();
        var audit = new Audit(Name, context.Database, context.RuntimeSql);

        AdvanceSagas? advance = null;
        var calls = new StepCalls(called, settings, (replies, work) => advance!.HandleAsync(replies, work), context);
        advance = new AdvanceSagas(store, memory, versions, calls.Take, context.Logs.CreateLogger<AdvanceSagas>());
        var resend = new ResendDueCommands(store, memory, calls.Take, context, context.Logs.CreateLogger<ResendDueCommands>());

        var sagas = new SagaApi(context, versions, heartbeats);
        var reader = new OverviewReader(context, versions, heartbeats);
        var overview = new OverviewApi(context, versions, reader);
        var incidents = new IncidentApi(context, versions, heartbeats);

        var holds = new HoldOperations(context, audit);
        var actions = new OperateSagas(store, memory, calls.Take, audit, heartbeats, holds);
        var approvals = new DecideApprovals(
            context, audit, new ApprovedOperation(ApprovedOperations.ResolveStep, actions.HandleApprovedAsync));
        var acting = new CommandGroup<OperatorAction>("operate-sagas", actions.HandleAsync, context);
        var operators = new OperatorApi(actions, acting, versions, context);
        var notes = new IncidentNotes(store, audit, context);
        var bulk = new BulkActions(acting, versions, context, context.Logs.CreateLogger<BulkActions>());
        var stops = new BulkStops(bulk, audit, context);
        var bulkApi = new BulkApi(bulk, stops, versions, context);

        var plan = NoticeSettings.Read(context.Configuration);
        var notices = plan.Channels.Count > 0 ? new SendNotices(plan, reader, context) : null;

        var healing = new CommandGroup<HealSagasRequest>(
            "heal-sagas", new HealSagas(store, memory, versions, calls.Take, audit).HandleAsync, context, Passage.Repairs);

        return new SagaParts(acting, healing, calls)
        {
            Approvals = approvals,
            OnFenced = approvals.ExpireAllAsync,
            Handlers = [heartbeats.Observe(advance), new EraseCustomerNotes(new ApprovalStore(context.RuntimeSql), context.Sql)],
            Jobs =
            [
                RepairClockSkew.Job(context.Runner.Clock, (context.Sql["bring_forward"], RepairClockSkew.LongestPause, false),
                    (context.Sql["bring_notices_forward"], NoticeRules.LongestPause + plan.Settings.NoticeEvery, false)),
                resend.Job, versions.Job, approvals.Job, .. notices is null ? Array.Empty<TimedJob>() : [notices.Job],
            ],
            Loops =
            [
                .. acting.Loops, .. healing.Loops, .. notes.Loops, .. stops.Loops, .. calls.Loops, .. approvals.Loops, bulk.Loop,
                .. notices is null ? Array.Empty<BackgroundLoop>() : [notices.Loop],
            ],
            OnStart = versions.StartAsync,
            BeginCounters = () => StepCalls.BeginCounters(versions.CurrentFile.CalledSteps.Select(step => step.Name)),
            Figures = SagaFigures.Of(reader, versions, context.Time),
            Routes = routes =>
            {
                sagas.Map(routes);
                operators.Map(routes);
                bulkApi.Map(routes);
                overview.Map(routes);
                incidents.Map(routes);
                notes.Map(routes);
                new HealApi(healing).Map(routes);
                new ProcessApi(versions).Map(routes);
                new StepReplyApi(secrets, versions.IsCalled, store.ExistsAsync(context.Database), calls, context.Time)
                    .Map(routes);
            },
        };
    }
}
