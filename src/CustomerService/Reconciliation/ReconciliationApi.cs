using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>What an operator wants compared.</summary>
public sealed record ReconciliationAsk(string Provider, DateTimeOffset? From, DateTimeOffset? To);

/// <summary>Reconciliations over HTTP, for operators: <c>/api/v1/reconciliations</c>.</summary>
public sealed class ReconciliationApi
{
    static readonly TimeSpan LongestRange = TimeSpan.FromDays(366);

    readonly ServiceContext context;
    readonly ReconciliationStore store;
    readonly ReconciliationSettings settings;
    readonly Reconciler reconciler;
    readonly IReadOnlyList<ProviderView> providers;
    readonly CommandGroup<ReconciliationAsk> beginning;

    public ReconciliationApi(
        IEnumerable<IPaymentProvider> providers, ReconciliationStore store, ReconciliationSettings settings,
        Reconciler reconciler, ServiceContext context)
    {
        (this.context, this.store, this.settings, this.reconciler) = (context, store, settings, reconciler);
        this.providers = [.. providers.Select(one => new ProviderView(one.Name, one.Charges is not null))];
        beginning = new("begin-reconciliations", BeginAsync, context);
    }

    public IReadOnlyList<BackgroundLoop> Loops => beginning.Loops;

    public void Map(IEndpointRouteBuilder routes)
    {
        var runs = routes.MapGroup("/api/v1/reconciliations").WithTags("payments").Require(Scopes.Operator);
        runs.MapPost("", (Delegate)PostAsync).WithName("beginReconciliation")
            .WithSummary("Compare our record with a gateway's own list over a time range")
            .Accepts<ReconciliationBody>("application/json").Produces<ReconciliationView>(StatusCodes.Status202Accepted);
        runs.MapGet("", (Delegate)ListAsync).WithName("listReconciliations").Lists("provider", "state")
            .Produces<Page<ReconciliationView>>();
        runs.MapGet("/{id}", GetAsync).WithName("getReconciliation").Produces<ReconciliationView>();
        runs.MapGet("/{id}/differences", DifferencesAsync).WithName("listDifferences").Lists("kind")
            .Produces<Page<DifferenceView>>();
        routes.MapGet("/api/v1/payment-providers", () => Answer.Json(
                StatusCodes.Status200OK, new(providers, null), CustomerJson.Default.PageProviderView))
            .WithName("listPaymentProviders").WithTags("payments").Require(Scopes.Operator).Produces<Page<ProviderView>>();
    }

    async Task<IResult> PostAsync(HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.ReconciliationBody);
        if (command is null) return refusal!;
        var (provider, from, to) = command.Body;
        var check = new Check().OneOf("/provider", provider, [.. providers.Select(one => one.Name)]);
        var end = to ?? context.Time.Now();
        if (from is { } begin && (begin >= end || end - begin > LongestRange))
            check.Fail("/from", "invalid_range", $"Before /to, and at most {LongestRange.TotalDays:0} days before it.");
        if (check.Refusal is { } invalid) return invalid;
        return reconciler.Providers.Contains(provider)
            ? await beginning.SubmitAsync(command.For(new ReconciliationAsk(provider, from, to)))
            : Problem.Conflict("no_charge_list", $"The gateway {provider} has no list to compare with.");
    }

    async Task<IReadOnlyList<Answer>> BeginAsync(IReadOnlyList<Command<ReconciliationAsk>> batch, Work work)
    {
        var wanted = batch.Select(command =>
        {
            var to = command.Body.To ?? work.Now;
            return (
                Id: work.NewId(), command.Body.Provider, From: command.Body.From ?? to - settings.ReconcileOver, To: to,
                AskedBy: (string?)command.Caller.Name);
        }).ToList();
        var begun = await store.BeginAsync(work, wanted);
        work.AfterCommit(reconciler.Wake);
        return wanted.ConvertAll(one => begun.Contains(one.Id)
            ? Answer.Json(
                StatusCodes.Status202Accepted,
                ReconciliationView.Of(new ReconciliationRun(
                    one.Id, one.Provider, one.From.ToWholeMilliseconds(), one.To.ToWholeMilliseconds(), one.AskedBy,
                    ReconciliationStates.Waiting, null, null, default, 0, null, work.Now, null, null)),
                CustomerJson.Default.ReconciliationView, $"/api/v1/reconciliations/{one.Id}")
            : Problem.Conflict(
                "reconciliation_running",
                $"One with {one.Provider} is under way: GET /api/v1/reconciliations?provider={one.Provider}"));
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
            else return NotOurs;
        var runs = await context.Database.ReadAsync(
            read => store.ListAsync(read, before, provider, state, query.Limit + 1, http.RequestAborted), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(runs.ConvertAll(ReconciliationView.Of), query.Limit, run => run.Id.ToString("D")),
            CustomerJson.Default.PageReconciliationView);
    }

    async Task<IResult> GetAsync(string id, HttpContext http) =>
        !Guid.TryParseExact(id, "D", out var runId) ? NoId
        : await FindAsync(runId, http) is { } run
            ? Answer.Json(StatusCodes.Status200OK, ReconciliationView.Of(run), CustomerJson.Default.ReconciliationView)
            : Problem.NotFound("reconciliation");

    async Task<IResult> DifferencesAsync(string id, HttpContext http)
    {
        if (!Guid.TryParseExact(id, "D", out var runId)) return NoId;
        var query = new ListQuery(http, "kind");
        var kind = query.OneOf("kind", DifferenceKinds.All);
        if (query.Refusal is { } refusal) return refusal;
        var after = 0L;
        if (query.Position is { } position
            && !long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return NotOurs;
        if (await FindAsync(runId, http) is null) return Problem.NotFound("reconciliation");
        var found = await context.Database.ReadAsync(
            read => store.DifferencesAsync(read, runId, after, kind, query.Limit + 1, http.RequestAborted), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(
                found.ConvertAll(DifferenceView.Of), query.Limit,
                one => one.Number.ToString(CultureInfo.InvariantCulture)),
            CustomerJson.Default.PageDifferenceView);
    }

    Task<ReconciliationRun?> FindAsync(Guid id, HttpContext http) =>
        context.Database.ReadAsync(read => store.FindAsync(read, id, http.RequestAborted), http.RequestAborted);

    static Answer NoId => Problem.Invalid("id", "invalid_id", "A UUID.");

    static Answer NotOurs =>
        Problem.Invalid("cursor", "invalid_cursor", "Use nextCursor of the previous page as it was given.");
}
