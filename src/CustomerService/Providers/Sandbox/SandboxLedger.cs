using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <param name="Result">Result of the request; null when no action was pending.</param>
/// <param name="Lost">True when the response must not arrive.</param>
/// <param name="Charge">State of the charge afterwards.</param>
public sealed record SandboxReply(GatewayResult? Result, bool Lost, SandboxCharge? Charge);

/// <summary>
/// The gateway's side of the sandbox: handles requests in its own transactions over its own tables, as another company's
/// system would. No other service reads these tables; verification compares both records.
/// </summary>
public sealed class SandboxLedger
{
    /// <param name="Verb">An operation, or a verb of <see cref="SandboxRules"/>.</param>
    /// <param name="Request">For <c>find</c>: the request to look up.</param>
    sealed record Command(string Verb, GatewayRequest Request);

    const int PageSize = 500;

    readonly SqlCatalog sql;
    readonly IDatabase database;
    readonly GroupCommit<Command, SandboxReply> commands;
    readonly TimeSpan? holdsFor;

    public SandboxLedger(ServiceContext context)
    {
        sql = context.Sql;
        database = context.Database;
        var holds = context.Configuration.Bind<SandboxSettings>().SandboxHolds;
        holdsFor = holds > TimeSpan.Zero ? holds : null;
        // The record of a gateway, which knows of no restore.
        commands = new("sandbox-gateway", HandleAsync, context.Runner, context.Options, context.Time, Passage.Repairs);
    }

    public BackgroundLoop Loop => commands.Loop;

    public Task<SandboxReply> ExecuteAsync(GatewayRequest request) => commands.SubmitAsync(new(request.Operation, request));

    public Task<SandboxReply> FindAsync(GatewayRequest request) => commands.SubmitAsync(new(SandboxRules.Find, request));

    /// <summary>Applies the customer's decision to the charge of an order. Null when the order has no charge.</summary>
    public async Task<SandboxReply?> ActAsync(Guid orderId, bool approve)
    {
        var ids = await database.ReadAsync(
            read => read.QueryAsync(
                sql["find_sandbox_charges"], SqlArgs.With("order_id", orderId), row => row.Text("id")),
            CancellationToken.None);
        if (ids.Count == 0) return null;
        var verb = approve ? SandboxRules.Approve : SandboxRules.Refuse;
        return await commands.SubmitAsync(new(verb, new GatewayRequest("", orderId, verb, 0, "", null, ids[0])));
    }

    /// <inheritdoc cref="IChargeList.ListAsync"/>
    public async Task<ChargePage> ListAsync(
        DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel)
    {
        var after = cursor is null ? (Time: DateTimeOffset.UnixEpoch, Id: "") : SandboxRules.ReadCursor(cursor);
        var rows = await database.QueryAsync(
            sql["charges_by_time"],
            SqlArgs.With("from", from).And("to", to).And("after_time", after.Time).And("after_id", after.Id)
                .And("most", PageSize),
            row => SandboxRules.Listed(
                row.Text("id"), row.Uuid("order_id"), row.Text("currency"), row.Text("state"), row.BigInt("authorized"),
                row.BigInt("captured"), row.BigInt("refunded"), row.Time("created_at")),
            cancel);
        return new(
            rows, rows.Count < PageSize ? null : SandboxRules.WriteCursor(rows[^1].CreatedAt, rows[^1].Reference));
    }

