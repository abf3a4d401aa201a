using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>
/// The sandbox's far side: it answers requests from its own tables in its own transactions, as if it were
/// another company's system. Nothing of ours reads these tables, but for those who check our record against
/// the gateway's.
/// </summary>
public sealed class SandboxLedger
{
    /// <param name="Verb">An operation, or one of <see cref="SandboxRules"/>' own.</param>
    /// <param name="Request">With <c>find</c>: the request that is looked up.</param>
    sealed record Ask(string Verb, GatewayRequest Request);

    /// <param name="Result">What is answered; null when there was nothing to act on.</param>
    /// <param name="Lost">The answer does not arrive.</param>
    /// <param name="Charge">As it stands afterwards.</param>
    public sealed record Reply(GatewayResult? Result, bool Lost, SandboxCharge? Charge);

    const int PageSize = 500;

    readonly SqlCatalog sql;
    readonly IDatabase database;
    readonly GroupCommit<Ask, Reply> asks;
    readonly TimeSpan? holdsFor;

    public SandboxLedger(ServiceContext context)
    {
        sql = context.Sql;
        database = context.Database;
        var holds = context.Configuration.Bind<SandboxSettings>().SandboxHolds;
        holdsFor = holds > TimeSpan.Zero ? holds : null;
        asks = new("sandbox-gateway", HandleAsync, context.Runner, context.Options, context.Time);
    }

    public BackgroundLoop Loop => asks.Loop;

    public Task<Reply> DoAsync(GatewayRequest request) => asks.SubmitAsync(new(request.Operation, request));

    public Task<Reply> FindAsync(GatewayRequest request) => asks.SubmitAsync(new(SandboxRules.Find, request));

    /// <summary>
    /// The customer's act on the charge of an order. Null when the order has no charge at all.
    /// </summary>
    public async Task<Reply?> ActAsync(Guid orderId, bool approve)
    {
        var ids = await database.ReadAsync(
            read => read.QueryAsync(
                sql["find_sandbox_charges"], SqlArgs.With("order_id", orderId), row => row.Text(0)),
            CancellationToken.None);
        if (ids.Count == 0) return null;
        var verb = approve ? SandboxRules.Approve : SandboxRules.Refuse;
        return await asks.SubmitAsync(new(verb, new GatewayRequest("", orderId, verb, 0, "", null, ids[0])));
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
                row.Text(0), row.Uuid(2), row.Text(3), row.Text(4), row.BigInt(6), row.BigInt(7), row.BigInt(8), row.Time(10)),
            cancel);
        return new(
            rows, rows.Count < PageSize ? null : SandboxRules.WriteCursor(rows[^1].CreatedAt, rows[^1].Reference));
    }

    async Task<IReadOnlyList<Reply>> HandleAsync(IReadOnlyList<Ask> batch, Work work)
    {
        // Charges first, under lock; what was seen under a key is read after that.
        var charges = (await work.QueryAsync(
            sql["lock_sandbox_charges"],
            SqlArgs.OfTexts("id", [.. batch.Select(ask => SandboxRules.ChargeOf(ask.Request)).Distinct()]),
            ReadCharge)).ToDictionary(charge => charge.Id);
        var seen = (await work.QueryAsync(
            sql["load_sandbox_requests"],
            SqlArgs.OfTexts("key", [.. batch.Select(ask => ask.Request.Key).Distinct()]),
            row => new SandboxRequest(row.Text(0), row.Text(1), row.Text(2), row.TextOrNull(3), row.TextOrNull(4))))
            .ToDictionary(request => request.Key);

        var changedCharges = new Dictionary<string, SandboxCharge>();
        var changedRequests = new Dictionary<string, SandboxRequest>();
        var replies = new Reply[batch.Count];
        for (var i = 0; i < batch.Count; i++)
        {
            var (verb, request) = batch[i];
            var charge = charges.GetValueOrDefault(SandboxRules.ChargeOf(request));
            var decision = Decide(verb, request, seen.GetValueOrDefault(request.Key), charge, work.Now);
            if (decision is { Charge: { } changed }) charges[changed.Id] = changedCharges[changed.Id] = changed;
            if (decision is { Request: { } noted }) seen[noted.Key] = changedRequests[noted.Key] = noted;
            replies[i] = new(decision?.Result, decision?.Lost ?? false, decision?.Charge ?? charge);
        }
        await SaveAsync(work, [.. changedCharges.Values], [.. changedRequests.Values]);
        return replies;
    }

    SandboxDecision? Decide(
        string verb, GatewayRequest request, SandboxRequest? seen, SandboxCharge? charge, DateTimeOffset now)
    {
        if (verb == SandboxRules.Find) return new(SandboxRules.LookUp(request, seen, charge));
        if (verb is not (SandboxRules.Approve or SandboxRules.Refuse))
            return SandboxRules.Do(request, seen, charge, now, holdsFor);
        return charge is not null && SandboxRules.Act(charge, verb == SandboxRules.Approve) is { } acted
            ? new(SandboxRules.ResultOf(acted), Charge: acted)
            : null;
    }

    async Task SaveAsync(
        Work work, SandboxCharge[] charges, SandboxRequest[] requests)
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
        row.Text(0), row.Text(1), row.Uuid(2), row.Text(3), row.Text(4), row.Text(5), row.BigInt(6), row.BigInt(7),
        row.BigInt(8), row.BigInt(9), row.Bool(10), row.TextOrNull(11), row.TextOrNull(12))
    {
        HoldsUntil = row.TimeOrNull(13),
    };
}
