using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.CustomerService.Calling;

/// <summary>
/// Receives the webhooks of gateways: <c>/api/v1/webhooks/{provider}</c>, authenticated by signature. An event is stored by
/// id in the same transaction as the result, so repeats have no effect. An event for an unknown attempt of ours is parked
/// until the attempt arrives (<see cref="ParkedEvents"/>).
/// </summary>
public sealed class Webhooks
{
    const int MaxBytes = 1_000_000;

    sealed record Arrival(string Provider, GatewayEvent Event)
    {
        // Null for events without an effect on our attempts.
        public AttemptResult? Result { get; } =
            Event is { Key: { } key, Result: { } result }
                && PaymentAttempt.Parse(key) is var (orderId, operation, number)
                ? new AttemptResult(Provider, orderId, operation, number, result)
                : null;
    }

    readonly IReadOnlyDictionary<string, IPaymentProvider> providers;
    readonly ApplyGatewayResults results;
    readonly SqlCatalog sql;
    readonly TimeProvider time;
    readonly GroupCommit<Arrival, bool> arrivals;

    public Webhooks(
        IReadOnlyDictionary<string, IPaymentProvider> providers, ApplyGatewayResults results, ServiceContext context)
    {
        this.providers = providers;
        this.results = results;
        sql = context.Sql;
        time = context.Time;
        arrivals = new("gateway-events", HandleAsync, context.Runner, context.Options, context.Time, Passage.Work);
    }

    public BackgroundLoop Loop => arrivals.Loop;

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/webhooks/{provider}", PostAsync).WithName("receiveWebhook").WithTags("payments")
            .WithSummary("Receive events of a gateway, signed as the gateway defines")
            .OpenToAll(CallBudget.Webhook).Accepts<JsonElement>(isOptional: false, "*/*").Produces(StatusCodes.Status200OK)
            .ProducesProblem(StatusCodes.Status401Unauthorized);

    /// <summary>Replies once the events are stored and applied: 200, 400, 401 or 404.</summary>
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
                await Task.WhenAll(events.Select(item => arrivals.SubmitAsync(new Arrival(provider, item))));
                return new Answer(StatusCodes.Status200OK, default, null);
            case var other:
                throw new InvalidOperationException($"A webhook cannot be {other.GetType().Name}.");
        }
    }

    async Task<IResult> PostAsync(string provider, HttpContext http)
    {
        using var body = new MemoryStream();
        var chunk = new byte[16_384];
        for (int read; (read = await http.Request.Body.ReadAsync(chunk, http.RequestAborted)) > 0;)
        {
            if (body.Length + read > MaxBytes)
                return Problem.Of(
                    StatusCodes.Status413PayloadTooLarge, "body_too_large", $"The body is over {MaxBytes} bytes.");
            body.Write(chunk, 0, read);
        }
        return await ReceiveAsync(provider, http.Request.Headers, body.ToArray());
    }

    // Returns true for each new event.
    async Task<IReadOnlyList<bool>> HandleAsync(IReadOnlyList<Arrival> batch, Work work)
    {
        var known = (await work.QueryAsync(
            sql["load_events"],
            SqlArgs.Over(batch).Text("provider", item => item.Provider).Text("event_id", item => item.Event.Id),
            row => (row.Text("provider"), row.Text("event_id")))).ToHashSet();
        var isNew = batch.Select(item => known.Add((item.Provider, item.Event.Id))).ToArray();
        var arrived = batch.Where((_, i) => isNew[i]).ToArray();
        if (arrived.Length == 0) return isNew;

        AttemptResult[] reported = [.. arrived.Select(item => item.Result).OfType<AttemptResult>()];
        var found = await results.HandleAsync(reported, work);
        var matched = reported.Where((_, i) => found[i]).ToHashSet();
        ParkedEvents.Park(
            work, sql,
            [
                .. arrived.Where(item => item.Result is { } result && !matched.Contains(result))
                    .Select(item => new ParkedEvent(item.Event.Id, item.Result!)),
            ]);
        await work.ExecuteAsync(
            sql["insert_events"],
            SqlArgs.Over(arrived)
                .Text("provider", item => item.Provider)
                .Text("event_id", item => item.Event.Id)
                .Text("type", item => item.Event.Type)
                .Text("gateway_key", item => item.Event.Key)
                .Bool("matched", item => item.Result is { } result && matched.Contains(result))
                .Text("body", item => item.Event.Body)
                .Args.And("now", work.Now));
        return isNew;
    }
}
