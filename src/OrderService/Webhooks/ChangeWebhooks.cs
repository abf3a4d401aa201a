using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Change of an endpoint, requested by a caller.</summary>
/// <param name="EndpointId">Endpoint; the id of a new endpoint is assigned later.</param>
/// <param name="If">Version the endpoint must have; null for any.</param>
public abstract record WebhookChange(Guid EndpointId, Precondition? If)
{
    /// <param name="Request">Checked request.</param>
    /// <param name="Channel">Channel whose orders are sent; null for all.</param>
    /// <param name="Horizon">The endpoint receives the events after this position of the feed.</param>
    public sealed record Add(EndpointRequest Request, string? Channel, long Horizon) : WebhookChange(Guid.Empty, null);

    public sealed record Update(Guid EndpointId, EndpointPatch Patch, Precondition? If) : WebhookChange(EndpointId, If);

    public sealed record Rotate(Guid EndpointId, RotationRequest Request, Precondition? If) : WebhookChange(EndpointId, If);

    public sealed record Remove(Guid EndpointId, Precondition? If) : WebhookChange(EndpointId, If);

    public sealed record Redeliver(Guid EndpointId, Guid DeliveryId) : WebhookChange(EndpointId, null);

    public sealed record RedeliverRange(Guid EndpointId, RedeliveryRequest Request) : WebhookChange(EndpointId, null);
}

/// <summary>Applies callers' changes of endpoints. Each change is audited.</summary>
public sealed class ChangeWebhooks(WebhookStore store, WebhookSettings settings, Audit audit, Action wake)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<WebhookChange>> batch, Work work)
    {
        // People and deployments change endpoints, rarely two in a batch.
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
        foreach (var command in batch) answers.Add(await ApplyAsync(command, work, entries));
        await audit.AppendAsync(work, entries);
        work.AfterCommit(wake);
        return answers;
    }

    async Task<Answer> ApplyAsync(Command<WebhookChange> command, Work work, List<AuditEntry> entries)
    {
        var change = command.Body;
        if (change is WebhookChange.Add add) return await AddAsync(add);
        var before = await store.FindAsync(work, change.EndpointId, command.Caller.Channels);
        if (before is null) return Problem.NotFound("webhook endpoint");
        if (change.If is { } condition && !condition.Holds(before.Version)) return Precondition.Failed();
        switch (change)
        {
            case WebhookChange.Update(_, var patch, _):
                var updated = Patched(before, patch, work.Now);
                await store.UpdateAsync(work, updated);
                if (patch.State == EndpointStates.Active) store.BringForward(work, updated.Id);
                Record("change", updated.Id, $"Changed to {updated.State}: {updated.Url}", before, updated);
                return EndpointResponse.Answer(StatusCodes.Status200OK, updated);
            case WebhookChange.Rotate(_, var request, _):
                var rotated = Changed(before, work.Now) with
                {
                    Secrets = new(
                        request.Secret ?? WebhookSignature.NewSecret(), before.Secrets.Current,
                        work.Now + TimeSpan.FromHours(request.OverlapHours)),
                };
                await store.UpdateAsync(work, rotated);
                Record("rotate", rotated.Id, $"Both secrets sign for {request.OverlapHours} h.", before, rotated);
                return EndpointResponse.Answer(StatusCodes.Status200OK, rotated, withSecret: true);
            case WebhookChange.Remove:
                await store.DeleteAsync(work, before.Id);
                Record("remove", before.Id, $"Removed {before.Url}", before, null);
                return Answer.NoContent();
            case WebhookChange.Redeliver(_, var id):
                if (!await store.RedeliverAsync(work, before.Id, id)) return Problem.NotFound("delivery");
                Record("redeliver", before.Id, $"Delivery {id}", null, null);
                return Redelivering(1);
            case WebhookChange.RedeliverRange(_, var range):
                var count = await store.RedeliverAsync(
                    work, before.Id, range.After, range.Until ?? long.MaxValue, range.State, WebhookApi.MostRedeliveries);
                Record("redeliver", before.Id, $"{count} deliveries after {range.After}", null, null);
                return Redelivering(count);
            case var other:
                throw new InvalidOperationException($"{other.GetType().Name} is not a change of an endpoint.");
        }

        async Task<Answer> AddAsync(WebhookChange.Add add)
        {
            if (await store.CountAsync(work, add.Channel) >= settings.WebhookMaxEndpoints)
                return Problem.Conflict(
                    ProblemCodes.TooManyEndpoints, $"The channel has {settings.WebhookMaxEndpoints} webhook endpoints.");
            var request = add.Request;
            var endpoint = new WebhookEndpoint(
                work.NewId(), add.Channel, request.Url, request.Types ?? [WebhookRules.AllTypes], request.Description,
                new(request.Secret ?? WebhookSignature.NewSecret()), EndpointStates.Active, null,
                new(add.Horizon, 0, null, work.Now), 1, work.Now, work.Now);
            await store.InsertAsync(work, endpoint);
            Record("add", endpoint.Id, $"Added {endpoint.Url}", null, endpoint);
            return EndpointResponse.Answer(
                StatusCodes.Status201Created, endpoint, withSecret: true, $"/api/v1/webhook-endpoints/{endpoint.Id}");
        }

        void Record(string action, Guid id, string reason, WebhookEndpoint? before, WebhookEndpoint? after) => entries.Add(new(
            work.NewId(), ServiceNames.Order, work.Now, command.Caller.Name, action, null, $"webhook-endpoint {id}", reason,
            JsonOf(before), JsonOf(after), command.TraceId, Channel: (after ?? before)?.Channel));
    }

    static WebhookEndpoint Patched(WebhookEndpoint before, EndpointPatch patch, DateTimeOffset now)
    {
        var after = Changed(before, now) with
        {
            Url = patch.Url ?? before.Url,
            Types = patch.Types ?? before.Types,
            Description = patch.Description ?? before.Description,
        };
        return patch.State switch
        {
            EndpointStates.Active => WebhookRules.Enabled(after, now),
            EndpointStates.Disabled => after with { State = EndpointStates.Disabled, Reason = DisabledReasons.Operator },
            // A new address deserves a prompt attempt.
            _ => patch.Url is null ? after : after with { Progress = after.Progress with { NextRoundAt = now } },
        };
    }

    static WebhookEndpoint Changed(WebhookEndpoint endpoint, DateTimeOffset now) =>
        endpoint with { Version = endpoint.Version + 1, UpdatedAt = now };

    static Answer Redelivering(int deliveries) => Answer.Json(
        StatusCodes.Status202Accepted, new RedeliveryResponse(deliveries), OrderJson.Default.RedeliveryResponse);

    // Without the secrets.
    static JsonElement? JsonOf(WebhookEndpoint? endpoint) => endpoint is null
        ? null
        : JsonSerializer.SerializeToElement(EndpointResponse.Of(endpoint), OrderJson.Default.EndpointResponse);
}
