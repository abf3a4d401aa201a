using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>Command to begin a reconciliation.</summary>
public sealed record ReconciliationStart(string Provider, DateTimeOffset? From, DateTimeOffset? To);

/// <summary>HTTP API of reconciliations for operators: <c>/api/v1/reconciliations</c>.</summary>
public sealed class ReconciliationApi
{
    static readonly TimeSpan LongestRange = TimeSpan.FromDays(366);

    readonly ServiceContext context;
    readonly ReconciliationStore store;
    readonly ReconciliationSettings settings;
    readonly Reconciler reconciler;
    readonly IReadOnlyList<ProviderResponse> providers;
    readonly CommandGroup<ReconciliationStart> beginning;

    public ReconciliationApi(
        IEnumerable<IPaymentProvider> providers, ReconciliationStore store, ReconciliationSettings settings,
        Reconciler reconciler, ServiceContext context)
    {
        (this.context, this.store, this.settings, this.reconciler) = (context, store, settings, reconciler);
        this.providers = [.. providers.Select(provider => new ProviderResponse(provider.Name, provider.Charges is not null))];
        beginning = new("begin-reconciliations", BeginAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => beginning.Loops;

    public void Map(IEndpointRouteBuilder routes)
    {
        var runs = routes.MapGroup("/api/v1/reconciliations").WithTags("payments").RequireAllChannels(Scopes.OperatorRead);
        runs.MapPost("", (Delegate)PostAsync).RequireAllChannels(Scopes.Reconcile).WithName("beginReconciliation")
            .WithSummary("Compare our record with a gateway's own list over a time range")
            .Accepts<ReconciliationRequest>("application/json").Produces<ReconciliationResponse>(StatusCodes.Status202Accepted);
        runs.MapGet("", (Delegate)ListAsync).WithName("listReconciliations").Lists("provider", "state")
            .Query("state", ReconciliationStates.All).WithSummary("List reconciliations, newest first")
            .Produces<Page<ReconciliationResponse>>();
        runs.MapGet("/{id}", GetAsync).WithName("getReconciliation")
            .WithSummary("Get a reconciliation").Produces<ReconciliationResponse>();
        runs.MapGet("/{id}/differences", DifferencesAsync).WithName("listDifferences").Lists("kind")
            .Query("kind", DifferenceKinds.All).WithSummary("List the differences that a reconciliation found")
            .Produces<Page<DifferenceResponse>>();
        routes.MapGet("/api/v1/payment-providers", () => Answer.Json(
                StatusCodes.Status200OK, new(providers, null), ReconciliationJson.Default.PageProviderResponse))
            .WithName("listPaymentProviders").WithTags("payments").Require(Scopes.OperatorRead)
            .WithSummary("List the payment providers").Produces<Page<ProviderResponse>>();
    }

    async Task<IResult> PostAsync(HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, ReconciliationJson.Default.ReconciliationRequest);
        if (command is null) return refusal!;
        var (provider, from, to) = command.Body;
        var check = new Check().OneOf("/provider", provider, [.. providers.Select(known => known.Name)]);
        var end = to ?? context.Time.Now();
        if (from is { } begin && (begin >= end || end - begin > LongestRange))
            check.Fail("/from", "invalid_range", $"Before /to, and at most {LongestRange.TotalDays:0} days before it.");
        if (check.Refusal is { } invalid) return invalid;
        return reconciler.Providers.Contains(provider)
            ? await beginning.SubmitAsync(command.For(new ReconciliationStart(provider, from, to)))
            : Problem.Conflict("no_charge_list", $"The gateway {provider} offers no list of charges to compare with.");
    }

    async Task<IReadOnlyList<Answer>> BeginAsync(IReadOnlyList<Command<ReconciliationStart>> batch, Work work)
    {
        var requested = batch.Select(command =>
        {
            var (from, to) = (command.Body.From, command.Body.To);
            return (
                Id: work.NewId(), command.Body.Provider, From: from ?? (to ?? work.Now) - settings.ReconcileOver,
                To: to ?? ReconciliationRules.EndOf(work.Now), RequestedBy: (string?)command.Caller.Name);
        }).ToList();
        var begun = await store.BeginAsync(work, requested);
        work.AfterCommit(reconciler.Wake);
        return requested.ConvertAll(run => begun.Contains(run.Id)
            ? Answer.Json(
                StatusCodes.Status202Accepted,
                ReconciliationResponse.Of(new ReconciliationRun(
                    run.Id, run.Provider, run.From.ToWholeMilliseconds(), run.To.ToWholeMilliseconds(), run.RequestedBy,
                    ReconciliationStates.Waiting, null, null, default, 0, null, work.Now, null, null)),
                ReconciliationJson.Default.ReconciliationResponse, $"/api/v1/reconciliations/{run.Id}")
            : Problem.Conflict(
                "reconciliation_running",
                $"A reconciliation with {run.Provider} is in progress: GET /api/v1/reconciliations?provider={run.Provider}"));
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "provider", "state");
        var provider = query.Text("provider");
        var state = query.OneOf("state", ReconciliationStates.All);
        if (query.Refusal is { } refusal) return refusal;
        Guid? before = null;
        if (query.Position is { } position)
            if (Guid.TryParseExact(position, "D", out var last)) before = last;
            else return Problem.InvalidCursor;
        var runs = await context.Database.ReadAsync(
            read => store.ListAsync(read, before, provider, state, query.Limit + 1, http.RequestAborted), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(runs.ConvertAll(ReconciliationResponse.Of), query.Limit, run => run.Id.ToString("D")),
            ReconciliationJson.Default.PageReconciliationResponse);
    }

    async Task<IResult> GetAsync(string id, HttpContext http)
    {
        var (runId, refusal) = RouteId.Read(id);
        if (runId is null) return refusal!;
        return await FindAsync(runId.Value, http) is { } run
            ? Answer.Json(
                StatusCodes.Status200OK, ReconciliationResponse.Of(run), ReconciliationJson.Default.ReconciliationResponse)
            : Problem.NotFound("reconciliation");
    }

    async Task<IResult> DifferencesAsync(string id, HttpContext http)
    {
        var (parsed, invalid) = RouteId.Read(id);
        if (parsed is not { } runId) return invalid!;
        var query = new ListQuery(http, "kind");
        var kind = query.OneOf("kind", DifferenceKinds.All);
        if (query.Refusal is { } refusal) return refusal;
        var after = 0L;
        if (query.Position is { } position
            && !long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return Problem.InvalidCursor;
        if (await FindAsync(runId, http) is null) return Problem.NotFound("reconciliation");
        var found = await context.Database.ReadAsync(
            read => store.DifferencesAsync(read, runId, after, kind, query.Limit + 1, http.RequestAborted), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(
                found.ConvertAll(DifferenceResponse.Of), query.Limit,
                difference => difference.Number.ToString(CultureInfo.InvariantCulture)),
            ReconciliationJson.Default.PageDifferenceResponse);
    }

    Task<ReconciliationRun?> FindAsync(Guid id, HttpContext http) =>
        context.Database.ReadAsync(read => store.FindAsync(read, id, http.RequestAborted), http.RequestAborted);
}