    async Task<IReadOnlyList<SandboxReply>> HandleAsync(IReadOnlyList<Command> batch, Work work)
    {
        // Requests are read after locking the charges; until then a concurrent batch may add the same key.
        var charges = (await work.QueryAsync(
            sql["lock_sandbox_charges"],
            SqlArgs.OfTexts("id", [.. batch.Select(command => SandboxRules.ChargeOf(command.Request)).Distinct()]),
            ReadCharge)).ToDictionary(charge => charge.Id);
        var requests = (await work.QueryAsync(
            sql["load_sandbox_requests"],
            SqlArgs.OfTexts("key", [.. batch.Select(command => command.Request.Key).Distinct()]),
            row => new SandboxRequest(
                row.Text("key"), row.Text("operation"), row.Text("outcome"), row.TextOrNull("code"), row.TextOrNull("message"))))
            .ToDictionary(request => request.Key);

        var changedCharges = new Dictionary<string, SandboxCharge>();
        var changedRequests = new Dictionary<string, SandboxRequest>();
        var replies = new SandboxReply[batch.Count];
        for (var i = 0; i < batch.Count; i++)
        {
            var (verb, request) = batch[i];
            var charge = charges.GetValueOrDefault(SandboxRules.ChargeOf(request));
            var decision = Decide(verb, request, requests.GetValueOrDefault(request.Key), charge, work.Now);
            if (decision is { Charge: { } changed }) charges[changed.Id] = changedCharges[changed.Id] = changed;
            if (decision is { Request: { } recorded }) requests[recorded.Key] = changedRequests[recorded.Key] = recorded;
            replies[i] = new(decision?.Result, decision?.Lost ?? false, decision?.Charge ?? charge);
        }
        await SaveAsync(work, [.. changedCharges.Values], [.. changedRequests.Values]);
        return replies;
    }

    SandboxDecision? Decide(
        string verb, GatewayRequest request, SandboxRequest? previous, SandboxCharge? charge, DateTimeOffset now)
    {
        if (verb == SandboxRules.Find) return new(SandboxRules.LookUp(request, previous, charge));
        if (verb is not (SandboxRules.Approve or SandboxRules.Refuse))
            return SandboxRules.Execute(request, previous, charge, now, holdsFor);
        return charge is not null && SandboxRules.ApplyAction(charge, verb == SandboxRules.Approve) is { } acted
            ? new(SandboxRules.ResultOf(acted), Charge: acted)
            : null;
    }

    async Task SaveAsync(Work work, SandboxCharge[] charges, SandboxRequest[] requests)
    {
        if (charges.Length > 0)
            await work.ExecuteAsync(
                sql["save_sandbox_charges"],
                SqlArgs.Over(charges)
                    .Text("id", charge => charge.Id)
                    .Text("key", charge => charge.Key)
                    .Uuid("order_id", charge => charge.OrderId)
                    .Text("token", charge => charge.Token)
                    .Text("currency", charge => charge.Currency)
                    .Text("state", charge => charge.State)
                    .BigInt("amount", charge => charge.AmountMinor)
                    .BigInt("authorized", charge => charge.AuthorizedMinor)
                    .BigInt("captured", charge => charge.CapturedMinor)
                    .BigInt("refunded", charge => charge.RefundedMinor)
                    .Bool("voided", charge => charge.Voided)
                    .Text("code", charge => charge.Code)
                    .Text("message", charge => charge.Message)
                    .TimeOrNull("holds_until", charge => charge.HoldsUntil)
                    .Args.And("now", work.Now));
        if (requests.Length > 0)
            await work.ExecuteAsync(
                sql["save_sandbox_requests"],
                SqlArgs.Over(requests)
                    .Text("key", request => request.Key)
                    .Text("operation", request => request.Operation)
                    .Text("outcome", request => request.Outcome)
                    .Text("code", request => request.Code)
                    .Text("message", request => request.Message)
                    .Args.And("now", work.Now));
    }

    static SandboxCharge ReadCharge(IRow row) => new(
        row.Text("id"), row.Text("key"), row.Uuid("order_id"), row.Text("token"), row.Text("currency"), row.Text("state"),
        row.BigInt("amount"), row.BigInt("authorized"), row.BigInt("captured"), row.BigInt("refunded"), row.Bool("voided"),
        row.TextOrNull("code"), row.TextOrNull("message"))
    {
        HoldsUntil = row.TimeOrNull("holds_until"),
    };
}
