using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.CustomerService.Calling;

/// <summary>
/// Takes the webhooks of gateways. An event is stored by its id in the transaction that settles what it tells
/// of: the same again has no effect. One that names an attempt of ours which is not here yet is parked, and settles it
/// once it is (<see cref="ParkedEvents"/>).
/// </summary>
public sealed class Webhooks
{
    sealed record Arrival(string Provider, GatewayEvent Event);

    readonly IReadOnlyDictionary<string, IPaymentProvider> providers;
    readonly SettleCalls settle;
    readonly SqlCatalog sql;
    readonly TimeProvider time;
    readonly GroupCommit<Arrival, bool> arrivals;

    public Webhooks(
        IReadOnlyDictionary<string, IPaymentProvider> providers, SettleCalls settle, ServiceContext context)
    {
        this.providers = providers;
        this.settle = settle;
        sql = context.Sql;
        time = context.Time;
        arrivals = new("gateway-events", HandleAsync, context.Runner, context.Options, context.Time);
    }

    public BackgroundLoop Loop => arrivals.Loop;

    /// <summary>Answers once its events are stored and settled: 200, 400, 401 or 404.</summary>
    public async Task<Answer> ReceiveAsync(string provider, IHeaderDictionary headers, ReadOnlyMemory<byte> body)
    {
        if (!providers.TryGetValue(provider, out var gateway)) return Problem.NotFound("provider");
        switch (gateway.ReadWebhook(headers, body, time.Now()))
        {
            case WebhookReading.Forged(var why):
                return Problem.Of(StatusCodes.Status401Unauthorized, "bad_signature", why);
            case WebhookReading.Unreadable(var why):
                return Problem.Of(StatusCodes.Status400BadRequest, "unreadable_event", why);
            case WebhookReading.Genuine(var events):
                await Task.WhenAll(events.Select(one => arrivals.SubmitAsync(new Arrival(provider, one))));
                return new Answer(StatusCodes.Status200OK, default, null);
            case var other:
                throw new InvalidOperationException($"A webhook cannot be {other.GetType().Name}.");
        }
    }

    /// <summary>True for each event that was not known before.</summary>
    async Task<IReadOnlyList<bool>> HandleAsync(IReadOnlyList<Arrival> batch, Work work)
    {
        var known = (await work.QueryAsync(
            sql["load_events"],
            SqlArgs.Over(batch).Text("provider", one => one.Provider).Text("event_id", one => one.Event.Id),
            row => (row.Text(0), row.Text(1)))).ToHashSet();
        var fresh = batch.Select(one => known.Add((one.Provider, one.Event.Id))).ToArray();
        var news = batch.Where((_, i) => fresh[i]).ToArray();
        if (news.Length == 0) return fresh;

        var told = news.Select(ReportOf).ToArray();
        CallReport[] reports = [.. told.OfType<CallReport>()];
        var found = await settle.HandleAsync(reports, work);
        var matched = reports.Where((_, i) => found[i]).ToHashSet();
        ParkedEvents.Park(
            work, sql,
            [
                .. news.Zip(told).Where(one => one.Second is not null && !matched.Contains(one.Second))
                    .Select(one => new ParkedEvent(one.First.Event.Id, one.Second!)),
            ]);
        await work.ExecuteAsync(
            sql["insert_events"],
            SqlArgs.Over(news.Select((one, i) => (one.Provider, one.Event, Told: told[i])).ToArray())
                .Text("provider", one => one.Provider)
                .Text("event_id", one => one.Event.Id)
                .Text("type", one => one.Event.Type)
                .Text("gateway_key", one => one.Event.Key)
                .Bool("matched", one => one.Told is not null && matched.Contains(one.Told))
                .Text("body", one => one.Event.Body)
                .Args.And("now", work.Now));
        return fresh;
    }

    static CallReport? ReportOf(Arrival arrival) =>
        arrival.Event is { Key: { } key, Result: { } result }
            && GatewayCall.Parse(key) is var (orderId, operation, n)
            ? new CallReport(arrival.Provider, orderId, operation, n, result)
            : null;
}
